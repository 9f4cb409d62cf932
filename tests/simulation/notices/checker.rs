//! What must stand at the end, by what was asked for and by the vendors' ledger: everything that was asked for is in one notice or has
//! its reason; every notice has come to its end, and says of it what is so; and the world was told of each step once, in order.

use super::auditor::{attempt_of, notice_of};
use super::planted::requests_by_notice;
use super::vendors::{Entry, Fate, Push};
use super::world::Sim;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::notice::making::Outcome;
use zhida_core::notice::{Course, Essential, Message, Notice, NoticeState, Repeat};
use zhida_core::payout::{AlarmKind, PayoutState};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::sms::{DeliveryWord, Trust};
use zhida_tests::memory_store::Tables;

/// Everything that is wrong.
pub(super) fn check(sim: &Sim) -> Vec<String> {
    let mut found = requests(sim);
    let seen = {
        let tables = sim.store.tables();
        let world = sim.world();
        let ledger = &world.vendors.ledger;
        for notice in tables.noticing.notices.values() {
            let of_notice =
                ends(notice).into_iter().chain(truth(sim, notice, ledger)).chain(alarms(sim, &tables, notice));
            found.extend(of_notice.map(|what| format!("{} ({}): {what}", notice.id, notice.kind.code())));
        }
        found.extend(world.vendors.booked.iter().filter_map(|push| believed(&tables, push)));
        found.extend(told(&tables));
        found.extend(personal(&tables));
        seen(&tables, ledger)
    };
    seen.iter().for_each(|what| sim.saw(what));
    found
}

/// Each request has its outcome, and each notice its requests.
fn requests(sim: &Sim) -> Vec<String> {
    let mut found = Vec::new();
    let made = requests_by_notice(sim);
    let tables = sim.store.tables();
    for request in &sim.world().asked {
        match tables.noticing.asked.get(request).map(|row| &row.outcome) {
            None => found.push(format!("{request:?} was forgotten")),
            Some(None) => found.push(format!("nobody has dealt with {request:?}")),
            Some(Some(_)) => {}
        }
    }
    for notice in tables.noticing.notices.values() {
        let of: Vec<_> = made.iter().filter(|(id, _)| *id == notice.id).map(|(_, request)| request).collect();
        let fits =
            |one: &&zhida_core::notice::NoticeRequest| one.kind == notice.kind && one.recipient == notice.recipient;
        if of.len() != notice.covers as usize || !of.iter().all(fits) {
            found.push(format!("{} says that it answers {}, and {} are in it", notice.id, notice.covers, of.len()));
        }
    }
    let credited = |id: &str| {
        let of = |one: &&zhida_core::notice::NoticeRequest| {
            one.kind == zhida_core::notice::NoticeKind::PayoutCredited && one.application_id.as_str() == id
        };
        tables.noticing.asked.keys().find(of).is_some()
    };
    let unasked = tables.payouts.values().filter(|one| one.state() == PayoutState::Settled);
    let unasked = unasked.filter(|one| !credited(one.key.application_id.as_str()));
    found.extend(unasked.map(|one| format!("{} is credited, and nobody is told", one.key)));
    found
}

/// It has come to its end, and nothing more will be done with it.
fn ends(notice: &Notice) -> Vec<String> {
    let mut found = Vec::new();
    let state = notice.state();
    if !state.is_over() && state != NoticeState::Sent {
        found.push(format!("it rests {state:?}"));
    }
    if let Some(at) = notice.next_at() {
        found.push(format!("it is looked at again at {at}"));
    }
    for message in &notice.messages {
        let lost = matches!(message.state(), Some(NoticeState::Failed | NoticeState::GaveUp | NoticeState::Expired));
        // A standby that was never needed has none of its own: the first message says why.
        let first = notice.messages.iter().find(|one| !one.standby);
        let reason = message.because.as_ref().or_else(|| first.and_then(|one| one.because.as_ref()));
        if lost && reason.is_none() {
            found.push(format!("no reason is on record why it is {:?}", message.state()));
        }
        if message.attempts.iter().any(|one| one.course() == Course::UnderWay) {
            found.push("a call has not ended".to_owned());
        }
    }
    found
}

