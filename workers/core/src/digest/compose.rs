//! From what the store knows to a digest: sorted, counted, aged. Pure.

use super::{Breach, Breaches, CalendarState, Digest, Holder, Kept, PayoutRecord, Total};
use super::{OrderLine, Orders, Patterns, Policies, PolicyLine};
use crate::calendars;
use crate::case_file::ClockKind;
use crate::ids::{DepartmentId, OfficerId};
use crate::money::Fen;
use crate::patterns::{Health, HealthWord, PatternState, Rule};
use crate::payout::{PayoutState, RejectionClass};
use crate::supervision::{Alert, Audience, District, Level, Order, OrderState};
use crate::working_time::WorkingTime;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The days that a digest reports on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When the digest before was made.
    pub since: Option<Timestamp>,
    /// The first day whose payouts are reported: that of the digest before, for it reported until the day before.
    pub first: Date,
    /// The last: yesterday. It lies before the first where a digest was made today already.
    pub last: Date,
    /// When the first day begins.
    pub begins: Timestamp,
    /// When the last day is over.
    pub ends: Timestamp,
}

impl Period {
    /// The days since the digest before; yesterday, where it is the first. The periods of all digests neither overlap nor leave a
    /// gap, and a payout belongs to the one in which its 24 hours were over and it had come in: so each counts once.
    #[must_use]
    pub fn of(since: Option<Timestamp>, time: &WorkingTime, now: Timestamp) -> Self {
        let today = time.day_of(now);
        let last = today.yesterday().unwrap_or(Date::MIN);
        let first = since.map_or(last, |since| time.day_of(since).min(today));
        Self { since, first, last, begins: time.midnight(first), ends: time.midnight(today) }
    }
}

/// What the store knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Open alerts and orders whose rows cannot be read, and which are in none of the lists.
    pub unreadable: u64,
    /// Open alerts beyond yellow, the oldest deadline first.
    pub alerts: Vec<Alert>,
    /// What the digest before said is overdue; none where there is none, or it cannot be read.
    pub before: Option<Breaches>,
    /// Such alerts that were cleared since the digest before.
    pub ended: u64,
    /// Open clocks past their deadline of which no red alert tells yet.
    pub unrung: u64,
    /// Acceptances and steps that run, by whom they wait for.
    pub held: Vec<Held>,
    /// Payouts whose 24 hours were over, and that had come in, in the period: both, since then and not before.
    pub payouts: Vec<CountedPayouts>,
    /// Approved, and come in, in the period: both, since then and not before. By currency.
    pub approved: Vec<(String, Total)>,
    /// Running deadlines that are provisional: how many, and from the first start to the last deadline.
    pub provisional: calendars::Provisional,
    /// Supervision orders that are not closed.
    pub orders: Vec<Order>,
    /// Patterns and the health of policies; none before they were first looked for.
    pub patterns: Option<PatternFacts>,
}

/// What the last look for patterns left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternFacts {
    /// When it ended.
    pub finished_at: Timestamp,
    /// Patterns by rule and state, counted.
    pub counts: Vec<(Rule, PatternState, u64)>,
    /// How every policy fares.
    pub health: Vec<Health>,
}

/// Acceptances and steps that run and wait for one officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The department.
    pub department_id: Option<DepartmentId>,
    /// The officer.
    pub officer_id: Option<OfficerId>,
    /// How many.
    pub open: u64,
    /// Of these, due soon.
    pub due_soon: u64,
    /// Of these, overdue.
    pub overdue: u64,
    /// When the oldest began.
    pub oldest_started_at: Timestamp,
}

/// Payouts that stand alike, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedPayouts {
    /// Currency.
    pub currency: String,
    /// State.
    pub state: PayoutState,
    /// The code of its reason.
    pub reason_code: Option<String>,
    /// Credited within the 24 hours; none while it is not credited.
    pub in_time: Option<bool>,
    /// How many and how much.
    pub total: Total,
}

