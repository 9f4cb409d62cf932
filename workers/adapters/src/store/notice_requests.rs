//! Requests for notices: written in the transaction in which the thing happens, with a doorbell, and dealt with once.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Record, Row, Value};
use super::{alarms, envelope, notice_rows};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use zhida_core::ids::PayoutKey;
use zhida_core::notice::making::Outcome;
use zhida_core::notice::{Grouping, Kin, Notice, NoticeKind, NoticeRequest, NoticeRules};
use zhida_core::payout::{Alarm, AlarmKind};
use zhida_core::ports::notices::RequestCounts;

/// When a request whose words could not be made is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Writes who is to be told what; what was asked for before is not asked for again. Whatever is new rings the notice workers once,
/// where there is somebody to send: a bell that nobody takes would fill the queue. Says how many are new.
pub(super) async fn ask(tx: &mut Tx, notices: &[NoticeRequest], rules: &NoticeRules) -> Result<u64, Fault> {
    let now = tx.now;
    let record = |one: &NoticeRequest| {
        let mut record = key(one);
        record.extend([
            ("application_id", one.application_id.as_str().into()),
            ("at", now.into()),
            ("look_at", now.into()),
        ]);
        record
    };
    let records = notices.iter().map(record).collect();
    let new = tx.insert_counted("notice_requests", records, "on conflict do nothing").await?;
    if new > 0 && !rules.providers.is_empty() {
        tx.insert("outbox", vec![envelope::notice_doorbell(now)], "").await?;
    }
    Ok(new)
}

fn key(one: &NoticeRequest) -> Record {
    vec![
        ("kind", one.kind.code().into()),
        ("subject", (&one.subject).into()),
        ("recipient", (&one.recipient).into()),
        ("occasion", (&one.occasion).into()),
    ]
}

const COLUMNS: &str = "kind, subject, recipient, occasion, application_id, at";

/// A request that waits, and when it was asked for.
pub(super) type Waiting = (NoticeRequest, Timestamp);

/// Requests whose time has come.
#[derive(Default)]
pub(super) struct Found {
    pub(super) waiting: Vec<Waiting>,
    /// Those that cannot be read: their keys as they stand there, and where.
    pub(super) unreadable: Vec<(Record, String)>,
}

impl Found {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.unreadable.len()
    }
}

/// Whether a request's time has come.
pub(super) async fn is_any_due(tx: &mut Tx) -> Result<bool, Fault> {
    let sql = "select look_at from notice_requests where outcome is null and look_at <= $1 order by look_at limit 1";
    let now = tx.now;
    Ok(!tx.rows(sql, vec![now.into()]).await?.is_empty())
}

/// Requests whose time has come, the longest waiting first, at most `max`; of a kind that is grouped with all that wait for the same
/// recipient.
pub(super) async fn waiting(tx: &mut Tx, max: u32) -> Result<Found, Fault> {
    let sql = format!(
        "select {COLUMNS} from notice_requests where outcome is null and look_at <= $1 \
         order by look_at, kind, subject, recipient, occasion limit $2"
    );
    let values: Vec<Value> = vec![tx.now.into(), max.into()];
    let due = read_all(tx.rows(sql, values).await?)?;
    let waiting = with_company(tx, due.waiting).await?;
    Ok(Found { waiting, ..due })
}

/// One request, if it still waits, alone.
pub(super) async fn one_waiting(tx: &mut Tx, request: &NoticeRequest) -> Result<Vec<Waiting>, Fault> {
    let sql = format!(
        "select {COLUMNS} from notice_requests where outcome is null and look_at <= $5 \
         and kind = $1 and subject = $2 and recipient = $3 and occasion = $4"
    );
    let mut values: Vec<Value> = key(request).into_iter().map(|(_, value)| value).collect();
    values.push(tx.now.into());
    Ok(read_all(tx.rows(sql, values).await?)?.waiting)
}

/// The notice that was made of a request, if one was.
pub(super) async fn made_of(tx: &mut Tx, request: &NoticeRequest) -> Result<Option<String>, Fault> {
    let sql =
        "select notice_id from notice_requests where kind = $1 and subject = $2 and recipient = $3 and occasion = $4";
    let values: Vec<Value> = key(request).into_iter().map(|(_, value)| value).collect();
    let rows = tx.rows(sql, values).await?;
    rows.first().map(|row| row.get("notice_id")).transpose().map(Option::flatten)
}

/// What became of a request, as it is written.
pub(super) enum Became {
    Nothing,
    Notice(String),
    NoNotice,
}

impl Became {
    pub(super) fn notice_id(&self) -> Option<&str> {
        match self {
            Self::Notice(id) => Some(id),
            Self::Nothing | Self::NoNotice => None,
        }
    }

    /// With the notice, out of those that were loaded.
    pub(super) fn kin(self, notices: &[Notice]) -> Kin {
        match self {
            Self::Nothing => Kin::Waits,
            Self::NoNotice => Kin::NotMade,
            Self::Notice(id) => {
                let notice = notices.iter().find(|one| one.id == id);
                notice.map_or(Kin::NotMade, |one| Kin::Made(Box::new(one.clone())))
            }
        }
    }
}