/// What it says of itself against the ledger.
fn truth(sim: &Sim, notice: &Notice, ledger: &BTreeMap<String, Entry>) -> Vec<String> {
    let mut found = Vec::new();
    for message in &notice.messages {
        let entries: Vec<(&str, &Entry)> =
            message.attempts.iter().filter_map(|one| Some((one.out_id.as_str(), ledger.get(&one.out_id)?))).collect();
        let arrives = entries.iter().any(|(_, one)| one.fate == Fate::Arrives);
        let may: Vec<&str> = entries.iter().filter(|(_, one)| one.may_arrive()).map(|(id, _)| *id).collect();
        match message.state() {
            Some(NoticeState::Delivered) if !arrives => {
                found.push("it says that it was delivered, and no vendor does".to_owned());
            }
            Some(NoticeState::Sent) if may.is_empty() && !still_unknown(message, &entries) => {
                found.push("it says that it was sent, and no vendor has it".to_owned());
            }
            Some(NoticeState::Expired) if !may.is_empty() => {
                found.push(format!("it says that it was not sent, and {may:?} were"));
            }
            Some(_) | None => {}
        }
        let doubled = message.attempts.iter().filter(|one| one.beside_doubt && may.contains(&one.out_id.as_str()));
        let (doubled, served) = (doubled.count(), sim.rules.notices.repeat(notice.kind) == Repeat::Never);
        if may.len() > 1 && (served || doubled + 1 < may.len()) {
            found.push(format!("{may:?} may all arrive, and {doubled} are on record as sent beside another"));
        }
        let unknown = entries.iter().filter(|(id, _)| attempt_of(notice, id).is_none()).count();
        if unknown > 0 {
            found.push("a vendor has what was never sent".to_owned());
        }
    }
    found
}

/// What did not arrive, and nobody has told us so.
fn still_unknown(message: &Message, entries: &[(&str, &Entry)]) -> bool {
    let told = |id: &str| {
        message.attempts.iter().any(|one| {
            one.out_id == id
                && matches!(one.word, Some((DeliveryWord::Undelivered { .. } | DeliveryWord::Delivered { .. }, _)))
        })
    };
    entries.iter().any(|(id, _)| !told(id))
}

/// A true receipt that we have answered counts, whenever it came; one that is unsigned unless it was asked for in vain too often.
fn believed(tables: &Tables, push: &Push) -> Option<String> {
    let arrived = matches!(push.receipt.word, DeliveryWord::Delivered { .. });
    if !push.counts || !arrived {
        return None;
    }
    let notice = notice_of(tables, &push.receipt.out_id)?;
    let (_, attempt) = attempt_of(notice, &push.receipt.out_id)?;
    let in_vain = push.trust == Trust::Hint && attempt.hint.is_some() && attempt.hint_questions >= 8;
    let wrong = attempt.course() != Course::Arrived && !in_vain;
    wrong.then(|| format!("{}: a receipt says that it was delivered, and it is {:?}", attempt.out_id, attempt.course()))
}

/// What people have to see to has rung.
fn alarms(sim: &Sim, tables: &Tables, notice: &Notice) -> Vec<String> {
    let rang = |kind: AlarmKind| {
        let named = format!("notice {} ", notice.id);
        tables.alarms.iter().filter(|one| one.kind == kind && one.text.starts_with(&named)).count()
    };
    let mut found = Vec::new();
    let essential = notice.kind.traits().essential == Essential::Yes && !notice.kind.is_trial();
    // What another notice tells again was rung for before.
    let told_again = notice.messages.iter().any(|one| one.told_again);
    let lost = matches!(notice.state(), NoticeState::Failed | NoticeState::GaveUp) && !told_again;
    if essential && lost && rang(AlarmKind::NoticeFailed) == 0 {
        found.push("it is lost, and nobody was rung".to_owned());
    }
    let gave_up_in_doubt = |one: &Message| one.because.as_deref() == Some("in_doubt");
    // Whoever tries a channel looks at what came of it.
    let served = sim.rules.notices.repeat(notice.kind) == Repeat::Never && !notice.kind.is_trial();
    if served && notice.messages.iter().any(gave_up_in_doubt) && rang(AlarmKind::NoticeInDoubt) == 0 {
        found.push("nobody can say whether it was served, and nobody was rung".to_owned());
    }
    // Once for a message, and once for each attempt that an unsigned word calls lost.
    let attempts: usize = notice.messages.iter().map(|one| one.attempts.len()).sum();
    if rang(AlarmKind::NoticeInDoubt) > notice.messages.len() + attempts {
        found.push("it rings again and again".to_owned());
    }
    found
}

