//! What processes cost, read from Linux's /proc: CPU seconds of everything this program started, part by part, and the
//! largest memory a process ever had.

use std::collections::BTreeMap;
use std::fs;

/// Clock ticks of /proc in a second; the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// CPU seconds by part, children that have ended included.
#[derive(Clone, Debug, Default)]
pub(crate) struct CpuSeconds(pub(crate) BTreeMap<&'static str, f64>);

impl CpuSeconds {
    /// Of this process and all its descendants as they are now. `banks`: which of them are the sandbox's bank.
    pub(crate) fn now(banks: &[u32]) -> Self {
        let processes = all_processes();
        let mut seconds = BTreeMap::new();
        let own = std::process::id();
        for (id, process) in &processes {
            if !descends(&processes, *id, own) {
                continue;
            }
            let part = match process.name.as_str() {
                _ if *id == own => "benchmark",
                "zhida" if banks.contains(id) => "bank",
                "zhida" => "zhida",
                "postgres" => "postgres",
                _ => "rabbitmq",
            };
            *seconds.entry(part).or_default() += process.seconds;
        }
        Self(seconds)
    }

    /// What was spent since an earlier reading.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let spent = |(part, seconds): (&&'static str, &f64)| (*part, seconds - earlier.0.get(part).unwrap_or(&0.0));
        Self(self.0.iter().map(spent).collect())
    }

    /// Of one part.
    pub(crate) fn of(&self, part: &str) -> f64 {
        self.0.get(part).copied().unwrap_or_default()
    }

    /// Of all parts.
    pub(crate) fn sum(&self) -> f64 {
        self.0.values().sum()
    }
}

/// The most memory a process ever held, in MB.
pub(crate) fn peak_memory(id: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches("kB").trim().parse::<f64>().unwrap_or_default() / 1024.0
}

struct Process {
    parent: u32,
    name: String,
    seconds: f64,
}

fn all_processes() -> BTreeMap<u32, Process> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // A process may end between the listing and the reading.
    ids.filter_map(|id| Some((id, read(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?))).collect()
}

/// A line of /proc/PID/stat: the name stands in brackets and may hold anything; then state, parent, …, and as fields 14 to
/// 17 the ticks of the process and of its ended children.
fn read(stat: &str) -> Option<Process> {
    let (head, tail) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks: f64 = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(Process { parent: fields.get(1)?.parse().ok()?, name: name.to_owned(), seconds: ticks / TICKS })
}

fn descends(processes: &BTreeMap<u32, Process>, id: u32, ancestor: u32) -> bool {
    let mut at = id;
    while at != ancestor {
        match processes.get(&at) {
            Some(process) if process.parent != 0 => at = process.parent,
            _ => return false,
        }
    }
    true
}