/// All requests of the kinds, subjects and recipients of these, and what became of each.
pub(super) async fn of_the_same(
    tx: &mut Tx,
    requests: &[NoticeRequest],
) -> Result<Vec<(NoticeRequest, Became)>, Fault> {
    let same: BTreeSet<_> = requests.iter().map(|one| (one.kind, &one.subject, &one.recipient)).collect();
    let sql = format!(
        "select {COLUMNS}, outcome, notice_id from notice_requests where kind = $1 and subject = $2 and recipient = $3"
    );
    let mut found = Vec::new();
    for (kind, subject, recipient) in same {
        let rows = tx.rows(sql.clone(), vec![kind.code().into(), subject.into(), recipient.into()]).await?;
        for row in &rows {
            let (outcome, notice_id): (Option<String>, Option<String>) = (row.get("outcome")?, row.get("notice_id")?);
            let became = match (outcome, notice_id) {
                (None, _) => Became::Nothing,
                (Some(_), Some(id)) => Became::Notice(id),
                (Some(_), None) => Became::NoNotice,
            };
            found.push((notice_rows::request(row)?, became));
        }
    }
    Ok(found)
}

async fn with_company(tx: &mut Tx, due: Vec<Waiting>) -> Result<Vec<Waiting>, Fault> {
    let (grouped, mut found): (Vec<Waiting>, Vec<Waiting>) =
        due.into_iter().partition(|(one, _)| one.kind.traits().grouping == Grouping::Together);
    let groups: BTreeSet<(NoticeKind, String)> =
        grouped.into_iter().map(|(one, _)| (one.kind, one.recipient)).collect();
    if groups.is_empty() {
        return Ok(found);
    }
    let (kinds, recipients): (Vec<String>, Vec<String>) =
        groups.into_iter().map(|(kind, recipient)| (kind.code().to_owned(), recipient)).unzip();
    let sql = format!(
        "select {COLUMNS} from notice_requests where outcome is null and (kind, recipient) {} \
         order by kind, recipient, at, subject, occasion",
        tx.pairs_among(1)
    );
    found.extend(read_all(tx.rows(sql, vec![kinds.into(), recipients.into()]).await?)?.waiting);
    Ok(found)
}

fn read_all(rows: Vec<Row>) -> Result<Found, Fault> {
    let mut found = Found::default();
    for row in &rows {
        match read(row) {
            Ok(waiting) => found.waiting.push(waiting),
            Err(fault) => {
                let text = |column| row.get::<String>(column).map(|text| (column, text.into()));
                let key =
                    ["kind", "subject", "recipient", "occasion"].map(text).into_iter().collect::<Result<_, _>>()?;
                found.unreadable.push((key, fault.place()));
            }
        }
    }
    Ok(found)
}

fn read(row: &Row) -> Result<Waiting, Fault> {
    Ok((notice_rows::request(row)?, row.time("at")?))
}

/// Counts all of them.
pub(super) async fn count(tx: &mut Tx) -> Result<RequestCounts, Fault> {
    let mut counts = RequestCounts::default();
    let sql = "select outcome, count(*) as count from notice_requests group by outcome";
    for row in tx.rows(sql, vec![]).await? {
        let (outcome, count): (Option<String>, u64) = (row.get("outcome")?, row.unsigned("count")?);
        match outcome {
            None => counts.waiting = count,
            Some(outcome) => {
                counts.by_outcome.insert(outcome, count);
            }
        }
    }
    Ok(counts)
}

/// Writes what became of requests.
pub(super) async fn dealt_with(tx: &mut Tx, outcomes: &[(NoticeRequest, Outcome)]) -> Result<(), Fault> {
    let now = tx.now;
    let record = |(request, outcome): &(NoticeRequest, Outcome)| {
        let notice_id = match outcome {
            Outcome::Made { notice_id } => Some(notice_id.clone()),
            Outcome::TurnedOff
            | Outcome::NoAddress
            | Outcome::LostItsPoint
            | Outcome::NotTold
            | Outcome::TooOld
            | Outcome::BeforeNotices => None,
        };
        let mut record = key(request);
        record.extend([("made_at", now.into()), ("outcome", outcome.code().into()), ("notice_id", notice_id.into())]);
        record
    };
    tx.update("notice_requests", 4, outcomes.iter().map(record).collect()).await
}

/// These wait for others.
pub(super) async fn wait(tx: &mut Tx, requests: &[NoticeRequest], until: Timestamp) -> Result<(), Fault> {
    let record = |request: &NoticeRequest| {
        let mut record = key(request);
        record.push(("look_at", until.into()));
        record
    };
    tx.update("notice_requests", 4, requests.iter().map(record).collect()).await
}

/// Leaves a request out for an hour, and rings.
pub(super) async fn set_aside(tx: &mut Tx, request: &NoticeRequest, why: &str) -> Result<(), Fault> {
    let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    wait(tx, std::slice::from_ref(request), again).await?;
    let (kind, subject, occasion) = (request.kind.code(), &request.subject, &request.occasion);
    let text =
        format!("no notice {kind} can be made about {subject} ({occasion}); it is tried again every hour: {why}");
    ring(tx, request.story(), text).await
}

/// As [`set_aside`], for a request that cannot be read: what stands in it is told to nobody.
pub(super) async fn set_unreadable_aside(tx: &mut Tx, key: Record, place: &str) -> Result<(), Fault> {
    let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    let record = key.into_iter().chain([("look_at", again.into())]).collect();
    tx.update("notice_requests", 4, vec![record]).await?;
    ring(tx, None, format!("a request for a notice cannot be read; it is tried again every hour: {place}")).await
}

async fn ring(tx: &mut Tx, key: Option<PayoutKey>, text: String) -> Result<(), Fault> {
    let alarm = Alarm { kind: AlarmKind::RowUnusable, key, instruction_id: None, text };
    alarms::ring(tx, &[alarm]).await
}