/// What the world was told of each message: each end once, and the last word is how it stands.
fn told(tables: &Tables) -> Vec<String> {
    let mut found = Vec::new();
    // By message: what was told, by its place among everything that was told of the subject.
    let mut words: BTreeMap<(String, String), BTreeMap<u64, String>> = BTreeMap::new();
    let mut sequences: BTreeSet<(String, u64)> = BTreeSet::new();
    for row in tables.outbox.values() {
        let Destination::World { event_type } = &row.destination else { continue };
        let body: Value = serde_json::from_slice(&row.body).expect("it is JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (subject, sequence) = (text(&body["subject"]), body["sequence"].as_u64().unwrap_or_default());
        if !sequences.insert((subject.clone(), sequence)) {
            found.push(format!("{subject} has told {sequence} twice"));
        }
        if event_type.starts_with("notice.") {
            let data = &body["data"];
            words
                .entry((text(&data["notice_id"]), text(&data["channel"])))
                .or_default()
                .insert(sequence, event_type.clone());
        }
    }
    for notice in tables.noticing.notices.values() {
        for message in &notice.messages {
            let key = (notice.id.clone(), message.channel.code().to_owned());
            let told: Vec<String> = words.remove(&key).unwrap_or_default().into_values().collect();
            found.extend(story(message, &told).map(|what| format!("{key:?} told {told:?}: {what}")));
        }
    }
    found.extend(words.into_keys().map(|key| format!("the world was told of {key:?}, which is not")));
    found
}

fn story(message: &Message, told: &[String]) -> Option<&'static str> {
    let count = |name: &str| told.iter().filter(|one| *one == name).count();
    let last = told.last().map(String::as_str);
    let due = match message.state() {
        Some(NoticeState::Delivered) => Some("notice.delivered.v1"),
        Some(NoticeState::Failed | NoticeState::GaveUp) => Some("notice.failed.v1"),
        Some(NoticeState::Sent) => Some("notice.sent.v1"),
        Some(NoticeState::Created | NoticeState::Sending | NoticeState::Expired) | None => last,
    };
    if last != due {
        return Some("the last word is not how it stands");
    }
    if count("notice.delivered.v1") > 1 || count("notice.failed.v1") > 1 {
        return Some("an end was told twice");
    }
    if count("notice.sent.v1") > message.attempts.len() {
        return Some("it was told to be sent more often than it was");
    }
    None
}

/// No address in what others read.
fn personal(tables: &Tables) -> Vec<String> {
    let mut found = Vec::new();
    let holds_some = |text: &str| text.contains("+861") || text.contains("@example.com");
    for row in tables.journal.iter().filter(|row| holds_some(&format!("{row:?}"))) {
        found.push(format!("the journal tells an address: {} {}", row.kind, row.detail));
    }
    found
        .extend(tables.alarms.iter().filter(|one| holds_some(&one.text)).map(|one| format!("rings with {}", one.text)));
    let world = tables.outbox.values().filter(|row| matches!(row.destination, Destination::World { .. }));
    found.extend(
        world
            .filter(|row| holds_some(&String::from_utf8_lossy(&row.body)))
            .map(|_| "the world reads an address".to_owned()),
    );
    found
}

/// What came about.
fn seen(tables: &Tables, ledger: &BTreeMap<String, Entry>) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    seen.extend(tables.noticing.notices.values().map(|one| format!("rests {}", one.state().code())));
    let combined = |one: &&Notice| one.covers > 1;
    seen.extend(tables.noticing.notices.values().find(combined).map(|_| "several in one".to_owned()));
    let outcomes = tables.noticing.asked.values().filter_map(|row| row.outcome.as_ref());
    seen.extend(outcomes.map(|one: &Outcome| format!("asked for: {}", one.code())));
    let messages = || tables.noticing.notices.values().flat_map(|one| &one.messages);
    seen.extend(messages().filter_map(|one| one.because.as_ref()).map(|why| format!("because {why}")));
    seen.extend(messages().filter(|one| one.standby && !one.attempts.is_empty()).map(|_| "a standby went".to_owned()));
    let attempts = || messages().flat_map(|one| &one.attempts);
    seen.extend(attempts().filter_map(|one| one.code()).map(|code| format!("an attempt: {code}")));
    let late = |one: &&Message| one.ended.is_some() && one.state() == Some(NoticeState::Delivered);
    seen.extend(messages().find(late).map(|_| "delivered after its end".to_owned()));
    let before = attempts().any(|one| match (&one.word, one.ended_at) {
        (Some((DeliveryWord::Delivered { .. }, at)), Some(ended)) => *at < ended,
        (_, _) => false,
    });
    seen.extend(before.then(|| "delivered before the answer".to_owned()));
    seen.extend(tables.alarms.iter().map(|one| format!("rings {}", one.kind.code())));
    let silent = ledger.values().any(|one| one.fate == Fate::Silence);
    seen.extend(silent.then(|| "a vendor is silent".to_owned()));
    seen
}
