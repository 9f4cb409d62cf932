//! Notices, what was written to whom, and receipts as rows. Messages with their attempts stand in JSON in the row of their notice;
//! what is searched for is derived from them into columns.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::{Channel, Notice, NoticeKind, NoticeRequest, WaitsFor};
use zhida_core::ports::notices::{Content, NoticeFilter};
use zhida_core::ports::sms::{Receipt, Trust};

/// Columns of a notice, for [`read`].
pub(super) const COLUMNS: &str =
    "id, kind, subject, recipient, application_id, covers, locale, template_version, created_at, expires_at, messages";

/// A new notice.
pub(super) fn created(one: &Notice) -> Record {
    let mut record = changed(one);
    record.extend([
        ("kind", one.kind.code().into()),
        ("subject", (&one.subject).into()),
        ("recipient", (&one.recipient).into()),
        ("application_id", one.application_id.as_str().into()),
        ("covers", one.covers.into()),
        ("locale", (&one.locale).into()),
        ("template_version", (&one.template_version).into()),
        ("created_at", one.created_at.into()),
        ("expires_at", one.expires_at.into()),
        ("priority", u32::from(one.kind.traits().priority).into()),
    ]);
    record
}

/// What changes of a notice; its id first.
pub(super) fn changed(one: &Notice) -> Record {
    vec![
        ("id", (&one.id).into()),
        ("messages", json(&one.messages).into()),
        ("state", one.state().code().into()),
        ("next_at", one.next_at().into()),
        ("waiting_since", one.waiting_since().into()),
        ("waits_for", one.waits_for().map(WaitsFor::code).into()),
    ]
}

/// Reads a notice; a fault names it.
pub(super) fn read(row: &Row) -> Result<Notice, Fault> {
    let id: String = row.get("id")?;
    let whole = || {
        Ok(Notice {
            id: id.clone(),
            kind: kind(row)?,
            subject: row.get("subject")?,
            recipient: row.get("recipient")?,
            application_id: ApplicationId(row.get("application_id")?),
            covers: row.unsigned("covers")?,
            locale: row.get("locale")?,
            template_version: row.get("template_version")?,
            created_at: row.time("created_at")?,
            expires_at: row.time("expires_at")?,
            messages: row.json("messages")?,
        })
    };
    whole().map_err(|fault: Fault| fault.at("notices", &id))
}

fn kind(row: &Row) -> Result<NoticeKind, Fault> {
    let kind: String = row.get("kind")?;
    NoticeKind::from_code(&kind).ok_or_else(|| Fault::corrupt("kind", &kind))
}

/// What could be read of some notices, and why the rest could not, by id.
#[derive(Default)]
pub(super) struct Read {
    pub(super) notices: Vec<Notice>,
    pub(super) unreadable: BTreeMap<String, Fault>,
}

/// Notices by id, locked; those that somebody else has are left out or waited for, as `lock` says.
pub(super) async fn locked(tx: &mut Tx, ids: Vec<String>, lock: Lock) -> Result<Read, Fault> {
    let mut found = Read::default();
    if ids.is_empty() {
        return Ok(found);
    }
    let sql = format!("select {COLUMNS} from notices where id {} order by id {}", tx.among(1), tx.locked(lock));
    for row in &tx.rows(sql, vec![ids.into()]).await? {
        match read(row) {
            Ok(notice) => found.notices.push(notice),
            Err(fault) => drop(found.unreadable.insert(row.get("id")?, fault)),
        }
    }
    Ok(found)
}

/// Which of the notices are due, by priority and then the longest due.
pub(super) async fn due(tx: &mut Tx, max: u32) -> Result<Vec<String>, Fault> {
    // Each priority on its own, so that those that wait for a receipt are not read on the way to the next one.
    let sql = "select id from notices where priority = $1 and next_at is not null and next_at <= $2 order by next_at, id limit $3";
    let mut ids = Vec::new();
    for priority in 0..PRIORITIES {
        let room = u64::from(max).saturating_sub(ids.len() as u64);
        if room == 0 {
            break;
        }
        let rows = tx.rows(sql, vec![i64::from(priority).into(), tx.now.into(), room.into()]).await?;
        for row in &rows {
            ids.push(row.get("id")?);
        }
    }
    Ok(ids)
}

