//! Whose addresses came: what could not be told them for lack of one is looked at again. A mark is left in the transaction that brings the
//! address and taken up by whoever makes notices next, so that neither waits for the other: an address that comes while a request is
//! being decided without it leaves its mark for the next making.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value};
use zhida_core::notice::{Audience, NoticeKind, NoticeRules};

/// Marks that one transaction takes up.
const MARKS_MAX: u32 = 1_000;

/// Leaves marks for applications whose contacts came, where there is somebody to send: marks that nobody takes up would gather.
pub(super) async fn of_applications<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &'a str>,
    rules: &NoticeRules,
) -> Result<(), Fault> {
    let record = |id: &str| -> Record { vec![("application_id", id.into())] };
    leave(tx, ids.map(record).collect(), rules).await
}

/// The same for officials whose addresses came.
pub(super) async fn of_officials<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &'a str>,
    rules: &NoticeRules,
) -> Result<(), Fault> {
    let record = |id: &str| -> Record { vec![("officer_id", id.into())] };
    leave(tx, ids.map(record).collect(), rules).await
}

async fn leave(tx: &mut Tx, records: Vec<Record>, rules: &NoticeRules) -> Result<(), Fault> {
    if rules.providers.is_empty() {
        return Ok(());
    }
    tx.insert("notice_marks", records, "").await
}

/// Whether there is any.
pub(super) async fn is_any(tx: &mut Tx) -> Result<bool, Fault> {
    Ok(!tx.rows("select id from notice_marks limit 1", vec![]).await?.is_empty())
}

/// Takes up marks, and lets requests that reached nobody wait again where they concern one; says how many marks there were. For whoever
/// makes notices, in whose turn no outcome is being written.
pub(super) async fn take_up(tx: &mut Tx) -> Result<usize, Fault> {
    let sql = "delete from notice_marks where id in (select id from notice_marks order by id limit $1) \
        returning application_id, officer_id";
    let rows = tx.rows(sql, vec![MARKS_MAX.into()]).await?;
    let named = |column: &'static str| -> Result<Vec<String>, Fault> {
        let ids = rows.iter().map(|row: &Row| row.get::<Option<String>>(column)).collect::<Result<Vec<_>, Fault>>()?;
        Ok(ids.into_iter().flatten().collect())
    };
    let (applications, officials) = (named("application_id")?, named("officer_id")?);
    look_again(tx, "application_id", applications, Audience::Enterprise).await?;
    look_again(tx, "recipient", officials, Audience::Official).await?;
    Ok(rows.len())
}

async fn look_again(tx: &mut Tx, column: &str, ids: Vec<String>, audience: Audience) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    let kinds = NoticeKind::ALL.iter().filter(|kind| kind.traits().audience == audience);
    let kinds: Vec<String> = kinds.map(|kind| kind.code().to_owned()).collect();
    let sql = format!(
        "update notice_requests set outcome = null, made_at = null, look_at = $1 \
         where outcome = 'no_address' and {column} {} and kind {}",
        tx.among(2),
        tx.among(3)
    );
    let values: Vec<Value> = vec![tx.now.into(), ids.into(), kinds.into()];
    tx.execute(sql, values).await?;
    Ok(())
}
