//! What happens outside: awards and their fate, clocks that run out, people who stop, resume, try, and have things sent again.

use super::district::{self, OPERATOR, Outside};
use super::world::Sim;
use crate::history::at_once;
use zhida_core::ids::{InstructionId, OfficerId, OperatorId};
use zhida_core::notice::{
    Channel, Ended, Message, Notice, NoticeAct, NoticeKind, NoticeRequest, NoticeState, Preference, Repeat,
};
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::notices::{NoticeStore, Wish};
use zhida_core::ports::store::{ActStore, Acted, IntakeStore, PayoutStore, SignedAct};
use zhida_core::supervision::Cleared;

pub(super) fn happens(sim: &Sim, outside: &Outside) {
    match outside {
        Outside::Approved(number) => {
            let contacts = sim.world().district.contacts(*number, sim.now());
            let arrival = district::arrival(*number, contacts, sim.now());
            // Twice: the sender heard no answer.
            at_once(sim.store.take_in(vec![arrival.clone(), arrival])).expect("the memory takes it in");
        }
        Outside::Credited(number) => {
            let word = Word::Settled { credited_at: Some(sim.now()), bank_reference: Some("R-1".to_owned()) };
            hears(sim, *number, word);
        }
        Outside::Returned(number) => {
            hears(sim, *number, Word::Settled { credited_at: Some(sim.now()), bank_reference: None });
            let amount = zhida_core::money::Fen(100_000);
            hears(sim, *number, Word::Returned { at: sim.now(), reason: "AC04".to_owned(), amount });
        }
        Outside::Overdue(number, told) => {
            let alert = district::alert(*number, told, sim.now());
            sim.store.tables().cases.alerts.insert(alert.id.clone(), alert);
            let requests = told.iter().map(|officer| overdue(*number, officer)).collect::<Vec<_>>();
            asks(sim, &requests);
        }
        Outside::Cleared(number) => {
            let now = sim.now();
            if let Some(alert) = sim.store.tables().cases.alerts.get_mut(&district::alert_id(*number)) {
                alert.cleared = Some((now, Cleared::Met));
            }
        }
        Outside::Try(number) => asks(sim, &[trial(*number)]),
        Outside::AskedAgain => {
            let asked: Vec<NoticeRequest> = sim.world().asked.iter().cloned().collect();
            let new = at_once(sim.store.ask_for_notices(&asked)).expect("it is stored");
            if new > 0 {
                sim.forbid(format!("{new} requests were forgotten"));
            }
        }
        Outside::Stop => drop(acts(sim, NoticeAct::Stop)),
        Outside::Resume => drop(acts(sim, NoticeAct::Resume)),
        Outside::Resend => resend(sim),
        Outside::Prefers(number) => {
            // Whom nothing was heard of has no wishes; what is asked for by now is not made yet.
            happens(sim, &Outside::Approved(*number));
            let (recipient, kind) = (district::uscc(*number), NoticeKind::PayoutReceived);
            acts(sim, NoticeAct::Prefer(Preference { recipient, kind, wish: Wish::NotTold }));
        }
        Outside::Away(place, length) => {
            let until = sim.now() + *length;
            if let Some(vendor) = sim.world().vendors.all.values_mut().nth(*place) {
                vendor.away_until = until;
            }
        }
        Outside::Outage(_) => {}
    }
    note_what_was_asked(sim);
}

fn hears(sim: &Sim, number: u32, word: Word) {
    let id = InstructionId::derive(&sim.rules.district, &district::key(number), 1);
    at_once(sim.store.book_evidence(&[(id, word, Carrier::Statement)])).expect("evidence is booked");
}

fn asks(sim: &Sim, requests: &[NoticeRequest]) {
    at_once(sim.store.ask_for_notices(requests)).expect("it is stored");
}

