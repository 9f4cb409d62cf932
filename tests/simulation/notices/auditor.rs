//! What watches while it runs: every claim and every message on the wire is held against the rules, by what was asked for and by the
//! vendors' ledger; and nothing personal is told to anybody else.

use super::vendors::HandedIn;
use super::world::Sim;
use jiff::{SignedDuration, Timestamp};
use zhida_core::ids::PayoutKey;
use zhida_core::notice::{Attempt, Channel, LostPoint, Message, Notice, NoticeKind, Quiet, Repeat, possible_ids};
use zhida_core::payout::PayoutState;
use zhida_core::ports::notices::Errand;
use zhida_core::ports::sms::RefusalClass;
use zhida_tests::memory_store::Tables;

/// The notice of an attempt.
pub(super) fn notice_of<'a>(tables: &'a Tables, out_id: &str) -> Option<&'a Notice> {
    let has_it = |notice: &&Notice| attempt_of(notice, out_id).is_some();
    possible_ids(out_id).into_iter().filter_map(|id| tables.noticing.notices.get(id)).find(has_it)
}

/// The attempt, with its message.
pub(super) fn attempt_of<'a>(notice: &'a Notice, out_id: &str) -> Option<(&'a Message, &'a Attempt)> {
    let of = |message: &'a Message| message.attempts.iter().find(|one| one.out_id == out_id).map(|one| (message, one));
    notice.messages.iter().find_map(of)
}

/// What was taken, at the moment at which it was.
pub(super) fn watch_take(sim: &Sim, errands: &[Errand]) {
    let now = sim.now();
    let mut wrong = Vec::new();
    for errand in errands {
        let (provider, notice_id, out_id, to) = match errand {
            Errand::SendSms { provider, notice_id, sms, .. } => (provider, notice_id, &sms.out_id, &sms.to),
            Errand::SendMail { provider, notice_id, mail, .. } => (provider, notice_id, &mail.out_id, &mail.to),
            Errand::Ask { question, .. } => {
                sim.say(|| format!("{} is to be asked for", question.out_id));
                continue;
            }
        };
        let tables = sim.store.tables();
        let Some(notice) = tables.noticing.notices.get(notice_id) else { continue };
        if tables.noticing.switch.stopped.is_some() {
            wrong.push(format!("{out_id} is to be sent although sending is stopped"));
        }
        let expires_at = expiry(&tables, notice);
        if now >= expires_at {
            wrong.push(format!("{out_id} is to be sent, and its time was over at {expires_at}"));
        }
        if let Some(why) = has_passed(&tables, notice) {
            wrong.push(format!("{out_id} is to be sent, and what it tells is not so any more: {why:?}"));
        }
        let quiet = sim.rules.notices.quiet.and_then(|hours| hours.end(now, &sim.rules.zone));
        if quiet.is_some() && notice.kind.traits().quiet == Quiet::Waits {
            wrong.push(format!("{out_id} is to be sent in quiet hours"));
        }
        let (kind, template) = (notice.kind, notice.template_name());
        drop(tables);
        wrong.extend(count(sim, kind, provider, to, template));
        sim.say(|| format!("{out_id} ({}) is to be sent by {provider}", kind.code()));
    }
    wrong.into_iter().for_each(|what| sim.forbid(what));
}

/// When the point of a notice is lost, by what was asked for.
fn expiry(tables: &Tables, notice: &Notice) -> Timestamp {
    let is_of = |outcome: &Option<zhida_core::notice::making::Outcome>| {
        outcome
            .as_ref()
            .is_some_and(|one| *one == zhida_core::notice::making::Outcome::Made { notice_id: notice.id.clone() })
    };
    let asked = tables.noticing.asked.values().filter(|row| is_of(&row.outcome)).map(|row| row.at).max();
    asked.map_or(Timestamp::MAX, |at| at + notice.kind.expires_after())
}

/// Whether the one thing that a notice tells has passed; of several, all of them.
fn has_passed(tables: &Tables, notice: &Notice) -> Option<LostPoint> {
    let requests = tables.noticing.asked.iter().filter(|(_, row)| {
        row.outcome == Some(zhida_core::notice::making::Outcome::Made { notice_id: notice.id.clone() })
    });
    let mut last = None;
    for (request, _) in requests {
        let payout = |subject: &str| {
            let key = PayoutKey { application_id: request.application_id.clone(), tranche: 1 };
            (subject == request.application_id.as_str()).then(|| tables.payouts.get(&key)).flatten()
        };
        let payout = payout(&request.subject);
        let state = payout.map(zhida_core::payout::Payout::state);
        let told_of_hold = payout.is_some_and(|one| {
            one.state() == PayoutState::Held && one.holds.keys().any(|code| code.concerns_enterprise())
        });
        let alert = tables.cases.alerts.get(&request.subject);
        last = match (notice.kind, state) {
            (NoticeKind::PayoutReceived, Some(state)) if !state.is_live() || told_of_hold => {
                Some(LostPoint::PayoutMoved)
            }
            (NoticeKind::PayoutCredited, Some(state)) if state != PayoutState::Settled => Some(LostPoint::PayoutMoved),
            (NoticeKind::PayoutHeld, Some(state)) if state != PayoutState::Held => Some(LostPoint::PayoutMoved),
            (NoticeKind::PayoutReturned, Some(state)) if state != PayoutState::Returned => Some(LostPoint::PayoutMoved),
            (NoticeKind::ReviewOverdue, None) if alert.is_some_and(|one| one.cleared.is_some()) => {
                Some(LostPoint::AlertCleared)
            }
            (_, _) => return None,
        };
    }
    last
}

