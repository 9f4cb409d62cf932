//! The benchmark: payouts per second through the real binary on PostgreSQL and RabbitMQ, from messages waiting in the queue to
//! settled, beside the raw limit of the same machine in the same run (see `raw`), and through SQLite with the embedded queue.
//! Not a test: it judges no figure, but it does check that everything was paid once.
//!
//! `tests/bench/run [--full | SIZE …] [--processes N] [--statements]`; `tests/bench/run supervision …` and `tests/bench/run notices …`
//! are others (`supervision`, `notices`).

// A benchmark may fail loudly.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod district;
mod meter;
mod notices;
mod paid;
mod raw;
mod recorded;
mod small;
mod supervision;
mod world;

use paid::Figures;
use world::World;

/// Payouts in a run that takes about a minute.
const QUICK: [usize; 1] = [1_000];
/// Payouts in the runs whose figures stand in the README.
const FULL: [usize; 3] = [1_000, 10_000, 50_000];

struct Wishes {
    sizes: Vec<usize>,
    processes: usize,
    statements: bool,
}

fn wishes() -> Wishes {
    let mut wishes = Wishes { sizes: Vec::new(), processes: 1, statements: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--full" => wishes.sizes.extend(FULL),
            "--statements" => wishes.statements = true,
            "--processes" => wishes.processes = arguments.next().and_then(|n| n.parse().ok()).expect("a number"),
            // What `cargo bench` adds.
            "--bench" => {}
            size => {
                wishes.sizes.push(size.parse().expect("--full, --statements, --processes N, or numbers of payouts"))
            }
        }
    }
    if wishes.sizes.is_empty() {
        wishes.sizes.extend(QUICK);
    }
    wishes
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == "supervision").is_some() {
        return supervision::run(arguments.collect()).await;
    }
    if arguments.next_if(|first| first == "notices").is_some() {
        return notices::run(arguments.collect()).await;
    }
    let wishes = wishes();
    let world = tokio::task::spawn_blocking(World::start).await.unwrap();
    println!("{} cores, {} processes of zhida serve", std::thread::available_parallelism().unwrap(), wishes.processes);
    println!("{}", Figures::head());
    for size in wishes.sizes.iter().copied() {
        let approvals = world.district.approvals(0, size);
        let (real, recorded) = paid::measure(&world, &approvals, &wishes).await;
        println!("{}", real.row("zhida"));
        let raw = raw::measure(&world, &approvals, recorded).await;
        println!("{}", raw.row("raw limit"));
        // By the clock on a quiet machine; where others work beside it, CPU time is the fairer measure.
        let (clock, cpu) = (real.per_second() / raw.per_second(), raw.cpu.sum() / real.cpu.sum());
        println!("{size}: zhida reaches {clock:.2} of the raw limit by the clock, {cpu:.2} by CPU time");
        let small = small::measure(&world, &approvals).await;
        println!("{}", small.row("SQLite"));
    }
}
