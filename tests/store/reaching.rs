//! Who could not be told for lack of an address: told when one comes, once.

use crate::noticing::{SECOND, calls, listed, mobile, take, view};
use crate::ordering::stalled;
use crate::world::{World, arrival, key, uscc};
use serde_json::json;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::case_file::{CaseNote, Said};
use zhida_core::contacts::Contacts;
use zhida_core::ids::{OfficerId, PolicyId};
use zhida_core::notice::{Channel, NoticeKind, NoticeRequest};
use zhida_core::organisation::Organisation;
use zhida_core::steps::{Arrival, Fact};
use zhida_schemas::organisation_file::OrganisationFile;

async fn make(world: &World) {
    while world.store.make_notices(100).await.unwrap() > 0 {}
}

async fn became(world: &World, outcome: &str) -> u64 {
    world.other.count_requests().await.unwrap().by_outcome.get(outcome).copied().unwrap_or_default()
}

/// An event of an application that brings its contacts, as it stands there at this moment.
async fn contacts(world: &World, event: &str, number: u32) -> Arrival {
    let at = world.now().await;
    let said = Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: uscc(number), mode: None };
    let case = Some(CaseNote { application_id: key(number).application_id, at, said });
    let contacts = Some(Contacts::new(at, Some(mobile(number)), None, None));
    Arrival { case, contacts, ..arrival(event, number, Fact::Other, &json!({})) }
}

/// An award is paid, and nobody knows how its enterprise is reached.
async fn credited_in_silence(world: &World, number: u32) {
    let award = world.award(number).await;
    world.take(&[award.arrival()]).await;
    make(world).await;
    world.pay(&format!("M-{number}")).await;
}

pub(crate) async fn who_could_not_be_told_of_money_is_told_when_contacts_come(world: World) {
    credited_in_silence(&world, 1).await;
    make(&world).await;
    assert_eq!(listed(&world, NoticeKind::PayoutCredited).await, []);
    assert_eq!(world.rang("notice_no_address").await, 1);
    let unreached = became(&world, "no_address").await;
    // What says nothing but the language brings nobody nearer, and what is another's concerns it not.
    let silent = contacts(&world, "s-0", 1).await;
    let silent =
        Arrival { contacts: Some(Contacts::new(world.now().await, None, None, Some("en".to_owned()))), ..silent };
    world.take(&[silent, contacts(&world, "s-77", 77).await]).await;
    make(&world).await;
    assert_eq!((became(&world, "no_address").await, world.rang("notice_no_address").await), (unreached, 1));
    world.take(&[contacts(&world, "s-1", 1).await]).await;
    make(&world).await;
    let credited = listed(&world, NoticeKind::PayoutCredited).await;
    let [credited] = &credited[..] else { panic!("told once: {credited:?}") };
    let written = view(&world, &credited.id).await.contents;
    assert_eq!(
        written.iter().map(|one| (one.channel, one.to.clone())).collect::<Vec<_>>(),
        [(Channel::Sms, mobile(1))]
    );
    assert_eq!(calls(&take(&world).await).iter().filter(|(.., id)| *id == credited.id).count(), 1, "it goes");
    let made = became(&world, "made").await;
    world.take(&[contacts(&world, "s-2", 1).await]).await;
    make(&world).await;
    assert_eq!((became(&world, "made").await, calls(&take(&world).await)), (made, vec![]), "the same once more");
    assert_eq!((became(&world, "no_address").await, world.rang("notice_no_address").await), (0, 1));
    // What is too late for being told stays as it is: somebody was rung for then.
    credited_in_silence(&world, 2).await;
    make(&world).await;
    let (unreached, rang) = (became(&world, "no_address").await, world.rang("notice_no_address").await);
    world.pass(NoticeKind::PayoutCredited.expires_after());
    world.take(&[contacts(&world, "s-3", 2).await]).await;
    make(&world).await;
    assert_eq!(listed(&world, NoticeKind::PayoutCredited).await.len(), 1);
    assert_eq!((became(&world, "no_address").await, became(&world, "too_old").await), (unreached, 0));
    assert_eq!((world.rang("notice_no_address").await, world.rang("notice_failed").await), (rang, 0));
}

/// Whichever of the two is first, and also where neither sees the other.
pub(crate) async fn contacts_that_come_while_it_is_decided_are_not_overlooked(world: World) {
    for number in 1..=8 {
        credited_in_silence(&world, number).await;
        let arrivals = [contacts(&world, &format!("s-{number}"), number).await];
        let (made, taken) = tokio::join!(world.other.make_notices(100), world.take(&arrivals));
        made.unwrap();
        assert_eq!(taken.len(), 1);
        make(&world).await;
        assert_eq!(listed(&world, NoticeKind::PayoutCredited).await.len(), number as usize);
    }
}

pub(crate) async fn an_official_is_told_when_an_import_brings_an_address(world: World) {
    let alert = stalled(&world).await;
    let whole: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    let mut without = whole.clone();
    let officer = without.officers.get_mut(&OfficerId::from("O-201")).unwrap();
    (officer.mobile, officer.email) = (None, None);
    world.store.import_organisation(&without, "test").await.unwrap();
    let request = NoticeRequest {
        kind: NoticeKind::ReviewOverdue,
        subject: alert.id.clone(),
        recipient: "O-201".to_owned(),
        occasion: "by_hand".to_owned(),
        application_id: alert.application_id.clone(),
    };
    world.store.ask_for_notices(&[request]).await.unwrap();
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let told = async || {
        let red = listed(&world, NoticeKind::ReviewOverdue).await;
        red.into_iter().filter(|one| one.recipient == "O-201").collect::<Vec<_>>()
    };
    assert_eq!(told().await, []);
    let (unreached, rang) = (became(&world, "no_address").await, world.rang("notice_no_address").await);
    assert_eq!((unreached, rang), (1, 1), "{}", alert.id);
    // Whatever else an import changes: who still has no address is asked for no second time.
    let mut other = without.clone();
    let other_officer = other.officers.get_mut(&OfficerId::from("O-202")).unwrap();
    other_officer.name = "李某".to_owned();
    world.store.import_organisation(&other, "test").await.unwrap();
    make(&world).await;
    assert_eq!((became(&world, "no_address").await, world.rang("notice_no_address").await), (unreached, rang));
    // By a worker that had read the organisation before, too.
    let (made, imported) = tokio::join!(world.other.make_notices(100), world.store.import_organisation(&whole, "test"));
    made.unwrap();
    imported.unwrap();
    make(&world).await;
    assert_eq!(told().await.len(), 1);
}
