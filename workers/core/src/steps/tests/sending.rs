//! Claims, and the ends of calls for several members at once.

use super::super::{
    Authority, ClaimInputs, Desk, EnquiryResult, PaidAccounts, ResendInputs, Spent, book_call, book_enquiry,
    book_not_made, claim, claim_again, examine_batch,
};
use super::{approved, context, desk_with};
use crate::batch::{Batch, ClaimedBatch, Examination, Stopped};
use crate::ids::{InstructionId, MsgId, OperatorId, PayoutKey};
use crate::money::Fen;
use crate::payout::{AlarmKind, Event, HoldCode, PayoutState};
use crate::ports::bank::{BankWord, CallOutcome, EnquiryOutcome, NotTakenIn, PaymentFormat, StatusReport, Transfer};
use crate::rules::Rules;
use crate::scenery::{key, rules};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

struct Lines;

impl PaymentFormat for Lines {
    fn write(&self, msg_id: &MsgId, _: Timestamp, transfers: &[Transfer]) -> Vec<u8> {
        format!("{msg_id} {transfers:?}").into_bytes()
    }
}

fn signed(desk: &Desk<'_>) -> BTreeMap<PayoutKey, Option<Authority>> {
    let of = |key: &PayoutKey| Authority {
        key: key.clone(),
        amount: Fen(10_000),
        currency: "CNY".to_owned(),
        uscc: "91350100M000100Y43".to_owned(),
        payee: crate::scenery::payee("1"),
        revoked_key: None,
    };
    desk.payouts.keys().map(|key| (key.clone(), Some(of(key)))).collect()
}

fn claim_all(desk: &mut Desk<'_>, msg_id: &str, spent: Spent, stopped: Stopped) -> Option<ClaimedBatch> {
    let (context, authorities) = (context(1_000_000, None), signed(desk));
    // Named twice on purpose: a payout travels once in a message.
    let candidates = desk.payouts.keys().flat_map(|key| [key.clone(), key.clone()]).collect();
    let (funds, policies) = (&context.funds, &context.policies);
    let (authorities, format, msg_id) = (&authorities, &Lines, MsgId::from(msg_id));
    let accounts = &PaidAccounts::default();
    claim(desk, ClaimInputs { candidates, funds, policies, authorities, accounts, stopped, spent, msg_id, format })
}

fn go_again(desk: &mut Desk<'_>, msg_id: &str, spent: &Spent) -> Option<ClaimedBatch> {
    let (authorities, batch) = (signed(desk), stored(desk, msg_id));
    assert_eq!(examine_batch(desk, batch.clone()), Examination::GoesAgain);
    claim_again(desk, batch, &ResendInputs { authorities: &authorities, spent, format: &Lines })
}

fn stored(desk: &Desk<'_>, msg_id: &str) -> Batch {
    desk.changes.batches[&MsgId::from(msg_id)].clone()
}

fn three(rules: &Rules) -> Desk<'_> {
    desk_with(rules, vec![approved(1), approved(2), approved(3)]).0
}

fn id(number: u32) -> InstructionId {
    InstructionId::derive("example", &key(number), 1)
}

fn states(desk: &Desk<'_>) -> Vec<PayoutState> {
    desk.payouts.values().map(crate::payout::Payout::state).collect()
}

fn report(number: u32, word: BankWord) -> StatusReport {
    StatusReport { instruction_id: id(number), word }
}

