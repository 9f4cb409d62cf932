//! What is learnt of notices late, and what is forgotten again.

use crate::noticing::{MINUTE, SECOND, answer, calls, mobile, received, take, view};
use crate::world::World;
use jiff::SignedDuration;
use zhida_core::notice::NoticeState;
use zhida_core::ports::notices::{Errand, ErrandEnd};
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, Receipt, SendOutcome, Trust};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn receipt(out_id: &str, provider_id: Option<&str>, number: u32) -> Receipt {
    let word = DeliveryWord::Delivered { at: None };
    Receipt { out_id: out_id.to_owned(), provider_id: provider_id.map(str::to_owned), to: Some(mobile(number)), word }
}

/// The call broke off, and only the question brought the provider's own name: receipts come under it, before and after.
pub(crate) async fn a_name_that_a_question_brought_is_known(world: World) {
    received(&world, [1]).await;
    let errands = take(&world).await;
    let (_, provider, notice_id) = calls(&errands).into_iter().next().unwrap();
    answer(&world, &errands, |_| SendOutcome::Doubtful { why: "time-out".to_owned() }).await;
    let early = receipt("", Some("S-1"), 1);
    let booked = world.other.book_receipts(&provider, Trust::Signed, &[early]).await.unwrap();
    assert_eq!((booked.booked, booked.unmatched), (0, 1), "nobody knows that name yet");
    let asked = take(&world).await;
    let Some(Errand::Ask { question, begun_at, .. }) = asked.into_iter().next() else { panic!("it is asked for") };
    let outcome = AskOutcome::Found { provider_id: Some("S-1".to_owned()), word: DeliveryWord::OnTheWay };
    let end = ErrandEnd::Asked { notice_id: notice_id.clone(), out_id: question.out_id, begun_at, outcome };
    world.store.book_errands(&[end]).await.unwrap();
    assert_eq!(view(&world, &notice_id).await.notice.state(), NoticeState::Delivered, "what had come under it counts");
    let later = Receipt { word: DeliveryWord::OnTheWay, ..receipt("", Some("S-1"), 1) };
    let booked = world.other.book_receipts(&provider, Trust::Signed, &[later]).await.unwrap();
    assert_eq!(booked.booked, 1);
}

/// Receipts of nobody go after 90 days, counters a day after every window; nothing goes before, and no limit forgets.
pub(crate) async fn what_nobody_needs_any_more_is_forgotten(world: World) {
    received(&world, [1]).await;
    let errands = take(&world).await;
    assert_eq!(calls(&errands).len(), 1);
    answer(&world, &errands, |_| SendOutcome::Accepted { provider_id: None, segments: None }).await;
    let nobodys = [receipt("nobody-knows-it", None, 1)];
    let book = async || {
        let booked = world.other.book_receipts("one", Trust::Signed, &nobodys).await.unwrap();
        (booked.repeated, booked.unmatched)
    };
    assert_eq!(book().await, (0, 1));
    world.pass(DAY);
    assert_eq!(world.store.forget_old().await.unwrap(), 0, "a day's window, and a day beyond it");
    world.pass(DAY + 2 * 60 * MINUTE);
    assert!(world.store.forget_old().await.unwrap() > 0, "counters");
    assert_eq!(world.store.forget_old().await.unwrap(), 0);
    world.pass(87 * DAY);
    assert_eq!((world.store.forget_old().await.unwrap(), book().await), (0, (1, 0)), "it is known");
    world.pass(DAY + SECOND);
    assert_eq!((world.store.forget_old().await.unwrap(), book().await), (1, (0, 1)));
    let filter = zhida_core::ports::notices::NoticeFilter::default();
    assert_eq!(world.store.notices(&filter).await.unwrap().len(), 1, "notices stay");
}
