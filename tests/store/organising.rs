//! The organisation and the calendars: replaced whole, imported once, never mixed.

use crate::world::World;
use jiff::civil::date;
use zhida_config::Calendar;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId};
use zhida_core::organisation::Organisation;
use zhida_core::ports::store::{JournalEntry, StoreError};
use zhida_schemas::organisation_file::OrganisationFile;

fn organisation(text: &str) -> Organisation {
    OrganisationFile::parse(text).unwrap().into()
}

/// The sample district with a department less, an officer more and another ladder.
fn another() -> Organisation {
    let mut other = organisation(ORGANISATION_TOML);
    let gone = DepartmentId::from("D-TRA");
    other.departments.remove(&gone);
    other.officers.retain(|_, one| one.department_id != gone);
    let mut new = other.officers[&OfficerId::from("O-101")].clone();
    new.id = OfficerId::from("O-999");
    new.substitute_id = Some(OfficerId::from("O-202"));
    other.officers.insert(new.id.clone(), new);
    let own = DepartmentId::from("D-SCI");
    let mut ladder = other.ladders[&None].clone();
    ladder.department_id = Some(own.clone());
    ladder.rungs[0].whom = zhida_core::organisation::Whom::Officer(OfficerId::from("O-999"));
    other.ladders.insert(Some(own), ladder);
    other
}

fn calendar(version: &str, lines: &str) -> Calendar {
    Calendar::parse(&format!("version,{version}\n{lines}")).unwrap()
}

async fn journal(world: &World, subject: &str) -> Vec<JournalEntry> {
    world.store.trace(&ApplicationId::from(subject)).await.unwrap()
}

pub(crate) async fn the_organisation_is_replaced_whole_and_journalled_without_contacts(world: World) {
    assert_eq!(world.store.organisation().await.unwrap(), Organisation::default());
    let sample = organisation(ORGANISATION_TOML);
    world.store.import_organisation(&sample, "first").await.unwrap();
    assert_eq!(world.other.organisation().await.unwrap(), sample);
    world.other.import_organisation(&sample, "again").await.unwrap();
    world.other.import_organisation(&another(), "second").await.unwrap();
    assert_eq!(world.store.organisation().await.unwrap(), another());
    let rows = journal(&world, "organisation").await;
    assert_eq!(rows.iter().map(|row| row.by.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    let detail = &rows[1].detail;
    assert_eq!(detail["departments"]["removed"], serde_json::json!(["D-TRA"]));
    assert_eq!(
        (&detail["officers"]["added"], &detail["officers"]["count"]),
        (&serde_json::json!(["O-999"]), &53.into())
    );
    let told = serde_json::to_string(&rows.iter().map(|row| &row.detail).collect::<Vec<_>>()).unwrap();
    for personal in ["+86", "example.com", sample.officers[&OfficerId::from("O-101")].name.as_str()] {
        assert!(!told.contains(personal), "{personal} in {told}");
    }
    world.store.import_organisation(&Organisation::default(), "third").await.unwrap();
    assert_eq!(world.store.organisation().await.unwrap(), Organisation::default());
}

pub(crate) async fn calendars_amend_each_other_in_the_order_of_their_imports(world: World) {
    let embedded = Calendar::mainland_china().unwrap();
    assert_eq!(world.store.calendar().await.unwrap(), embedded);
    let first = calendar("cn-2027-1", "year,2027,x\noff,2027-01-01,元旦\n");
    let second = calendar("cn-2027-2", "year,2027,amended\noff,2027-01-01,元旦\noff,2027-01-04,台风\n");
    world.store.import_calendar(&first, "one").await.unwrap();
    world.pass(jiff::SignedDuration::from_secs(1));
    world.other.import_calendar(&second, "two").await.unwrap();
    // Once more, in whatever order: nothing changes, neither what is in force nor who brought it.
    for known in [&first, &second, &embedded] {
        world.store.import_calendar(known, "again").await.unwrap();
    }
    let all = world.other.calendars().await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.version.as_str(), one.imported_by.as_str())).collect();
    assert_eq!(told, [("cn-2027-1", "one"), ("cn-2027-2", "two")]);
    assert!(all[0].imported_at < all[1].imported_at && all[1].text == second.to_string());
    let force = world.store.calendar().await.unwrap();
    assert_eq!(force.version(), "cn-2027-2");
    assert_eq!(force.is_workday(date(2027, 1, 4)), Ok(false));
    assert_eq!(force.is_workday(date(2026, 10, 1)), Ok(false));
    for version in ["cn-2027-1", embedded.version()] {
        let refused = world.store.import_calendar(&calendar(version, "year,2028,x\n"), "three").await;
        assert!(matches!(&refused, Err(StoreError::Conflict(why)) if why.contains(version)), "{refused:?}");
    }
    assert_eq!(world.store.calendar().await.unwrap(), force);
    let rows = journal(&world, "calendar").await;
    let versions: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.detail.to_string())).collect();
    let imported = |version: &str| ("calendar.imported", format!(r#"{{"version":"{version}","years":[2027]}}"#));
    assert_eq!(versions, [imported("cn-2027-1"), imported("cn-2027-2")]);
}

pub(crate) async fn imports_at_once_leave_one_whole_state(world: World) {
    let sample = organisation(ORGANISATION_TOML);
    let other = another();
    let (first, second) =
        tokio::join!(world.store.import_organisation(&sample, "one"), world.other.import_organisation(&other, "two"));
    first.and(second).unwrap();
    let found = world.store.organisation().await.unwrap();
    assert!(found == sample || found == other, "one of the two, whole");
    let new = calendar("cn-2027-1", "year,2027,x\n");
    let (first, second) =
        tokio::join!(world.store.import_calendar(&new, "one"), world.other.import_calendar(&new, "two"));
    first.and(second).unwrap();
    assert_eq!(world.store.calendars().await.unwrap().len(), 1);
    assert_eq!(journal(&world, "calendar").await.len(), 1);
}
