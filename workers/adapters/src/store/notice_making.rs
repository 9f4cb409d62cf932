//! Making notices of requests: what they are about and how their recipients are reached is loaded, the core writes them, and what
//! became of each request goes on record. One transaction at a time does so, so that what gathers for one recipient becomes one.

use super::cases::Circumstances;
use super::fault::Fault;
use super::link::{MAKING_NOTICES, TAKING_NOTICES, Tx};
use super::notice_addressees::addressees;
use super::notice_requests::Waiting;
use super::notice_taking::Subjects;
use super::notice_templates::InForce;
use super::value::Row;
use super::{
    SqlStore, cases, judging, notice_marks, notice_requests, notice_rows, notice_surroundings, notice_templates,
    order_rows, organisation, patterns, transact,
};
use data_encoding::BASE32HEX_NOPAD;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tracing::error;
use uuid::Uuid;
use zhida_core::digest::Digest;
use zhida_core::ids::{ApplicationId, OrderId, PolicyId};
use zhida_core::notice::making::{Asked, Made, Making, Subject, make};
use zhida_core::notice::template::TemplateSet;
use zhida_core::notice::{About, Audience, Notice, NoticeKind, NoticeRequest};
use zhida_core::ports::notices::Errand;
use zhida_core::ports::store::StoreError;
use zhida_core::supervision::{Alert, District};

/// What every notice is made with, as of one moment.
pub(super) struct By {
    pub(super) circumstances: Circumstances,
    /// When the addresses of officials were last told.
    pub(super) officials_told_at: Option<Timestamp>,
    templates: Arc<TemplateSet>,
    marks: Marks,
    /// Whom a try of a channel goes to.
    pub(super) trial: Option<String>,
    /// Newer sets that cannot be read, where that is to ring.
    unreadable: Vec<String>,
}

/// Whether there are any of whose addresses came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Some,
    None,
}

/// What one transaction did.
#[derive(Default)]
struct Dealt {
    /// So many requests were looked at.
    seen: usize,
    /// Of those, so many are dealt with.
    done: u32,
}

impl SqlStore {
    /// Makes notices, until some request was dealt with or none is left whose time has come.
    pub(super) async fn make_due_notices(&self, max: u32) -> Result<u32, StoreError> {
        loop {
            // Read apart and as of one moment: what is wrong here is no request's fault.
            let Some(by) = transact!(self, Reading, |tx| self.made_by(&mut tx))? else { return Ok(0) };
            if !by.unreadable.is_empty() {
                transact!(self, WritingByKeys, |tx| notice_templates::ring(&mut tx, &by.unreadable))?;
            }
            // Apart: a row that is in the way of what they bring back would keep them for ever.
            let marks = match by.marks {
                Marks::Some => transact!(self, WritingByKeys, |tx| take_up_marks(&mut tx))?,
                Marks::None => 0,
            };
            let dealt = match transact!(self, WritingByKeys, |tx| self.make_due(&mut tx, &by, max)) {
                Err(error) if error.is_of_a_row() => self.make_one_by_one(&by, max).await?,
                dealt => dealt?,
            };
            if dealt.done > 0 || dealt.seen + marks == 0 {
                return Ok(dealt.done);
            }
        }
    }

    /// Asks for a notice, makes it and takes it, alone and in one transaction, so that nobody else does so in between.
    pub(super) async fn ask_make_and_take(&self, request: &NoticeRequest, to: &str) -> Result<Vec<Errand>, StoreError> {
        let by = By { trial: Some(to.to_owned()), ..transact!(self, Reading, |tx| self.by(&mut tx))? };
        transact!(self, WritingByKeys, |tx| self.ask_make_and_take_within(&mut tx, &by, request))
    }

    async fn ask_make_and_take_within(
        &self,
        tx: &mut Tx,
        by: &By,
        request: &NoticeRequest,
    ) -> Result<Vec<Errand>, Fault> {
        notice_requests::ask(tx, std::slice::from_ref(request), &self.protocol.rules.notices).await?;
        tx.lock_turn(MAKING_NOTICES).await?;
        let waiting = notice_requests::one_waiting(tx, request).await?;
        self.make_of(tx, by, waiting).await?;
        tx.lock_turn(TAKING_NOTICES).await?;
        let made = notice_requests::made_of(tx, request).await?;
        Ok(self.take(tx, made.into_iter().collect()).await?.errands)
    }

    /// None when no request waits.
    async fn made_by(&self, tx: &mut Tx) -> Result<Option<By>, Fault> {
        let marks = if notice_marks::is_any(tx).await? { Marks::Some } else { Marks::None };
        if marks == Marks::None && !notice_requests::is_any_due(tx).await? {
            return Ok(None);
        }
        Ok(Some(By { marks, ..self.by(tx).await? }))
    }

    pub(super) async fn by(&self, tx: &mut Tx) -> Result<By, Fault> {
        let InForce { set, unreadable } = notice_templates::in_force(tx, &self.templates).await?;
        let officials_told_at = organisation::imported_at(tx).await?;
        let circumstances = self.circumstances(tx).await?;
        Ok(By { circumstances, officials_told_at, templates: set, marks: Marks::None, trial: None, unreadable })
    }

