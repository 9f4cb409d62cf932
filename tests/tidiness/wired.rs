//! What is made is also used: a metric that nobody sets, a queue that nobody reads, are found by reading the sources.
//! Whether they are used rightly is for other tests.

use crate::{assert_tidy, files};
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(files::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_metric_is_set_by_a_worker() {
    let source = read("monitoring/src/metrics/mod.rs");
    let (_, methods) = source.split_once("impl Metrics {").expect("the metrics");
    let (methods, _) = methods.split_once("\n}\n").expect("their end");
    let names: Vec<&str> = methods
        .split("pub fn ")
        .skip(1)
        .filter_map(|rest| rest.split_once("(&self"))
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_'))
        .collect();
    assert!(names.len() > 10, "only {names:?} found: does the test still read what is there?");
    let workers: Vec<files::TextFile> =
        files::rust().into_iter().filter(|file| file.is_product() && file.path.starts_with("workers/")).collect();
    let called = |name: &str| workers.iter().any(|file| file.text.contains(&format!(".{name}(")));
    let idle = names.iter().filter(|name| !called(name));
    assert_tidy(
        "every method of Metrics is called in workers/",
        &idle.map(|name| (*name).to_owned()).collect::<Vec<_>>(),
    );
}

#[test]
fn every_queue_is_consumed() {
    let topology = read("workers/adapters/src/transport/rabbitmq/topology.rs");
    let (_, variants) = topology.split_once("pub enum Queue {").expect("the queues");
    let (variants, _) = variants.split_once('}').expect("their end");
    let queues: Vec<&str> = variants
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.strip_suffix(','))
        .collect();
    assert!(queues.len() >= 4, "only {queues:?} found: does the test still read what is there?");
    let serve = read("workers/zhida/src/serve.rs");
    let idle = queues.iter().filter(|queue| !serve.contains(&format!("consumer(Queue::{queue},")));
    assert_tidy("every queue has its consumer in serve", &idle.map(|queue| (*queue).to_owned()).collect::<Vec<_>>());
}
