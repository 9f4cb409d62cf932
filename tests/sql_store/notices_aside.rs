//! Notices around rows that cannot be read: one request, a set of templates, what is known of providers, counters, the switch. Nothing of
//! it stops the others, everything rings; and what is claimed is never dropped because the next one cannot be.

use super::notices::{applications, contacts_come, make, open, rang, take, with, without_contacts};
use super::place::Place;
use super::story::act;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use zhida_core::ids::OperatorId;
use zhida_core::notice::{NoticeAct, NoticeState};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter, NoticeStore};
use zhida_core::ports::sms::{DeliveryWord, Receipt, SendOutcome, Trust};
use zhida_core::ports::store::{ActStore as _, Acted, ReferenceStore as _};
use zhida_core::steps::{ActOutcome, Operator, Role};

/// A request of a kind that this version does not know: it rings once an hour, the others become notices.
pub(crate) async fn a_request_of_an_unknown_kind(place: &Place) {
    let store = with(place, [1, 2]).await;
    place.execute("update notice_requests set kind = 'of_tomorrow' where application_id = 'A-1'").await.unwrap();
    assert_eq!(make(&store).await, 2, "dealt with: one was made, one put aside");
    assert_eq!((make(&store).await, rang(&store).await), (0, 1));
    assert_eq!(applications(&take(&store).await), ["A-2"]);
    place.execute("update notice_requests set kind = 'payout_received' where application_id = 'A-1'").await.unwrap();
    place.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(make(&store).await, 1, "another version's, or mended: it goes");
}

/// Addresses come for two who could not be told, by a process that knows no provider, and what one of them is about cannot be read:
/// the other is told, this one rings, and neither waits for another address.
pub(crate) async fn an_unreadable_subject_of_whom_an_address_came(place: &Place) {
    let store = without_contacts(place, [1, 2]).await;
    assert_eq!((make(&store).await, make(&store).await), (2, 0), "nobody is reached");
    contacts_come(&place.open().await, [1, 2]).await;
    place.execute("update payouts set holds = '{' where application_id = 'A-1'").await.unwrap();
    assert_eq!(make(&store).await, 2, "dealt with: one was made, one put aside");
    assert_eq!((make(&store).await, rang(&store).await), (0, 1));
    assert_eq!(applications(&take(&store).await), ["A-2"]);
    place.execute("update payouts set holds = '{}' where application_id = 'A-1'").await.unwrap();
    place.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(make(&store).await, 1);
    assert_eq!(applications(&take(&store).await), ["A-1"]);
}

/// Templates that this version cannot read: notices are made by those before, and it rings.
pub(crate) async fn templates_of_another_version(place: &Place) {
    let store = with(place, [1]).await;
    let import = "insert into notice_templates (version, body, imported_at, imported_by) values ('9', 'format = \"of tomorrow\"', 1, 'x')";
    place.execute(import).await.unwrap();
    assert_eq!((make(&store).await, rang(&store).await), (1, 1));
    assert_eq!(applications(&take(&store).await), ["A-1"]);
    assert_eq!(make(&store).await, 0);
    assert_eq!(rang(&store).await, 1, "once an hour");
}

/// How a provider fares, and what was counted: taken as well, and as nothing.
pub(crate) async fn unreadable_surroundings(place: &Place) {
    let store = with(place, [1, 2, 3]).await;
    make(&store).await;
    assert_eq!(store.take_errands(1).await.unwrap().len(), 1);
    place.execute("update notice_providers set health = '{'; update notice_counters set tally = '{'").await.unwrap();
    assert_eq!(store.take_errands(1).await.unwrap().len(), 1, "no notice is set aside for it");
    let rows = rang(&store).await;
    assert!(rows >= 3, "two providers, and counters: {rows}");
    assert_eq!(store.take_errands(1).await.unwrap().len(), 1);
    assert_eq!(rang(&store).await, rows, "they were written anew");
}

/// A switch that cannot be read is off, until somebody resumes sending.
pub(crate) async fn an_unreadable_switch(place: &Place) {
    let store = with(place, [1, 2]).await;
    make(&store).await;
    place.execute("update notice_switch set rung = '{'").await.unwrap();
    assert_eq!(store.notice_switch().await.unwrap().stopped, None, "which bells have rung is no reason to stop");
    place.execute("delete from notice_switch").await.unwrap();
    assert!(store.notice_switch().await.unwrap().stopped.is_some());
    assert_eq!(take(&store).await, []);
    assert_eq!(take(&store).await, []);
    assert_eq!(rang(&store).await, 1);
    let (id, name, public_key) = (OperatorId::from("wang"), "wang".to_owned(), "key".to_owned());
    let wang = Operator { id, name, role: Role::Operator, public_key, disabled_at: None };
    store.put_operator(&wang, "test").await.unwrap();
    let done = store.act(&act("e-resume", "wang", NoticeAct::Resume)).await.unwrap();
    assert_eq!(done, Acted::Done(ActOutcome::Done));
    assert_eq!(applications(&take(&store).await), ["A-1", "A-2"]);
}

/// One by one, and the database is gone in the middle: what is claimed by then is handed out, the others later.
pub(crate) async fn a_taking_that_breaks_off(place: &Place) {
    let store = with(place, [1, 2, 3]).await;
    make(&store).await;
    // The first change is refused as one of a row is, the second works, the third finds no database.
    let trouble = "create sequence changes; \
        create function trouble() returns trigger language plpgsql as $$ declare n bigint := nextval('changes'); begin \
            if n = 1 then raise exception 'refused' using errcode = '22000'; end if; \
            if n = 3 then raise exception 'gone' using errcode = '57014'; end if; \
            return new; end $$; \
        create trigger trouble before update on notices for each row execute function trouble()";
    place.execute(trouble).await.unwrap();
    let first = take(&store).await;
    assert_eq!(first.len(), 1, "{first:?}");
    place.execute("drop trigger trouble on notices").await.unwrap();
    let rest = take(&store).await;
    assert_eq!(rest.len(), 2);
    let all: BTreeSet<_> = applications(&first).into_iter().chain(applications(&rest)).map(str::to_owned).collect();
    assert_eq!(all.len(), 3);
}

/// Receipts that only the provider's name speaks for come while the answers that tell this name are booked.
pub(crate) async fn a_receipt_beside_its_answer(place: &Place) {
    const NOTICES: u32 = 40;
    let (store, other) = (with(place, 1..=NOTICES).await, open(place, 10_000).await);
    make(&store).await;
    let mut out_ids = Vec::new();
    for errand in store.take_errands(100).await.unwrap() {
        if let Errand::SendSms { sms, .. } = errand {
            out_ids.push(sms.out_id);
        }
    }
    assert_eq!(out_ids.len(), NOTICES as usize);
    for out_id in out_ids {
        let name = format!("S-{out_id}");
        let outcome = SendOutcome::Accepted { provider_id: Some(name.clone()), segments: Some(1) };
        let ends = [ErrandEnd::Sent { notice_id: out_id.clone(), out_id, outcome }];
        let word = DeliveryWord::Delivered { at: None };
        let receipts = [Receipt { out_id: String::new(), provider_id: Some(name), to: None, word }];
        let booked = tokio::join!(store.book_errands(&ends), other.book_receipts("one", Trust::Signed, &receipts));
        booked.0.unwrap();
        booked.1.unwrap();
    }
    let filter = NoticeFilter { state: Some(NoticeState::Delivered), limit: 1_000, ..NoticeFilter::default() };
    assert_eq!(store.notices(&filter).await.unwrap().len(), NOTICES as usize);
}