/// Whether that one still is.
pub(super) async fn is_due(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let sql = "select id from notices where id = $1 and next_at is not null and next_at <= $2";
    let now = tx.now;
    Ok(!tx.rows(sql, vec![id.into(), now.into()]).await?.is_empty())
}

/// What waits for that is due now; whoever takes it decides whether it goes, or waits on.
pub(super) async fn look_again_at(tx: &mut Tx, what: WaitsFor) -> Result<(), Fault> {
    let sql = "update notices set next_at = $1 where next_at > $1 and waits_for = $2";
    let values: Vec<Value> = vec![tx.now.into(), what.code().into()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// How many priorities there are.
const PRIORITIES: u8 = 3;

/// Writes what was written to whom.
pub(super) async fn write_contents(tx: &mut Tx, contents: Vec<(&str, &Content)>) -> Result<(), Fault> {
    let record = |(notice_id, one): (&str, &Content)| -> Record {
        vec![
            ("notice_id", notice_id.into()),
            ("channel", one.channel.code().into()),
            ("address", (&one.to).into()),
            ("subject", one.subject.clone().into()),
            ("text", (&one.text).into()),
            ("html", one.html.clone().into()),
            ("parameters", json(&one.parameters).into()),
            ("template", one.template.clone().into()),
            ("providers", json(&one.providers).into()),
        ]
    };
    tx.insert("notice_contents", contents.into_iter().map(record).collect(), "").await
}

/// What was written, by notice; what cannot be read is told by notice.
pub(super) async fn contents(
    tx: &mut Tx,
    ids: Vec<String>,
) -> Result<(BTreeMap<String, Vec<Content>>, BTreeMap<String, Fault>), Fault> {
    let sql = format!(
        "select notice_id, channel, address, subject, text, html, parameters, template, providers \
         from notice_contents where notice_id {} order by notice_id, channel desc",
        tx.among(1)
    );
    let (mut found, mut unreadable): (BTreeMap<String, Vec<Content>>, BTreeMap<String, Fault>) = Default::default();
    for row in &tx.rows(sql, vec![ids.into()]).await? {
        let id: String = row.get("notice_id")?;
        match content(row) {
            Ok(content) => found.entry(id).or_default().push(content),
            Err(fault) => drop(unreadable.insert(id.clone(), fault.at("notice_contents", &id))),
        }
    }
    Ok((found, unreadable))
}

fn content(row: &Row) -> Result<Content, Fault> {
    let channel: String = row.get("channel")?;
    Ok(Content {
        channel: Channel::ALL
            .into_iter()
            .find(|one| one.code() == channel)
            .ok_or_else(|| Fault::corrupt("channel", &channel))?,
        to: row.get("address")?,
        subject: row.get("subject")?,
        text: row.get("text")?,
        html: row.get("html")?,
        parameters: row.json("parameters")?,
        template: row.get("template")?,
        providers: row.json("providers")?,
    })
}

/// What notices answer, by notice, in the order of their requests.
pub(super) async fn requests(tx: &mut Tx, ids: Vec<String>) -> Result<BTreeMap<String, Vec<NoticeRequest>>, Fault> {
    let sql = format!(
        "select notice_id, kind, subject, recipient, occasion, application_id from notice_requests where notice_id {} \
         order by notice_id, at, subject, occasion",
        tx.among(1)
    );
    let mut found: BTreeMap<String, Vec<NoticeRequest>> = BTreeMap::new();
    for row in &tx.rows(sql, vec![ids.into()]).await? {
        found.entry(row.get("notice_id")?).or_default().push(request(row)?);
    }
    Ok(found)
}

/// Reads a request.
pub(super) fn request(row: &Row) -> Result<NoticeRequest, Fault> {
    Ok(NoticeRequest {
        kind: kind(row)?,
        subject: row.get("subject")?,
        recipient: row.get("recipient")?,
        occasion: row.get("occasion")?,
        application_id: ApplicationId(row.get("application_id")?),
    })
}

/// A page of notices, newest first.
pub(super) async fn listed(tx: &mut Tx, filter: &NoticeFilter) -> Result<Vec<Notice>, Fault> {
    let limit = if filter.limit == 0 { DEFAULT_PAGE } else { filter.limit };
    let mut values: Vec<Value> = vec![limit.into()];
    let mut conditions: Vec<String> = Vec::new();
    let wanted = [
        // One that covers several stands with each of them.
        ("id in (select notice_id from notice_requests where application_id =", ")", filter.application_id.clone()),
        ("kind =", "", filter.kind.map(|kind| kind.code().to_owned())),
        ("state =", "", filter.state.map(|state| state.code().to_owned())),
        ("recipient =", "", filter.recipient.clone()),
    ];
    for (before, after, value) in wanted {
        if let Some(value) = value {
            values.push(value.into());
            conditions.push(format!("{before} ${}{after}", values.len()));
        }
    }
    if filter.asked_from.is_some() || filter.asked_before.is_some() {
        conditions.push(asked_within(filter, &mut values));
    }
    let whole = if conditions.is_empty() { String::new() } else { format!("where {}", conditions.join(" and ")) };
    let sql = format!("select {COLUMNS} from notices {whole} order by created_at desc, id desc limit $1");
    let mut notices = Vec::new();
    for row in &tx.rows(sql, values).await? {
        match read(row) {
            Ok(notice) => notices.push(notice),
            Err(Fault::Corrupt { place, .. }) => {
                tracing::error!(place, "a notice that cannot be read is left out of a list");
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(notices)
}

/// The condition that one of its requests is of the time that is wanted. Requests are found by their notices, and these by when they were
/// made: not before they were asked for, nor after their time was over, give or take a clock that was set right in between.
fn asked_within(filter: &NoticeFilter, values: &mut Vec<Value>) -> String {
    let from = filter.asked_from.unwrap_or(Timestamp::MIN);
    let before = filter.asked_before.unwrap_or(Timestamp::MAX);
    let made_from = from.checked_sub(CLOCK_SET_RIGHT).unwrap_or(Timestamp::MIN);
    let made_before = before.checked_add(NoticeKind::longest_expiry() + CLOCK_SET_RIGHT).unwrap_or(Timestamp::MAX);
    let n = values.len();
    values.extend([from.into(), before.into(), made_from.into(), made_before.into()]);
    format!(
        "created_at >= ${} and created_at < ${} and exists (select 1 from notice_requests \
         where notice_id = notices.id and at >= ${} and at < ${})",
        n + 3,
        n + 4,
        n + 1,
        n + 2
    )
}

/// How far a clock may have been off.
const CLOCK_SET_RIGHT: SignedDuration = SignedDuration::from_hours(24);

const DEFAULT_PAGE: u32 = 100;

/// Receipts of a notice in the order in which they came.
pub(super) async fn receipts(tx: &mut Tx, id: &str) -> Result<Vec<(Timestamp, String, Receipt, Trust)>, Fault> {
    let sql = "select at, provider, trust, out_id, provider_id, address, word from notice_receipts where notice_id = $1 \
        order by at, digest";
    let read = |row: &Row| Ok((row.time("at")?, row.get("provider")?, receipt(row)?, trust(row)?));
    tx.rows(sql, vec![id.into()]).await?.iter().map(read).collect()
}

/// Reads a receipt.
pub(super) fn receipt(row: &Row) -> Result<Receipt, Fault> {
    Ok(Receipt {
        out_id: row.get("out_id")?,
        provider_id: row.get("provider_id")?,
        to: row.get("address")?,
        word: row.json("word")?,
    })
}

/// Reads whether a receipt was signed.
pub(super) fn trust(row: &Row) -> Result<Trust, Fault> {
    let trust: String = row.get("trust")?;
    match trust.as_str() {
        SIGNED => Ok(Trust::Signed),
        HINT => Ok(Trust::Hint),
        _ => Err(Fault::corrupt("notice_receipts.trust", &trust)),
    }
}

/// Names of how far a receipt is trusted.
pub(super) const SIGNED: &str = "signed";
pub(super) const HINT: &str = "hint";