/// Makes the digest that is due at `scheduled_at`.
#[must_use]
pub fn compose(facts: Facts, period: Period, scheduled_at: Timestamp, district: District<'_>) -> Digest {
    let District { time, now, .. } = district;
    let today = time.day_of(now);
    Digest {
        id: Digest::id_of(scheduled_at, &time.zone),
        scheduled_at,
        made_at: now,
        since: period.since,
        unreadable: facts.unreadable,
        calendar: CalendarState {
            version: time.calendar.version().to_owned(),
            missing_years: calendars::missing_years(time, today, facts.provisional),
            provisional_deadlines: facts.provisional.count,
            day_is_assumed: time.day_type(time.day_of(scheduled_at)).is_assumed(),
        },
        breaches: breaches(&facts, period.since, time, now),
        holders: holders(facts.held, time, now),
        payouts: record(&facts.payouts, &facts.approved, period),
        orders: orders(&facts.orders, district),
        patterns: facts.patterns.as_ref().map(patterns),
        policies: facts.patterns.map(|facts| policies(facts.health)),
    }
}

fn breaches(facts: &Facts, since: Option<Timestamp>, time: &WorkingTime, now: Timestamp) -> Breaches {
    let reviews_and_payouts = facts.alerts.iter().filter(|alert| alert.kind != ClockKind::Order);
    let all = reviews_and_payouts
        .map(|alert| Breach { new: is_new(alert, since, facts.before.as_ref()), ..breach(alert, time, now) });
    let mut breaches = Breaches { ended: facts.ended, unrung: facts.unrung, ..Breaches::default() };
    for one in all {
        breaches.open += 1;
        breaches.new += u64::from(one.new);
        if breaches.listed.len() < Breaches::LISTED_MAX {
            breaches.listed.push(one);
        }
    }
    breaches
}

/// The digest before does not name it: by its list as far as that goes, for an alert may be written after a digest is made that was
/// begun before; beyond the list, by time.
fn is_new(alert: &Alert, since: Option<Timestamp>, before: Option<&Breaches>) -> bool {
    let Some(since) = since else { return true };
    let red = alert.raised.iter().find(|rung| rung.level != Level::DueSoon);
    let rung_since = red.is_some_and(|rung| rung.raised_at > since);
    before.map_or(rung_since, |before| {
        let whole = before.listed.len() as u64 == before.open;
        let within = whole || before.listed.last().is_some_and(|last| alert.deadline < last.deadline);
        before.listed.iter().all(|one| one.alert_id != alert.id) && (within || rung_since)
    })
}

fn breach(alert: &Alert, time: &WorkingTime, now: Timestamp) -> Breach {
    let late = match alert.kind {
        // Its 24 hours are natural ones, and so is its delay.
        ClockKind::Payout => minutes(now.duration_since(alert.deadline)),
        ClockKind::Acceptance
        | ClockKind::Step
        | ClockKind::Supplement
        | ClockKind::Review
        | ClockKind::Legal
        | ClockKind::Order => time.minutes_between(alert.deadline, now),
    };
    Breach {
        alert_id: alert.id.clone(),
        application_id: alert.application_id.clone(),
        clock: alert.clock.clone(),
        measures: alert.kind,
        department_id: alert.department_id.clone(),
        officer_id: alert.officer_id.clone(),
        deadline: alert.deadline,
        provisional: alert.is_provisional(&time.calendar, &time.zone),
        late_minutes: late,
        level: alert.level().to_string(),
        new: false,
        acknowledged_until: alert.acknowledged_at(now).map(|one| one.until),
    }
}

