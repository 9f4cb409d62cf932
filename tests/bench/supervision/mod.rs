//! The benchmark of supervision, on a durable PostgreSQL: what a sweep costs while more and more clocks run and the same number
//! is due; figures, and imports that concern everything; events a second into case files, beside plain inserts of the same rows.
//! Through the store's ports, without a queue. Judges no figure, but checks that what was due was raised, once.

mod crowd;
mod intake;
mod place;

use crate::meter::CpuSeconds;
use crowd::DUE;
use place::Place;
use std::time::Instant;
use zhida_config::Calendar;
use zhida_core::ids::OfficerId;
use zhida_core::ports::cases::{AlertFilter, CaseStore};
use zhida_core::ports::store::{ReadStore, Which};
use zhida_core::ports::supervision::OrganisationStore;
use zhida_tests::servers::PostgresServer;

/// Running clocks in a run of a few minutes.
const QUICK: [usize; 2] = [10_000, 100_000];
/// Running clocks in the runs whose figures stand in the README.
const FULL: [usize; 2] = [100_000, 1_000_000];

/// As the default of `supervision.batch_max`.
const BATCH_MAX: u32 = 200;

/// Events that are taken in.
const EVENTS: usize = 20_000;

/// What a piece of work cost.
struct Cost {
    seconds: f64,
    cpu: CpuSeconds,
    /// Statements, rows they touched or gave, and pages they looked at; zeros when the server does not count them.
    statements: i64,
    rows: i64,
    pages: i64,
}

/// `tests/bench/run supervision [--full | CLOCKS …]`
pub(crate) async fn run(arguments: Vec<String>) {
    let mut sizes: Vec<usize> = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--full" => sizes.extend(FULL),
            "--bench" => {}
            size => sizes.push(size.parse().expect("--full, or numbers of clocks")),
        }
    }
    if sizes.is_empty() {
        sizes.extend(QUICK);
    }
    let server = tokio::task::spawn_blocking(place::server).await.unwrap();
    println!("{} cores; {DUE} clocks are due in every sweep", std::thread::available_parallelism().unwrap());
    println!("| clocks | | seconds | CPU s | of which postgres | statements | rows | pages |\n|{}", "---|".repeat(8));
    let mut sweeps = Vec::new();
    for clocks in sizes {
        sweeps.push((clocks, of_so_many(&server, clocks).await));
    }
    if let [(few, small), .., (many, large)] = sweeps.as_slice() {
        let (clock, cpu, pages) =
            (large.seconds / small.seconds, large.cpu.sum() / small.cpu.sum(), large.pages as f64 / small.pages as f64);
        println!(
            "{many} clocks instead of {few}, as many due: a sweep costs {clock:.2} times the time, {cpu:.2} times the CPU \
             time, {pages:.2} times the pages"
        );
    }
    intake::measure(&server, EVENTS).await;
}

/// Everything with so many clocks running; the cost of the sweep.
async fn of_so_many(server: &PostgresServer, clocks: usize) -> Cost {
    let place = Place::new(server).await;
    let organisation = place.with_organisation().await;
    place.begin_at_the_close().await;
    let began = Instant::now();
    crowd::load(&place, clocks).await;
    let running = place.number("select count(*) from clocks where ended_at is null").await;
    println!("| {running} | loading them | {:.1} |", began.elapsed().as_secs_f64());
    let row = |what: &str, cost: &Cost| println!("| {running} | {what} | {} |", cost.row());
    let sweep = place.cost(sweep(&place)).await;
    row(&format!("a sweep, {DUE} due"), &sweep);
    let told = place.number("select count(*) from alert_rungs").await;
    assert_eq!(told, i64::try_from(DUE).unwrap(), "one rung for each clock that is due");
    row("a sweep, nothing due", &place.cost(sweep_once(&place)).await);
    row("figures", &place.cost(figures(&place)).await);
    row("one application's case file", &place.cost(one_case(&place)).await);
    row("100 open alerts listed", &place.cost(listed(&place)).await);
    let mut imported = organisation;
    imported.officers.get_mut(&OfficerId::from("O-101")).unwrap().name.push('新');
    let work = async { place.store.import_organisation(&imported, "bench").await.unwrap() };
    row("import of an organisation", &place.cost(work).await);
    row("2,000 looked at anew after it", &place.cost(looks(&place, 10)).await);
    let calendar = Calendar::parse("version,bench\nyear,2027,bench\noff,2027-01-01,元旦\n").unwrap();
    let work = async { place.store.import_calendar(&calendar, "bench").await.unwrap() };
    row("import of a calendar", &place.cost(work).await);
    // What becomes due meanwhile goes first.
    let first = place.one_more_is_due().await;
    sweep_once(&place).await;
    assert_eq!(place.number("select count(*) from alert_rungs").await, told + 1, "{first} waited behind an import");
    place.close().await;
    sweep
}

async fn sweep(place: &Place) {
    while sweep_once(place).await >= BATCH_MAX {}
}

async fn sweep_once(place: &Place) -> u32 {
    place.store.look_at_cases(BATCH_MAX).await.unwrap()
}

async fn looks(place: &Place, times: u32) {
    for _ in 0..times {
        assert_eq!(sweep_once(place).await, BATCH_MAX);
    }
}

async fn figures(place: &Place) {
    let figures = place.store.figures().await.unwrap();
    assert_eq!(figures.alerts_open.0, DUE as u64);
}

async fn one_case(place: &Place) {
    assert!(place.store.case(&crowd::application(1)).await.unwrap().is_some());
}

async fn listed(place: &Place) {
    let filter = AlertFilter { which: Which::Open, department_id: None, limit: 100 };
    assert_eq!(place.store.alerts(&filter).await.unwrap().len(), 100.min(DUE));
}

impl Cost {
    fn row(&self) -> String {
        let count = |count: i64| if count == 0 { "–".to_owned() } else { count.to_string() };
        format!(
            "{:.3} | {:.2} | {:.2} | {} | {} | {}",
            self.seconds,
            self.cpu.sum(),
            self.cpu.of("postgres"),
            count(self.statements),
            count(self.rows),
            count(self.pages)
        )
    }
}
