//! Whose addresses came: what could not be told them for lack of one is looked at again. A mark is left in the transaction that brings the
//! address and taken up by whoever makes notices next, so that neither waits for the other: an address that comes while a request is
//! being decided without it leaves its mark for the next making.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value};
use jiff::Timestamp;
use zhida_core::notice::{Audience, NoticeKind};

/// Marks that one transaction takes up.
const MARKS_MAX: u32 = 1_000;

/// Leaves marks for applications whose contacts came; also where this process knows no provider, for the one that makes notices may.
pub(super) async fn of_applications<'a>(tx: &mut Tx, ids: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let record = |id: &str| -> Record { vec![("application_id", id.into())] };
    tx.insert("notice_marks", ids.map(record).collect(), "").await
}

/// The same for officials whose addresses came.
pub(super) async fn of_officials<'a>(tx: &mut Tx, ids: impl Iterator<Item = &'a str>) -> Result<(), Fault> {
    let record = |id: &str| -> Record { vec![("officer_id", id.into())] };
    tx.insert("notice_marks", ids.map(record).collect(), "").await
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

/// What is too old to be sent stays as it is: whoever had to be told of it by hand was rung for then.
async fn look_again(tx: &mut Tx, column: &str, ids: Vec<String>, audience: Audience) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "update notice_requests set outcome = null, made_at = null, look_at = $1 \
         where outcome = 'no_address' and {column} {} and kind = $3 and at > $4",
        tx.among(2)
    );
    for kind in NoticeKind::ALL.iter().filter(|kind| kind.traits().audience == audience) {
        let oldest = tx.now.checked_sub(kind.expires_after()).unwrap_or(Timestamp::MIN);
        let values: Vec<Value> = vec![tx.now.into(), ids.clone().into(), kind.code().into(), oldest.into()];
        tx.execute(sql.clone(), values).await?;
    }
    Ok(())
}
