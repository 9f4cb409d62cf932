//! Handing out what is due: notices are loaded with what their subjects have become, the core decides, and what is to be called is
//! claimed. One transaction at a time does so, so that ceilings and limits are exact with any number of workers.

use super::fault::Fault;
use super::link::{Lock, TAKING_NOTICES, Tx};
use super::notice_rows::Read;
use super::notice_templates::InForce;
use super::{
    SqlStore, alarms, case_rows, load, notice_rows, notice_surroundings, notice_templates, order_rows, patterns,
    transact,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;
use zhida_core::ids::{OrderId, PayoutKey};
use zhida_core::notice::health::all_are_well;
use zhida_core::notice::template::TemplateSet;
use zhida_core::notice::{
    About, Candidate, Desk, Effects, Notice, NoticeRequest, NoticeRules, NumberKey, Present, Standing, standing,
    unsubscribe_url, with_codes_in_force,
};
use zhida_core::patterns::Seal;
use zhida_core::payout::{Alarm, AlarmKind, Payout};
use zhida_core::ports::notices::{Content, Errand};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::Changes;
use zhida_core::supervision::{Alert, Order};

/// When a notice whose rows cannot be read or written is looked at again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

impl SqlStore {
    /// What is due, until something is to be called or nothing more is due.
    pub(super) async fn take_notices(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        loop {
            let taken = match transact!(self, WritingByKeys, |tx| self.take_due(&mut tx, max)) {
                Err(error) if error.is_of_a_row() => self.take_one_by_one(max).await?,
                taken => taken?,
            };
            // What somebody else has at the moment is taken later.
            if !taken.errands.is_empty() || taken.notices == 0 {
                return Ok(taken.errands);
            }
        }
    }

    async fn take_due(&self, tx: &mut Tx, max: u32) -> Result<Taken, Fault> {
        tx.lock_turn(TAKING_NOTICES).await?;
        let due = notice_rows::due(tx, max).await?;
        self.take(tx, due).await
    }

    /// A row of one of them is in the way: the others are taken without it, and it is set aside.
    async fn take_one_by_one(&self, max: u32) -> Result<Taken, StoreError> {
        let due = transact!(self, Reading, |tx| notice_rows::due(&mut tx, max))?;
        let mut taken = Taken::default();
        for id in &due {
            match self.take_alone(id).await {
                Ok(mut one) => {
                    taken.notices += one.notices;
                    taken.errands.append(&mut one.errands);
                }
                // What is claimed by now is carried out: left to its lease it would be in doubt.
                Err(error) if !taken.errands.is_empty() => {
                    error!(%error, "notices behind the first of them wait for the store");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
    }

    async fn take_alone(&self, id: &String) -> Result<Taken, StoreError> {
        match transact!(self, WritingByKeys, |tx| self.take_one(&mut tx, id)) {
            Err(error) if error.is_of_a_row() => {
                let one = BTreeMap::from([(id.clone(), "the database refuses to read or to change them".to_owned())]);
                error!(notice = id, %error, "a notice cannot be taken; it is tried again in an hour");
                transact!(self, WritingByKeys, |tx| set_aside(&mut tx, &one))?;
                Ok(Taken::default())
            }
            taken => taken,
        }
    }

    async fn take_one(&self, tx: &mut Tx, id: &str) -> Result<Taken, Fault> {
        tx.lock_turn(TAKING_NOTICES).await?;
        let still = notice_rows::is_due(tx, id).await?;
        self.take(tx, still.then(|| id.to_owned()).into_iter().collect()).await
    }

    pub(super) async fn take(&self, tx: &mut Tx, due: Vec<String>) -> Result<Taken, Fault> {
        if due.is_empty() {
            return Ok(Taken::default());
        }
        let rules = &self.protocol.rules.notices;
        let loaded = load_due(tx, &due).await?;
        let seal = patterns::seal(tx).await?;
        let InForce { set: templates, unreadable } = notice_templates::in_force(tx, &self.templates).await?;
        if !unreadable.is_empty() {
            notice_templates::ring(tx, &unreadable).await?;
        }
        let candidate = |notice: &Notice| loaded.candidate(notice.clone(), rules, &seal, &templates);
        let candidates: Vec<Candidate> = loaded.notices.iter().map(candidate).collect();
        let keys: BTreeSet<NumberKey> = candidates.iter().flat_map(|one| one.number_keys(rules)).collect();
        let switch = notice_surroundings::switch_to_send_by(tx).await?;
        let counters = notice_surroundings::counters(tx, keys).await?;
        let mut health = notice_surroundings::health(tx, rules, Lock::None).await?;
        if !all_are_well(&health, rules) {
            health = notice_surroundings::health(tx, rules, Lock::Wait).await?;
        }
        let mut desk = Desk::new(rules, tx.now, switch.clone(), health.clone(), counters.clone());
        let (notices, errands) = desk.take(candidates);
        tx.update("notices", 1, notices.iter().map(notice_rows::changed).collect()).await?;
        notice_surroundings::write_counters(tx, &counters, &desk.counters).await?;
        notice_surroundings::write_health(tx, &health, &desk.health).await?;
        if desk.switch != switch {
            notice_surroundings::write_switch(tx, &desk.switch).await?;
        }
        notice_surroundings::write_addresses(tx, &desk.effects.addresses, &loaded.contents, &seal).await?;
        self.write_effects(tx, desk.effects).await?;
        Ok(Taken { notices: notices.len() + loaded.aside, errands })
    }

    /// Journal, events for the world and alarms.
    pub(super) async fn write_effects(&self, tx: &mut Tx, effects: Effects) -> Result<(), Fault> {
        let Effects { journal, world, alarms, addresses: _ } = effects;
        self.write(tx, Changes { journal, world, alarms, ..Changes::default() }).await
    }
}

/// What one transaction took.
#[derive(Default)]
pub(super) struct Taken {
    /// So many notices.
    notices: usize,
    pub(super) errands: Vec<Errand>,
}

/// Notices that are due, with what is needed to decide about them.
struct LoadedNotices {
    notices: Vec<Notice>,
    contents: BTreeMap<String, Vec<Content>>,
    requests: BTreeMap<String, Vec<NoticeRequest>>,
    subjects: Subjects,
    /// So many could not be read.
    aside: usize,
}

/// What notices are about, as it is now.
#[derive(Default)]
pub(super) struct Subjects {
    pub(super) payouts: BTreeMap<PayoutKey, Payout>,
    pub(super) alerts: BTreeMap<String, Alert>,
    pub(super) orders: BTreeMap<OrderId, Order>,
}

impl Subjects {
    /// Loads what these requests are about; nothing of it is locked.
    pub(super) async fn load(tx: &mut Tx, requests: impl Iterator<Item = &NoticeRequest>) -> Result<Self, Fault> {
        let (mut payouts, mut alerts, mut orders) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for request in requests {
            match About::of(request.kind, &request.subject) {
                About::Payout(key) => drop(payouts.insert(key)),
                About::Alert(id) => drop(alerts.insert(id)),
                About::Order(id) => drop(orders.insert(id)),
                About::Digest(_) | About::Case(_) | About::Nothing => {}
            }
        }
        let payouts = load::payouts(tx, &payouts, Lock::None).await?;
        let alerts = case_rows::alerts_named(tx, alerts.into_iter().collect()).await?;
        let orders = order_rows::orders_named(tx, orders.into_iter().collect()).await?;
        Ok(Self {
            payouts: payouts.into_iter().map(|one| (one.key.clone(), one)).collect(),
            alerts: alerts.into_iter().map(|one| (one.id.clone(), one)).collect(),
            orders: orders.into_iter().map(|one| (one.id, one)).collect(),
        })
    }

    fn present(&self, request: &NoticeRequest) -> Present<'_> {
        let found = match About::of(request.kind, &request.subject) {
            About::Payout(key) => self.payouts.get(&key).map(Present::Payout),
            About::Alert(id) => self.alerts.get(&id).map(Present::Alert),
            About::Order(id) => self.orders.get(&id).map(Present::Order),
            About::Digest(_) | About::Case(_) | About::Nothing => None,
        };
        found.unwrap_or(Present::Nothing)
    }

    pub(super) fn standing(&self, requests: &[NoticeRequest]) -> Standing {
        standing(requests.iter().map(|request| (request, self.present(request))))
    }
}

impl LoadedNotices {
    fn candidate(&self, notice: Notice, rules: &NoticeRules, seal: &Seal, templates: &TemplateSet) -> Candidate {
        let contents = self.contents.get(&notice.id).cloned().unwrap_or_default();
        let contents = with_codes_in_force(&notice, contents, templates);
        let requests = self.requests.get(&notice.id).map_or(&[][..], Vec::as_slice);
        let fingerprint = |one: &Content| (one.channel, notice_surroundings::fingerprint(seal, one.channel, &one.to));
        Candidate {
            standing: self.subjects.standing(requests),
            fingerprints: contents.iter().map(fingerprint).collect(),
            unsubscribe: unsubscribe_url(&notice, rules, seal),
            contents,
            notice,
        }
    }
}

async fn load_due(tx: &mut Tx, due: &[String]) -> Result<LoadedNotices, Fault> {
    let Read { mut notices, unreadable } = notice_rows::locked(tx, due.to_vec(), Lock::Skip).await?;
    let ids: Vec<String> = notices.iter().map(|notice| notice.id.clone()).collect();
    let (contents, unreadable_contents) = notice_rows::contents(tx, ids.clone()).await?;
    let mut aside: BTreeMap<String, String> = BTreeMap::new();
    for (id, fault) in unreadable.into_iter().chain(unreadable_contents) {
        aside.insert(id, fault.place());
    }
    set_aside(tx, &aside).await?;
    notices.retain(|notice| !aside.contains_key(&notice.id));
    // In the order in which they are due: what there is room for goes to the first.
    let place: BTreeMap<&String, usize> = due.iter().enumerate().map(|(place, id)| (id, place)).collect();
    notices.sort_by_key(|notice| place.get(&notice.id).copied());
    let requests = notice_rows::requests(tx, ids).await?;
    let subjects = Subjects::load(tx, requests.values().flatten()).await?;
    Ok(LoadedNotices { notices, contents, requests, subjects, aside: aside.len() })
}

/// Leaves notices out for an hour, and rings for each: nothing is done with them meanwhile, and none of the others waits for them.
pub(super) async fn set_aside(tx: &mut Tx, notices: &BTreeMap<String, String>) -> Result<(), Fault> {
    let again = tx.now.checked_add(AGAIN_AFTER).unwrap_or(Timestamp::MAX);
    let mut rung = Vec::new();
    for (id, place) in notices {
        let sql = "update notices set next_at = $2 where id = $1";
        tx.execute(sql, vec![id.into(), again.into()]).await?;
        let text =
            format!("notice {id} is left out until its rows are mended, and looked at again every hour: {place}");
        rung.push(Alarm { kind: AlarmKind::RowUnusable, key: None, instruction_id: None, text });
    }
    alarms::ring(tx, &rung).await
}