fn holders(held: Vec<Held>, time: &WorkingTime, now: Timestamp) -> Vec<Holder> {
    let holder = |one: Held| Holder {
        department_id: one.department_id,
        officer_id: one.officer_id,
        open: one.open,
        due_soon: one.due_soon,
        overdue: one.overdue,
        oldest_minutes: time.minutes_between(one.oldest_started_at, now),
    };
    let mut holders: Vec<Holder> = held.into_iter().map(holder).collect();
    let rank = |one: &Holder| std::cmp::Reverse((one.overdue, one.oldest_minutes));
    holders.sort_by(|one, other| {
        let names = |one: &Holder| (one.department_id.clone(), one.officer_id.clone());
        rank(one).cmp(&rank(other)).then_with(|| names(one).cmp(&names(other)))
    });
    holders
}

fn orders(open: &[Order], district: District<'_>) -> Orders {
    let mut orders = Orders { open: open.len() as u64, ..Orders::default() };
    for order in open {
        let due_at = order.due_at(district.time, &district.rules.counting);
        let overdue = order.state() == OrderState::Issued && due_at < district.now;
        orders.overdue += u64::from(overdue);
        match order.audience {
            Audience::Inspection => orders.for_inspection += 1,
            Audience::Supervision => orders.listed.push(OrderLine {
                id: order.id.to_string(),
                department_id: order.department_id.clone(),
                officer_id: order.addressee.clone(),
                due_at,
                state: order.state(),
                overdue,
            }),
        }
    }
    orders.listed.sort_by_key(|one| (one.due_at, one.id.clone()));
    orders
}

fn patterns(facts: &PatternFacts) -> Patterns {
    let (by_rule, for_inspection) = (BTreeMap::new(), BTreeMap::new());
    let mut patterns = Patterns { looked_for_at: facts.finished_at, by_rule, for_inspection };
    for (rule, state, count) in &facts.counts {
        let counts = match rule.audience() {
            Audience::Supervision => patterns.by_rule.entry(*rule).or_default(),
            Audience::Inspection => &mut patterns.for_inspection,
        };
        *counts.entry(*state).or_default() += count;
    }
    patterns
}

fn policies(health: Vec<Health>) -> Policies {
    let mut policies = Policies::default();
    for Health { policy_id, word, figures, .. } in health {
        *policies.by_word.entry(word).or_default() += 1;
        if word != HealthWord::Alive {
            policies.listed.push(PolicyLine { policy_id, word, figures });
        }
    }
    policies.listed.sort_by(|one, other| (one.word, &one.policy_id).cmp(&(other.word, &other.policy_id)));
    policies
}

fn minutes(length: SignedDuration) -> i64 {
    length.max(SignedDuration::ZERO).as_mins()
}

fn record(payouts: &[CountedPayouts], approved: &[(String, Total)], period: Period) -> PayoutRecord {
    let mut record = PayoutRecord { from: period.first, to: period.last, by_currency: BTreeMap::new() };
    for (currency, total) in approved {
        record.by_currency.entry(currency.clone()).or_default().approved.add(*total);
    }
    for one in payouts {
        let kept = record.by_currency.entry(one.currency.clone()).or_default();
        kept.ended.add(one.total);
        kept.place_of(one).add(one.total);
    }
    record
}

impl Kept {
    fn place_of(&mut self, one: &CountedPayouts) -> &mut Total {
        let code = one.reason_code.as_deref().and_then(|code| code.strip_prefix("refused_"));
        match (one.state, one.in_time) {
            (PayoutState::Settled, Some(true)) => &mut self.in_time,
            (PayoutState::Settled, Some(false) | None) => &mut self.late,
            (PayoutState::Held, _) => &mut self.held,
            (PayoutState::Cancelled | PayoutState::Returned, _) => &mut self.gone,
            (PayoutState::Refused, _) if code == Some(RejectionClass::Payee.code()) => &mut self.enterprise,
            (
                PayoutState::Ready
                | PayoutState::Sending
                | PayoutState::Unknown
                | PayoutState::Pending
                | PayoutState::Refused,
                _,
            ) => &mut self.open,
        }
    }
}

impl Total {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.fen = Fen(self.fen.0.saturating_add(other.fen.0));
    }
}