/// What the transactions outside have asked for stays asked for.
fn note_what_was_asked(sim: &Sim) {
    let asked: Vec<NoticeRequest> = sim.store.tables().noticing.asked.keys().cloned().collect();
    let lost: Vec<NoticeRequest> = {
        let mut world = sim.world();
        world.asked.extend(asked.iter().cloned());
        world.asked.iter().filter(|one| !asked.contains(one)).cloned().collect()
    };
    lost.into_iter().for_each(|one| sim.forbid(format!("{one:?} was forgotten")));
}

fn overdue(number: u32, officer: &str) -> NoticeRequest {
    NoticeRequest {
        kind: NoticeKind::ReviewOverdue,
        subject: district::alert_id(number),
        recipient: OfficerId::from(officer).0,
        occasion: "overdue".to_owned(),
        application_id: district::key(number + 100).application_id,
    }
}

fn trial(number: u32) -> NoticeRequest {
    NoticeRequest {
        kind: NoticeKind::Test,
        subject: format!("try-{number}"),
        recipient: format!("+8613500000{number:03}"),
        occasion: "by hand".to_owned(),
        application_id: zhida_core::ids::ApplicationId("try".to_owned()),
    }
}

/// Somebody has one sent again; the act is handed in twice.
fn resend(sim: &Sim) {
    let begun: Vec<Notice> = {
        let tables = sim.store.tables();
        tables.noticing.notices.values().filter(|one| one.state() != NoticeState::Created).cloned().collect()
    };
    let Some(notice) = sim.world().rng.choice(&begun).cloned() else { return };
    let (notice_id, state) = (notice.id.clone(), notice.state());
    let before = sim.store.tables().noticing.asked.len();
    let done = acts(sim, NoticeAct::Resend { notice_id: notice_id.clone() });
    let new = sim.store.tables().noticing.asked.len() - before;
    // Or a bounce says so, also of a call that broke off, which sends nothing by itself where a notice may not go twice.
    let said_lost = |one: &Message| one.attempts.iter().any(|attempt| one.is_said_lost(attempt));
    let bounced = matches!(state, NoticeState::Sent | NoticeState::Sending) && notice.messages.iter().any(said_lost);
    let beside = state == NoticeState::Sent
        && sim.rules.notices.repeat(notice.kind) == Repeat::May
        && notice.messages.iter().any(|one| one.channel == Channel::Sms && one.ended == Some(Ended::Failed));
    // Or people were rung for, because nobody can say, where it may go twice.
    let doubtful = matches!(state, NoticeState::Sending | NoticeState::Sent)
        && sim.rules.notices.repeat(notice.kind) == Repeat::May
        && notice.messages.iter().any(|one| one.doubt_rung);
    let lost = bounced
        || beside
        || doubtful
        || matches!(state, NoticeState::Failed | NoticeState::GaveUp | NoticeState::Expired);
    if done == Done::Yes {
        sim.saw("sent again by hand");
    }
    if (new > 0 && !lost) || (new > 0) != (done == Done::Yes) {
        sim.forbid(format!("{notice_id} was {state:?}, sending it again was {done:?}, and asked for {new}"));
    }
}

/// Whether an act was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Yes,
    No,
}

fn acts(sim: &Sim, act: NoticeAct) -> Done {
    let name = format!("act-{}", sim.world().rng.u64(..));
    let signed = SignedAct {
        source: format!("/operator/{OPERATOR}"),
        event_id: name.clone(),
        event_type: "operator.act.v1".to_owned(),
        content_sha256: name,
        body: b"{}".to_vec(),
        operator_id: OperatorId::from(OPERATOR),
        act: act.into(),
        reason: "as seen".to_owned(),
    };
    let acted = at_once(sim.store.act(&signed)).expect("it acts");
    let again = at_once(sim.store.act(&signed)).expect("it acts");
    if again != Acted::Duplicate {
        sim.forbid(format!("one act was done twice: {again:?}"));
    }
    sim.say(|| format!("outside · {:?}: {acted:?}", signed.act));
    match acted {
        Acted::Done(_) => Done::Yes,
        Acted::Duplicate | Acted::Conflict | Acted::Refused(_) | Acted::UnknownOperator(_) => Done::No,
    }
}
