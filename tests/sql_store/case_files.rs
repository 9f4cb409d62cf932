//! Case files whose rows cannot be read: one application's trouble is nobody else's, and what concerns all is blamed on none.

use super::place::{Place, approval, fund, policy};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use zhida_adapters::store::SqlStore;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::case_file::{CaseNote, Said, Standing};
use zhida_core::ids::{ApplicationId, PolicyId};
use zhida_core::ports::cases::CaseStore;
use zhida_core::ports::store::{IntakeStore, ReadStore, ReferenceStore, StoreError};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_schemas::organisation_file::OrganisationFile;

/// Two approved applications, A-1 and A-2.
async fn with_two(place: &Place) -> SqlStore {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
    // On the morning of a day, at whatever hour the test runs: no deadline falls into the hours that it lets pass.
    let today = store.now().await.unwrap();
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let tomorrow = zone.to_datetime(today).date().tomorrow().unwrap();
    let morning = zone.to_timestamp(tomorrow.at(10, 0, 0, 0)).unwrap();
    place.clock.advance(morning.duration_since(today));
    let now = store.now().await.unwrap();
    let arrivals = [1, 2].map(|number| {
        let said = Said::Submitted { policy_id: PolicyId::from("P-1"), uscc: format!("U-{number}"), mode: None };
        let note = CaseNote { application_id: ApplicationId(format!("A-{number}")), at: now, said };
        zhida_core::steps::Arrival { case: Some(note), ..approval(number, now, "k") }
    });
    store.take_in(arrivals.to_vec()).await.unwrap();
    store
}

async fn standing(store: &SqlStore, number: u32) -> Result<Option<Standing>, StoreError> {
    Ok(store.case(&ApplicationId(format!("A-{number}"))).await?.map(|view| view.file.standing))
}

async fn rang(store: &SqlStore) -> u64 {
    store.figures().await.unwrap().alarms_by_kind.get("row_unusable").copied().unwrap_or_default()
}

pub(crate) async fn an_unreadable_event(place: &Place) {
    let store = with_two(place).await;
    let sane = "update case_events set said = replace(said, 'broken', 'submitted')";
    place
        .execute("update case_events set said = replace(said, 'submitted', 'broken') where application_id = 'A-1'")
        .await
        .unwrap();
    assert_eq!(store.look_at_cases(100).await.unwrap(), 1, "the other one is looked at");
    assert_eq!(store.look_at_cases(100).await.unwrap(), 0);
    assert_eq!(rang(&store).await, 1);
    assert_eq!(standing(&store, 2).await.unwrap(), Some(Standing::Submitted));
    assert!(
        matches!(standing(&store, 1).await, Err(StoreError::Corrupt { place, .. }) if place.contains("case_events"))
    );
    place.execute(sane).await.unwrap();
    assert_eq!(store.look_at_cases(100).await.unwrap(), 0, "in an hour");
    place.clock.advance(SignedDuration::from_mins(61));
    assert_eq!(store.look_at_cases(100).await.unwrap(), 1);
    assert_eq!(standing(&store, 1).await.unwrap(), Some(Standing::Submitted));
    assert_eq!(rang(&store).await, 1);
}

pub(crate) async fn an_unreadable_organisation(place: &Place) {
    let store = with_two(place).await;
    let organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    store.import_organisation(&organisation, "test").await.unwrap();
    place.execute("update officers set mobile = 'no number' where id = 'O-101'").await.unwrap();
    assert!(matches!(store.look_at_cases(100).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(rang(&store).await, 0, "no application is to blame");
    place.execute("update officers set mobile = null where id = 'O-101'").await.unwrap();
    assert_eq!(store.look_at_cases(100).await.unwrap(), 2, "nothing was put off");
}
