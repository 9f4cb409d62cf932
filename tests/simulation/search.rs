//! Looks for the lowest seed whose history fails, on all processors, and tells its story.

use crate::history::{Failure, Seen, Trace};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Plays the history of a seed.
pub(crate) trait Play: Fn(u64, Trace) -> Result<Seen, Failure> + Sync {}

impl<F: Fn(u64, Trace) -> Result<Seen, Failure> + Sync> Play for F {}

/// Plays `ZHIDA_SEED`, else as many seeds as `ZHIDA_SEEDS` says, else `seeds`; a failing one is told with the command that plays it.
pub(crate) fn all_come_to_rest(seeds: u64, test: &str, play: impl Play) {
    let fails = |seed| guarded(seed, Trace::On, &play).err().map(|failure| story(seed, test, &failure));
    if let Some(seed) = number("ZHIDA_SEED") {
        if let Some(story) = fails(seed) {
            panic!("{story}");
        }
        println!("seed {seed} comes to rest");
        return;
    }
    if let Some((seed, _)) = first_failure(0..number("ZHIDA_SEEDS").unwrap_or(seeds), &play) {
        panic!("{}", fails(seed).expect("the same seed is the same history"));
    }
}

/// Everything that came about in these histories; one that fails is another test's affair.
pub(crate) fn seen_in(seeds: Range<u64>, play: impl Play) -> Seen {
    seeds.filter_map(|seed| guarded(seed, Trace::Off, &play).ok()).flatten().collect()
}

/// The lowest seed of the range that fails, found on all processors.
pub(crate) fn first_failure(seeds: Range<u64>, play: &impl Play) -> Option<(u64, Failure)> {
    let next = AtomicU64::new(seeds.start);
    let found: Mutex<Option<(u64, Failure)>> = Mutex::new(None);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || found.lock().unwrap().as_ref().is_some_and(|(first, _)| *first < seed) {
                        return;
                    }
                    if let Err(failure) = guarded(seed, Trace::Off, play) {
                        let mut found = found.lock().unwrap();
                        if found.as_ref().is_none_or(|(first, _)| seed < *first) {
                            *found = Some((seed, failure));
                        }
                        return;
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// A panic of the code under test is a finding like any other.
fn guarded(seed: u64, trace: Trace, play: &impl Play) -> Result<Seen, Failure> {
    catch_unwind(AssertUnwindSafe(|| play(seed, trace))).unwrap_or_else(|_| {
        let findings = vec!["the code under test panicked (its message stands above)".to_owned()];
        Err(Failure { findings, trace: Vec::new() })
    })
}

fn story(seed: u64, test: &str, failure: &Failure) -> String {
    format!(
        "{}\n\nseed {seed} failed:\n  {}\n\nrun it again:\n  ZHIDA_SEED={seed} cargo nextest run -p zhida-tests --test simulation --no-capture {test}",
        failure.trace.join("\n"),
        failure.findings.join("\n  "),
    )
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}
