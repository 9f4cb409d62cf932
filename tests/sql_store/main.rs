//! The store on SQLite and on PostgreSQL, end to end: from an approval to a settled payout, with a crash in between, two
//! processes at once, and what a database refuses. What every store must do in general is the conformance suite's affair.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod case_files;
mod crowd;
mod digests;
mod notices;
mod notices_aside;
mod patterns;
mod place;
mod story;
mod supervisors;
mod tampered;
mod unknown;

use place::{Place, Postgres, SqliteFile};
use zhida_core::ids::DepartmentId;
use zhida_core::organisation::{Department, Organisation};
use zhida_core::ports::supervision::OrganisationStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_paid_on_sqlite() {
    story::paid(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_paid_on_postgresql() {
    let database = Postgres::new().await;
    story::paid(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_claim_is_survived_on_sqlite() {
    story::crash_after_claim(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_after_the_claim_is_survived_on_postgresql() {
    let database = Postgres::new().await;
    story::crash_after_claim(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_intakes_of_the_same_events_make_one_payout_on_sqlite() {
    story::two_intakes(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_intakes_of_the_same_events_make_one_payout_on_postgresql() {
    let database = Postgres::new().await;
    story::two_intakes(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_acts_and_quarantine_on_sqlite() {
    story::holds_and_acts(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_acts_and_quarantine_on_postgresql() {
    let database = Postgres::new().await;
    story::holds_and_acts(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_keeps_its_invariants_on_sqlite() {
    story::refusals(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_keeps_its_invariants_on_postgresql() {
    let database = Postgres::new().await;
    story::refusals(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tampered_row_holds_up_no_other_on_sqlite() {
    tampered::an_unreadable_row(&SqliteFile::new().place()).await;
    tampered::an_unreadable_member(&SqliteFile::new().place()).await;
    tampered::a_refused_change(&SqliteFile::new().place()).await;
    tampered::an_unreadable_batch(&SqliteFile::new().place()).await;
    case_files::an_unreadable_event(&SqliteFile::new().place()).await;
    case_files::an_unreadable_organisation(&SqliteFile::new().place()).await;
    digests::an_unreadable_row(&SqliteFile::new().place()).await;
    patterns::an_unreadable_pattern(&SqliteFile::new().place()).await;
    notices::an_unreadable_notice(&SqliteFile::new().place()).await;
    notices::an_unreadable_subject(&SqliteFile::new().place()).await;
    notices::a_refused_notice(&SqliteFile::new().place()).await;
    notices_aside::a_request_of_an_unknown_kind(&SqliteFile::new().place()).await;
    notices_aside::templates_of_another_version(&SqliteFile::new().place()).await;
    notices_aside::unreadable_surroundings(&SqliteFile::new().place()).await;
    notices_aside::an_unreadable_switch(&SqliteFile::new().place()).await;
    notices_aside::an_unreadable_subject_of_whom_an_address_came(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tampered_row_holds_up_no_other_on_postgresql() {
    for number in 0..17 {
        let database = Postgres::new().await;
        let place = database.place();
        match number {
            0 => tampered::an_unreadable_row(&place).await,
            1 => tampered::an_unreadable_member(&place).await,
            2 => tampered::an_unreadable_batch(&place).await,
            3 => case_files::an_unreadable_event(&place).await,
            4 => case_files::an_unreadable_organisation(&place).await,
            5 => patterns::an_unreadable_pattern(&place).await,
            6 => digests::an_unreadable_row(&place).await,
            7 => notices::an_unreadable_notice(&place).await,
            8 => notices::an_unreadable_subject(&place).await,
            9 => notices::a_refused_notice(&place).await,
            10 => notices_aside::a_request_of_an_unknown_kind(&place).await,
            11 => notices_aside::templates_of_another_version(&place).await,
            12 => notices_aside::unreadable_surroundings(&place).await,
            13 => notices_aside::an_unreadable_switch(&place).await,
            14 => notices_aside::a_taking_that_breaks_off(&place).await,
            15 => notices_aside::an_unreadable_subject_of_whom_an_address_came(&place).await,
            _ => tampered::a_refused_change(&place).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_database_is_refused_on_sqlite() {
    story::wrong_database(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_database_is_refused_on_postgresql() {
    let database = Postgres::new().await;
    story::wrong_database(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_at_once_on_sqlite() {
    crowd::everybody_at_once(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_at_once_on_postgresql() {
    let database = Postgres::new().await;
    crowd::everybody_at_once(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_workers_make_one_digest_on_sqlite() {
    digests::ten_workers_make_one(&SqliteFile::new().place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_supervision_workers_at_once_on_postgresql() {
    let database = Postgres::new().await;
    supervisors::ten_at_once(&database.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_supervision_workers_at_once_on_sqlite() {
    let file = SqliteFile::new();
    supervisors::ten_at_once(&file.place()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_on_postgresql() {
    let stories: [fn(Place) -> Told; 7] = [
        |place| Box::pin(async move { notices::a_higher_ceiling(&place).await }),
        |place| Box::pin(async move { notices::a_higher_ceiling_of_the_day(&place).await }),
        |place| Box::pin(async move { notices::ten_workers_at_once(&place).await }),
        |place| Box::pin(async move { notices::an_erasure_leaves_the_proof(&place).await }),
        |place| Box::pin(async move { notices::what_was_asked_for_before_is_never_sent(&place).await }),
        |place| Box::pin(async move { notices::a_taking_reads_what_is_due(&place).await }),
        |place| Box::pin(async move { notices_aside::a_receipt_beside_its_answer(&place).await }),
    ];
    for story in stories {
        let database = Postgres::new().await;
        story(database.place()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_on_sqlite() {
    notices::a_higher_ceiling(&SqliteFile::new().place()).await;
    notices::a_higher_ceiling_of_the_day(&SqliteFile::new().place()).await;
    notices::ten_workers_at_once(&SqliteFile::new().place()).await;
    notices::an_erasure_leaves_the_proof(&SqliteFile::new().place()).await;
    notices::what_was_asked_for_before_is_never_sent(&SqliteFile::new().place()).await;
    notices::a_taking_reads_what_is_due(&SqliteFile::new().place()).await;
}

/// `serve` works with the rights that the README names, and has no more than these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_rights_suffice_on_postgresql() {
    let stories: [fn(Place) -> Told; 6] = [
        |place| Box::pin(async move { story::paid(&place).await }),
        |place| Box::pin(async move { story::crash_after_claim(&place).await }),
        |place| Box::pin(async move { story::holds_and_acts(&place).await }),
        |place| Box::pin(async move { crowd::everybody_at_once(&place).await }),
        |place| Box::pin(async move { digests::ten_workers_make_one(&place).await }),
        |place| Box::pin(async move { notices::ten_workers_at_once(&place).await }),
    ];
    for story in stories {
        let database = Postgres::new().await;
        let place = database.place().with_least_rights().await;
        story(place.clone()).await;
        for statement in ["create table more (id text)", "alter table payouts add more text", "delete from payouts"] {
            let refused = place.execute(statement).await.unwrap_err();
            assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{refused}");
        }
        place.drop_least_rights().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organisation_is_imported_with_the_rights_that_the_readme_names() {
    let database = Postgres::new().await;
    let place = database.place().with_least_rights().await;
    let store = place.open().await;
    let department = Department { id: DepartmentId::from("D-1"), name: "财政局".to_owned(), parent_id: None };
    let departments = [(department.id.clone(), department)].into();
    let organisation = Organisation { departments, ..Organisation::default() };
    let refused = store.import_organisation(&organisation, "test").await.unwrap_err().to_string();
    assert!(refused.contains("permission denied"), "{refused}");
    place.grant_imports().await;
    store.import_organisation(&organisation, "test").await.unwrap();
    assert_eq!(store.organisation().await.unwrap(), organisation);
    store.close().await;
    place.drop_least_rights().await;
}

type Told = std::pin::Pin<Box<dyn Future<Output = ()>>>;

#[test]
fn a_second_worker_on_one_file_is_refused() {
    let file = SqliteFile::new();
    let url = file.place().settings.url;
    let first = zhida_adapters::store::WorkerLock::take(&url).unwrap();
    assert!(first.is_some());
    let second = zhida_adapters::store::WorkerLock::take(&url).unwrap_err();
    assert!(second.to_string().contains("another worker process"), "{second}");
    drop(first);
    assert!(zhida_adapters::store::WorkerLock::take(&url).unwrap().is_some());
}