    async fn make_due(&self, tx: &mut Tx, by: &By, max: u32) -> Result<Dealt, Fault> {
        tx.lock_turn(MAKING_NOTICES).await?;
        let found = notice_requests::waiting(tx, max).await?;
        let unreadable = found.unreadable.len();
        for (key, place) in found.unreadable {
            notice_requests::set_unreadable_aside(tx, key, &place).await?;
        }
        let dealt = self.make_of(tx, by, found.waiting).await?;
        Ok(Dealt { seen: dealt.seen + unreadable, done: dealt.done + count(unreadable) })
    }

    /// A row that one of them needs is in the way: the others are made without it, and it is set aside.
    async fn make_one_by_one(&self, by: &By, max: u32) -> Result<Dealt, StoreError> {
        let found = transact!(self, Reading, |tx| notice_requests::waiting(&mut tx, max))?;
        let mut dealt = Dealt { seen: found.len(), done: 0 };
        for (key, place) in found.unreadable {
            let key = &key;
            transact!(self, WritingByKeys, |tx| notice_requests::set_unreadable_aside(&mut tx, key.clone(), &place))?;
            dealt.done += 1;
        }
        for (request, _) in found.waiting {
            match transact!(self, WritingByKeys, |tx| self.make_one(&mut tx, by, &request)) {
                Ok(one) => dealt.done += one.done,
                Err(error) if error.is_of_a_row() => {
                    error!(kind = request.kind.code(), subject = request.subject, %error, "a notice cannot be made");
                    let why = "the database refuses to read or to change what it needs";
                    transact!(self, WritingByKeys, |tx| notice_requests::set_aside(&mut tx, &request, why))?;
                    dealt.done += 1;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(dealt)
    }

    async fn make_one(&self, tx: &mut Tx, by: &By, request: &NoticeRequest) -> Result<Dealt, Fault> {
        tx.lock_turn(MAKING_NOTICES).await?;
        let waiting = notice_requests::one_waiting(tx, request).await?;
        self.make_of(tx, by, waiting).await
    }

    async fn make_of(&self, tx: &mut Tx, by: &By, waiting: Vec<Waiting>) -> Result<Dealt, Fault> {
        if waiting.is_empty() {
            return Ok(Dealt::default());
        }
        // Their addresses stand in what was read before: it is read anew where somebody has imported since, for that import's marks may
        // be taken up already.
        let official = |(one, _): &Waiting| one.kind.traits().audience == Audience::Official;
        if waiting.iter().any(official) && cases::version(tx).await? != by.circumstances.version {
            return Ok(Dealt { seen: waiting.len(), done: 0 });
        }
        let asked = self.load_asked(tx, by, &waiting).await?;
        let rules = &self.protocol.rules;
        let Circumstances { organisation, time, .. } = &by.circumstances;
        let making = Making {
            rules: &rules.notices,
            templates: &by.templates,
            rail: rules.large_value.as_ref(),
            district: District { rules: &rules.supervision, organisation, time, now: tx.now },
        };
        let made = make(asked, making, &mut new_id);
        let dealt = Dealt { seen: waiting.len(), done: dealt_with(&made) };
        self.write_made(tx, &waiting, made).await?;
        Ok(dealt)
    }

    async fn write_made(&self, tx: &mut Tx, waiting: &[Waiting], made: Made) -> Result<(), Fault> {
        let notices: Vec<Notice> = made.notices.iter().map(|one| one.notice.clone()).collect();
        tx.insert("notices", notices.iter().map(notice_rows::created).collect(), "").await?;
        let contents =
            made.notices.iter().flat_map(|one| one.contents.iter().map(|what| (one.notice.id.as_str(), what)));
        notice_rows::write_contents(tx, contents.collect()).await?;
        notice_requests::dealt_with(tx, &made.outcomes).await?;
        for (request, why) in &made.troubles {
            notice_requests::set_aside(tx, request, why).await?;
        }
        if let Some(until) = made.waits_until {
            let dealt: BTreeSet<&NoticeRequest> = made
                .outcomes
                .iter()
                .map(|(request, _)| request)
                .chain(made.troubles.iter().map(|(request, _)| request))
                .collect();
            let rest = waiting.iter().map(|(request, _)| request).filter(|request| !dealt.contains(request));
            notice_requests::wait(tx, &rest.cloned().collect::<Vec<_>>(), until).await?;
        }
        if !made.effects.addresses.is_empty() {
            let written = made.notices.iter().map(|one| (one.notice.id.clone(), one.contents.clone())).collect();
            let seal = patterns::seal(tx).await?;
            notice_surroundings::write_addresses(tx, &made.effects.addresses, &written, &seal).await?;
        }
        self.write_effects(tx, made.effects).await
    }

    async fn load_asked(&self, tx: &mut Tx, by: &By, waiting: &[Waiting]) -> Result<Vec<Asked>, Fault> {
        let matters = Matters::load(tx, waiting.iter().map(|(request, _)| request)).await?;
        let addressees = addressees(tx, by, waiting.iter().map(|(request, _)| request)).await?;
        let asked = waiting.iter().zip(addressees).map(|((request, asked_at), addressee)| Asked {
            subject: matters.subject(request),
            request: request.clone(),
            asked_at: *asked_at,
            addressee,
        });
        Ok(asked.collect())
    }
}

async fn take_up_marks(tx: &mut Tx) -> Result<usize, Fault> {
    tx.lock_turn(MAKING_NOTICES).await?;
    notice_marks::take_up(tx).await
}

fn dealt_with(made: &Made) -> u32 {
    count(made.outcomes.len() + made.troubles.len())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Random, in the order of time: 26 characters.
fn new_id() -> String {
    BASE32HEX_NOPAD.encode(Uuid::now_v7().as_bytes()).to_ascii_lowercase()
}

/// What requests are about, with everything that their words say of it.
struct Matters {
    subjects: Subjects,
    digests: BTreeMap<String, Digest>,
    /// The policies of applications, by alerts.
    policies_of: BTreeMap<ApplicationId, PolicyId>,
    titles: BTreeMap<PolicyId, String>,
}

impl Matters {
    async fn load(tx: &mut Tx, requests: impl Iterator<Item = &NoticeRequest> + Clone) -> Result<Self, Fault> {
        let mut subjects = Subjects::load(tx, requests.clone()).await?;
        // An alert about the answer to an order: how much is said depends on whose the order is.
        let answered: Vec<OrderId> = subjects.alerts.values().filter_map(Alert::order_id).collect();
        let orders = order_rows::orders_named(tx, answered).await?;
        subjects.orders.extend(orders.into_iter().map(|order| (order.id, order)));
        let of_alerts: BTreeSet<String> =
            subjects.alerts.values().map(|alert| alert.application_id.0.clone()).collect();
        let policies_of = policies_of(tx, of_alerts).await?;
        let mut policies: BTreeSet<String> = policies_of.values().map(|id| id.0.clone()).collect();
        policies.extend(subjects.payouts.values().map(|payout| payout.policy_id.0.clone()));
        let titles = judging::policies(tx, policies).await?.into_iter().map(|(id, policy)| (id, policy.title));
        let digests = requests.filter_map(|request| match About::of(request.kind, &request.subject) {
            About::Digest(id) => Some(id),
            About::Payout(_) | About::Alert(_) | About::Order(_) | About::Case(_) | About::Nothing => None,
        });
        let digests = digests_named(tx, digests.collect()).await?;
        Ok(Self { digests, policies_of, titles: titles.collect(), subjects })
    }

    fn subject(&self, request: &NoticeRequest) -> Subject {
        let found = match About::of(request.kind, &request.subject) {
            About::Payout(key) => self.subjects.payouts.get(&key).map(|payout| Subject::Payout {
                policy_title: self.titles.get(&payout.policy_id).cloned(),
                payout: Box::new(payout.clone()),
            }),
            About::Alert(id) => self.subjects.alerts.get(&id).map(|alert| self.alert(alert)),
            About::Order(id) => self.subjects.orders.get(&id).map(|order| Subject::Order(Box::new(order.clone()))),
            About::Digest(id) => self.digests.get(&id).map(|digest| Subject::Digest(Box::new(digest.clone()))),
            // Cases of dishonesty are kept nowhere yet.
            About::Case(_) => None,
            About::Nothing => (request.kind == NoticeKind::Test).then_some(Subject::Nothing),
        };
        found.unwrap_or(Subject::Gone)
    }

    fn alert(&self, alert: &Alert) -> Subject {
        let policy = self.policies_of.get(&alert.application_id);
        let order = alert.order_id().and_then(|id| self.subjects.orders.get(&id));
        Subject::Alert {
            policy: policy.map(|id| (id.clone(), self.titles.get(id).cloned())),
            order: order.map(|order| Box::new(order.clone())),
            alert: Box::new(alert.clone()),
        }
    }
}

async fn policies_of(tx: &mut Tx, applications: BTreeSet<String>) -> Result<BTreeMap<ApplicationId, PolicyId>, Fault> {
    if applications.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<String> = applications.into_iter().collect();
    let sql = format!(
        "select application_id, policy_id from case_files where policy_id is not null and application_id {}",
        tx.among(1)
    );
    let read = |row: &Row| Ok((ApplicationId(row.get("application_id")?), PolicyId(row.get("policy_id")?)));
    tx.rows(sql, vec![list.into()]).await?.iter().map(read).collect()
}

async fn digests_named(tx: &mut Tx, ids: BTreeSet<String>) -> Result<BTreeMap<String, Digest>, Fault> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<String> = ids.into_iter().collect();
    let sql = format!("select id, body from digests where id {}", tx.among(1));
    let read = |row: &Row| {
        let id: String = row.get("id")?;
        let digest = row.json("body").map_err(|fault| fault.at("digests", &id))?;
        Ok((id, digest))
    };
    tx.rows(sql, vec![list.into()]).await?.iter().map(read).collect()
}