#[test]
fn every_member_is_booked_on_its_own() {
    use PayoutState::{Pending, Ready, Settled, Unknown};
    let settled = || BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: None };
    let rejected = || BankWord::Rejected { reason: "AC01".to_owned(), text: String::new() };
    let on_the_way = || BankWord::OnTheWay { code: "ACSP".to_owned() };
    let not_taken_in = |why| CallOutcome::NotTakenIn { why, retry_after: None };
    for (outcome, expected, closed, examined_later) in [
        (
            CallOutcome::Answered(vec![report(1, settled()), report(2, on_the_way()), report(3, rejected())]),
            [Settled, Pending, Unknown],
            true,
            false,
        ),
        // A member missing from the answer is unknown; the others stand.
        (CallOutcome::Answered(vec![report(1, settled())]), [Settled, Unknown, Unknown], true, false),
        (CallOutcome::Answered(vec![]), [Unknown; 3], false, false),
        (CallOutcome::Doubtful { why: "time-out".to_owned(), retry_after: None }, [Unknown; 3], false, false),
        (CallOutcome::DuplicateGroup, [Unknown; 3], false, false),
        (CallOutcome::RefusedWhole { reason: "FF01".to_owned(), text: String::new() }, [Ready; 3], true, false),
        (not_taken_in(NotTakenIn::ConnectionRefused), [Ready; 3], false, true),
        (not_taken_in(NotTakenIn::Forbidden), [Ready; 3], false, true),
    ] {
        let rules = rules();
        let mut desk = three(&rules);
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        assert_eq!(claimed.members.len(), 3);
        let batch = stored(&desk, "M-1");
        book_call(&mut desk, batch, &claimed, &outcome);
        assert_eq!(states(&desk), expected, "{outcome:?}");
        let batch = stored(&desk, "M-1");
        assert_eq!((batch.closed.is_some(), batch.examine_at.is_some()), (closed, examined_later), "{outcome:?}");
        // Ready members of an open message travel with it only.
        let free = desk.payouts.values().filter(|one| one.is_claimable()).count();
        assert_eq!(free, if matches!(outcome, CallOutcome::RefusedWhole { .. }) { 3 } else { 0 }, "{outcome:?}");
        let somewhere = desk.payouts.values().all(|one| one.latest().unwrap().known_to_bank);
        assert_eq!(somewhere, outcome == CallOutcome::DuplicateGroup);
    }
}

#[test]
fn a_clean_answer_is_told_without_a_doubt_that_never_was() {
    let rules = rules();
    let told = |desk: &Desk<'_>| desk.changes.world.iter().map(|one| one.event_type.clone()).collect::<Vec<_>>();
    for (word, last) in [
        (BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: None }, "payout.settled.v1"),
        (BankWord::OnTheWay { code: "ACSP".to_owned() }, "payout.pending.v1"),
        // A refusal counts when an enquiry confirms it.
        (BankWord::Rejected { reason: "AC01".to_owned(), text: String::new() }, "payout.unknown.v1"),
    ] {
        let (mut desk, _) = desk_with(&rules, vec![approved(1)]);
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        let batch = stored(&desk, "M-1");
        let outcome = CallOutcome::Answered(vec![report(1, word)]);
        book_call(&mut desk, batch.clone(), &claimed, &outcome);
        assert_eq!(told(&desk), ["payout.received.v1", "payout.submitted.v1", last]);
        // Once more after a commit of unknown outcome: the claim is stale by then, the word is known.
        book_call(&mut desk, batch, &claimed, &outcome);
        assert_eq!(told(&desk).len(), 3);
    }
}

#[test]
fn a_message_refused_for_its_form_is_split_until_the_culprit_stands_alone() {
    let rules = rules();
    let mut desk = three(&rules);
    let refused = CallOutcome::RefusedWhole { reason: "FF01".to_owned(), text: String::new() };
    let mut sizes = Vec::new();
    for turn in 1..9 {
        let Some(claimed) = claim_all(&mut desk, &format!("M-{turn}"), Spent::default(), Stopped::No) else { break };
        sizes.push(claimed.members.len());
        let batch = stored(&desk, claimed.msg_id.as_str());
        book_call(&mut desk, batch, &claimed, &refused);
    }
    assert_eq!(sizes, [3, 1, 1, 1]);
    assert!(desk.payouts.values().all(|one| one.holds.contains_key(&HoldCode::FormatRefused)));
}

#[test]
fn a_result_that_comes_after_its_message_was_closed_leaves_it_closed() {
    let rules = rules();
    for not_made in [true, false] {
        let mut desk = three(&rules);
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        let batch = Batch { closed: Some("a member has evidence".to_owned()), ..stored(&desk, "M-1") };
        if not_made {
            book_not_made(&mut desk, batch, &claimed, "evidence");
        } else {
            let why = NotTakenIn::TooManyRequests;
            book_call(&mut desk, batch, &claimed, &CallOutcome::NotTakenIn { why, retry_after: None });
        }
        let batch = stored(&desk, "M-1");
        assert!(batch.closed.is_some() && batch.examine_at.is_none());
    }
}

#[test]
fn an_answer_that_names_another_instruction_is_not_dropped() {
    let rules = rules();
    let mut desk = three(&rules);
    let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
    let batch = stored(&desk, "M-1");
    let stranger = StatusReport {
        instruction_id: InstructionId::from("NOBODYS"),
        word: BankWord::OnTheWay { code: "ACSP".to_owned() },
    };
    book_call(&mut desk, batch, &claimed, &CallOutcome::Answered(vec![stranger]));
    let rung: Vec<AlarmKind> = desk.changes.alarms.iter().map(|one| one.kind).collect();
    assert_eq!(rung, [AlarmKind::UnknownInstruction]);
}