/// Ceilings and limits, counted over.
fn count(sim: &Sim, kind: NoticeKind, provider: &str, to: &str, template: String) -> Vec<String> {
    let (now, rules) = (sim.now(), &sim.rules.notices);
    let mut wrong = Vec::new();
    let minute = taken_this_minute(sim);
    if minute > rules.per_minute_max as usize {
        wrong.push(format!("{minute} were taken in one minute, and {} may be", rules.per_minute_max));
    }
    let mut world = sim.world();
    let limits = rules.provider(provider).map(|one| one.limits.clone()).unwrap_or_default();
    let moments = world.numbers.entry((provider.to_owned(), to.to_owned(), template)).or_default();
    moments.push(now);
    for limit in limits {
        let since = now - limit.window;
        let within = moments.iter().filter(|at| **at > since).count();
        if within > limit.count as usize {
            wrong.push(format!("{within} {} to one number by {provider}, and {limit:?}", kind.code()));
        }
    }
    wrong
}

/// On record as taken within the present minute, but for what was given back.
fn taken_this_minute(sim: &Sim) -> usize {
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let counts = |one: &&Attempt| {
        let wrong_code = one.refusal().is_some_and(|(class, _)| class == RefusalClass::Template);
        minute(one.began_at) == minute(sim.now()) && !one.not_made && !wrong_code
    };
    let tables = sim.store.tables();
    let messages = tables.noticing.notices.values().flat_map(|notice| &notice.messages);
    messages.flat_map(|message| &message.attempts).filter(counts).count()
}

/// A message goes to a vendor: under a claim in force, once, to whom it is meant for, and beside another one only on record.
pub(super) fn watch_call(sim: &Sim, message: &HandedIn) {
    let (now, out_id) = (sim.now(), &message.out_id);
    let mut wrong = Vec::new();
    let tables = sim.store.tables();
    let mut world = sim.world();
    if world.vendors.ledger.contains_key(out_id) {
        wrong.push(format!("{out_id} was handed in twice"));
    }
    match notice_of(&tables, out_id) {
        None => wrong.push(format!("{out_id} was handed in, and nothing is on record of it")),
        Some(notice) => {
            let (of, attempt) = attempt_of(notice, out_id).expect("it was found by it");
            if attempt.provider != message.provider || attempt.lease_until < now + super::vendors::TIMEOUT {
                wrong.push(format!("{out_id} was handed in without a claim whose lease covers the call"));
            }
            if world.district.address(&notice.recipient, of.channel).as_deref() != Some(message.to.as_str()) {
                wrong.push(format!("{out_id} went to {}, which is not {}", message.to, notice.recipient));
            }
            let others = of.attempts.iter().filter(|one| one.out_id != *out_id);
            let beside: Vec<&Attempt> = others
                .filter(|one| world.vendors.ledger.get(&one.out_id).is_some_and(|one| one.may_arrive()))
                .collect();
            match (beside.first(), sim.rules.notices.repeat(notice.kind)) {
                (None, _) => {}
                (Some(one), Repeat::Never) => wrong.push(format!("{out_id} is served beside {}", one.out_id)),
                (Some(one), Repeat::May) if !attempt.beside_doubt => {
                    wrong.push(format!("{out_id} goes beside {}, and nothing is on record of that", one.out_id));
                }
                (Some(_), Repeat::May) => drop(world.seen.insert("sent again beside doubt".to_owned())),
            }
            if of.told_again {
                wrong.push(format!("{out_id} goes though another notice tells it again"));
            }
            if beside.len() > 2 {
                wrong.push(format!("{out_id} is the fourth that may arrive"));
            }
            let channel = if of.channel == Channel::Sms { "SMS" } else { "mail" };
            world.seen.insert(format!("{channel} of {}", notice.kind.code()));
        }
    }
    drop((tables, world));
    wrong.into_iter().for_each(|what| sim.forbid(what));
}

/// What a transaction has left behind: no trace of an address, and no unlawful state.
pub(super) fn look(sim: &Sim) {
    let offences = std::mem::take(&mut sim.store.tables().offences);
    offences.into_iter().for_each(|one| sim.forbid(one));
}

/// How far ahead of the end of a lease a call may still end.
pub(super) const MARGIN: SignedDuration = SignedDuration::from_secs(2);