#[test]
fn what_would_be_sent_is_what_was_signed() {
    type Edit = fn(&mut crate::payout::Payout);
    let edits: [(&str, Edit); 5] = [
        ("the payee", |one| one.instructions[0].payee = crate::scenery::payee("666")),
        ("the amount", |one| one.amount = Fen(99)),
        ("the currency", |one| one.currency = "USD".to_owned()),
        ("the enterprise", |one| one.enterprise.uscc = "91350100M000100Y44".to_owned()),
        ("the id", |one| one.instructions[0].id = InstructionId::from("ANOTHER")),
    ];
    for (name, edit) in edits {
        let rules = rules();
        let mut desk = three(&rules);
        edit(desk.payouts.get_mut(&key(2)).unwrap());
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        assert_eq!(claimed.members.len(), 2, "{name}");
        assert!(desk.payouts[&key(2)].holds.contains_key(&HoldCode::SignatureMismatch), "{name}");
        assert_eq!(desk.changes.alarms[0].kind, AlarmKind::SignatureMismatch, "{name}");
    }
    // An approval of another award entitles to nothing, though amount and payee agree.
    let rules = rules();
    let mut desk = three(&rules);
    let (context, mut authorities) = (context(1_000_000, None), signed(&desk));
    let of_another = authorities[&key(1)].clone();
    authorities.insert(key(2), of_another);
    let inputs = ClaimInputs {
        candidates: vec![key(2)],
        funds: &context.funds,
        policies: &context.policies,
        authorities: &authorities,
        accounts: &PaidAccounts::default(),
        stopped: Stopped::No,
        spent: Spent::default(),
        msg_id: MsgId::from("M-1"),
        format: &Lines,
    };
    assert_eq!(claim(&mut desk, inputs), None);
}

/// A desk with a message that was not taken in.
fn put_off(rules: &Rules) -> Desk<'_> {
    let mut desk = three(rules);
    let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
    let batch = stored(&desk, "M-1");
    let why = NotTakenIn::ConnectionRefused;
    book_call(&mut desk, batch, &claimed, &CallOutcome::NotTakenIn { why, retry_after: None });
    desk
}

#[test]
fn a_message_goes_again_byte_for_byte_and_only_as_signed() {
    let rules = rules();
    let mut desk = put_off(&rules);
    let first = stored(&desk, "M-1").bytes;
    let again = go_again(&mut desk, "M-1", &Spent::default()).unwrap();
    assert_eq!((again.bytes, again.members.len()), (first, 3));
    assert!(again.members.iter().all(|(_, epoch)| *epoch == 2));

    // The frozen content is edited in the database: held, and the message closed.
    let mut desk = put_off(&rules);
    let robbed = desk.payouts.get_mut(&key(2)).unwrap();
    let payee = crate::scenery::payee("666");
    robbed.instructions[0].payee = payee.clone();
    robbed.instructions[0].transfer.as_mut().unwrap().payee = payee;
    assert_eq!(go_again(&mut desk, "M-1", &Spent::default()), None);
    assert!(desk.payouts[&key(2)].holds.contains_key(&HoldCode::SignatureMismatch));
    assert!(stored(&desk, "M-1").closed.is_some());

    // Two officers release it: it is looked at again, and held again.
    for officer in ["O-1", "O-2"] {
        let codes = vec![HoldCode::SignatureMismatch];
        desk.apply(&key(2), Event::Released { by: OperatorId::from(officer), codes }).unwrap();
    }
    assert!(desk.payouts[&key(2)].is_claimable());
    let others = claim_all(&mut desk, "M-2", Spent::default(), Stopped::No).unwrap();
    assert!(others.members.iter().all(|(member, _)| member.key != key(2)));
    assert!(desk.payouts[&key(2)].holds.contains_key(&HoldCode::SignatureMismatch));

    // The stored bytes are edited: they never travel, their members do.
    let mut desk = put_off(&rules);
    let mut batch = stored(&desk, "M-1");
    batch.bytes.push(b' ');
    desk.changes.batches.insert(batch.msg_id.clone(), batch);
    assert_eq!(go_again(&mut desk, "M-1", &Spent::default()), None);
    assert!(desk.payouts.values().all(crate::payout::Payout::is_claimable));
}

#[test]
fn limits_and_the_stop_switch_block_first_and_repeated_sendings() {
    let mut rules = rules();
    rules.limits.per_hour = Some(25_000);
    let mut desk = three(&rules);
    assert_eq!(claim_all(&mut desk, "M-0", Spent::default(), Stopped::Yes), None);
    let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
    assert_eq!(claimed.members.len(), 2, "the third does not fit into this hour");
    let batch = stored(&desk, "M-1");
    let why = NotTakenIn::ConnectionRefused;
    book_call(&mut desk, batch, &claimed, &CallOutcome::NotTakenIn { why, retry_after: None });
    let used_up = Spent { this_hour: Fen(25_000), ..Spent::default() };
    assert_eq!(go_again(&mut desk, "M-1", &used_up), None);
    let later = stored(&desk, "M-1").examine_at;
    assert_eq!(later, desk.now.checked_add(SignedDuration::from_secs(10)).ok(), "put off, not closed");
    assert!(go_again(&mut desk, "M-1", &Spent::default()).is_some());
}

#[test]
fn the_bank_is_neither_called_nor_asked_before_it_wants_to_be() {
    let rules = rules();
    let doubtful = |retry_after| CallOutcome::Doubtful { why: "status 503".to_owned(), retry_after };
    let too_many = |retry_after| CallOutcome::NotTakenIn { why: NotTakenIn::TooManyRequests, retry_after };
    let seconds = |count| Some(Duration::from_secs(count));
    for (outcome, asked_after, examined_after) in [
        (doubtful(None), Some(0), None),
        (doubtful(seconds(600)), Some(600), None),
        (doubtful(seconds(1_000_000)), Some(3_600), None),
        (too_many(None), None, Some(10)),
        (too_many(seconds(600)), None, Some(600)),
        (too_many(seconds(1_000_000)), None, Some(3_600)),
    ] {
        let mut desk = three(&rules);
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        let batch = stored(&desk, "M-1");
        book_call(&mut desk, batch, &claimed, &outcome);
        let after = |moment: Option<Timestamp>| moment.map(|moment| moment.duration_since(desk.now).as_secs());
        for payout in desk.payouts.values() {
            assert_eq!(after(payout.latest().unwrap().enquire_at), asked_after, "{outcome:?}");
        }
        assert_eq!(after(stored(&desk, "M-1").examine_at), examined_after, "{outcome:?}");
    }
}

#[test]
fn an_enquiry_the_bank_puts_off_is_put_off_and_so_is_the_one_after_a_call_it_puts_off() {
    let rules = rules();
    for (retry_after, next) in [(None, 5), (Some(2), 5), (Some(600), 600), (Some(1_000_000), 3_600)] {
        let retry_after = retry_after.map(Duration::from_secs);
        let mut desk = three(&rules);
        let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
        let batch = stored(&desk, "M-1");
        book_call(&mut desk, batch, &claimed, &CallOutcome::Doubtful { why: "reset".to_owned(), retry_after: None });
        let outcome = EnquiryOutcome::NoAnswer { why: "status 503".to_owned(), retry_after };
        let begun_at = desk.now;
        book_enquiry(&mut desk, &EnquiryResult { key: key(1), instruction_id: id(1), begun_at, outcome });
        let asked_at = desk.payouts[&key(1)].latest().unwrap().enquire_at.unwrap();
        assert_eq!(asked_at.duration_since(desk.now).as_secs(), next, "{retry_after:?}");
    }
    // Absent, sent again, and "later, please": an enquiry is no way around that.
    let mut desk = three(&rules);
    let claimed = claim_all(&mut desk, "M-1", Spent::default(), Stopped::No).unwrap();
    let batch = stored(&desk, "M-1");
    book_call(&mut desk, batch, &claimed, &CallOutcome::Doubtful { why: "reset".to_owned(), retry_after: None });
    desk.now += SignedDuration::from_secs(121);
    for number in 1..=3 {
        let (begun_at, outcome) = (desk.now, EnquiryOutcome::NotFound);
        book_enquiry(&mut desk, &EnquiryResult { key: key(number), instruction_id: id(number), begun_at, outcome });
    }
    let claimed = go_again(&mut desk, "M-1", &Spent::default()).unwrap();
    let batch = stored(&desk, "M-1");
    let retry_after = Some(Duration::from_secs(600));
    book_call(&mut desk, batch, &claimed, &CallOutcome::NotTakenIn { why: NotTakenIn::TooManyRequests, retry_after });
    let asked_at = desk.payouts[&key(1)].latest().unwrap().enquire_at.unwrap();
    assert_eq!(asked_at.duration_since(desk.now).as_secs(), 600);
}
