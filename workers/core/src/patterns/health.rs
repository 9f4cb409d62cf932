//! The health of a policy in one word, with the figures behind it. Several may be true: what was promised and not paid comes first,
//! then what should be over, then unequal treatment, then what does not move, then what nobody uses.

use super::policies::{late_applications, late_awards, unpaid};
use super::{CaseFacts, Figure, Material, Rule};
use crate::ids::PolicyId;
use crate::money::Fen;
use crate::steps::Policy;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How a policy fares. In the order in which they take precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// 画饼: approved, and not paid for longer than may be.
    Unpaid,
    /// 过期: applications taken, or awards paid, after its last day.
    Expired,
    /// 人情: equal cases treated unequally.
    Favour,
    /// 僵尸: open applications, and nothing moves.
    Zombie,
    /// 纸上: open, and nobody ever applied.
    Paper,
    /// Nothing of this.
    Alive,
}

impl HealthWord {
    /// Every word, in the order of precedence.
    pub const ALL: [Self; 6] = [Self::Unpaid, Self::Expired, Self::Favour, Self::Zombie, Self::Paper, Self::Alive];

    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unpaid => "unpaid",
            Self::Expired => "expired",
            Self::Favour => "favour",
            Self::Zombie => "zombie",
            Self::Paper => "paper",
            Self::Alive => "alive",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.code() == code)
    }

    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Unpaid => ("画饼", "unpaid promise"),
            Self::Expired => ("过期", "expired"),
            Self::Favour => ("人情（待核实）", "favour, to be looked at"),
            Self::Zombie => ("僵尸", "zombie"),
            Self::Paper => ("纸上", "on paper"),
            Self::Alive => ("正常", "alive"),
        }
    }
}

/// Where a policy stands in its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its first day is to come.
    NotYetOpen,
    /// Applications are taken.
    Open,
    /// Its last day is over.
    Ended,
}

impl Phase {
    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::NotYetOpen => ("未开始", "not yet open"),
            Self::Open => ("开放中", "open"),
            Self::Ended => ("已结束", "ended"),
        }
    }
}

/// How a policy fares, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Which policy.
    pub policy_id: PolicyId,
    /// The word.
    pub word: HealthWord,
    /// What else is true of it, in the order of precedence.
    pub also: Vec<HealthWord>,
    /// Where it stands in its own time.
    pub phase: Phase,
    /// The figures behind the word.
    pub figures: Vec<Figure>,
}

/// How every policy fares, by id; by the thresholds of the rules, whether or not these are switched on.
#[must_use]
pub fn health(material: &Material<'_>) -> Vec<Health> {
    let mut by_policy = material.by_policy();
    let of_policies = |rule: Rule| -> BTreeMap<PolicyId, u64> {
        let found = rule.find(material).into_iter();
        found.filter_map(|one| Some((one.evidence.policy_id?, one.evidence.strength))).fold(
            BTreeMap::new(),
            |mut sums, (id, strength)| {
                *sums.entry(id).or_default() += strength;
                sums
            },
        )
    };
    let (jumps, unused) = (of_policies(Rule::QueueJump), of_policies(Rule::PolicyUnused));
    let examined = |policy: &Policy| {
        let cases = by_policy.remove(&policy.id).unwrap_or_default();
        let jumps = jumps.get(&policy.id).copied().unwrap_or_default();
        examine(policy, &cases, jumps, unused.get(&policy.id).copied(), material)
    };
    material.policies.values().map(examined).collect()
}

fn examine(
    policy: &Policy,
    cases: &[&CaseFacts],
    jumps: u64,
    unused_days: Option<u64>,
    material: &Material<'_>,
) -> Health {
    let owed = unpaid(cases, material);
    let (late, paid_late) = policy.valid_to.map_or_else(Default::default, |last| {
        (late_applications(cases, last, material).len(), late_awards(cases, last, material).len())
    });
    let still = standstill(cases, material);
    let mut words = BTreeSet::new();
    for (word, holds) in [
        (HealthWord::Unpaid, owed.is_some()),
        (HealthWord::Expired, late + paid_late > 0),
        (HealthWord::Favour, jumps > 0),
        (HealthWord::Zombie, still.is_some_and(|days| days >= zombie_days(material))),
        (HealthWord::Paper, unused_days.is_some()),
    ] {
        if holds {
            words.insert(word);
        }
    }
    let awards = || cases.iter().flat_map(|case| &case.awards);
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let mut figures = vec![
        figure("applications", count(cases.len()), ""),
        figure("open", count(cases.iter().filter(|case| case.is_open()).count()), ""),
        figure("awarded", count(cases.iter().filter(|case| case.is_awarded()).count()), ""),
        figure("credited", awards().filter(|one| one.credited_at.is_some()).map(|one| one.amount.0).sum(), "fen"),
    ];
    let (unpaid_count, unpaid_sum) = owed.map_or((0, Fen::ZERO), |(ids, sum, _)| (ids.len(), sum));
    figures.push(figure("unpaid", count(unpaid_count), ""));
    figures.push(figure("unpaid_sum", unpaid_sum.0, "fen"));
    figures.push(figure("late_applications", count(late), ""));
    figures.push(figure("late_awards", count(paid_late), ""));
    figures.push(figure("queue_jumps", i64::try_from(jumps).unwrap_or(i64::MAX), ""));
    if let Some(days) = still {
        figures.push(figure("still", days, "working_days"));
    }
    if let Some(days) = unused_days {
        figures.push(figure("unused", i64::try_from(days).unwrap_or(i64::MAX), "days"));
    }
    let mut words = words.into_iter();
    let word = words.next().unwrap_or(HealthWord::Alive);
    Health { policy_id: policy.id.clone(), word, also: words.collect(), phase: phase(policy, material), figures }
}

fn figure(name: &str, value: i64, unit: &str) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned() }
}

fn phase(policy: &Policy, material: &Material<'_>) -> Phase {
    let today = material.today();
    if today < policy.valid_from {
        Phase::NotYetOpen
    } else if policy.valid_to.is_some_and(|last| last < today) {
        Phase::Ended
    } else {
        Phase::Open
    }
}

fn zombie_days(material: &Material<'_>) -> i64 {
    i64::from(material.thresholds.health.zombie_working_days)
}

/// Whole working days for which nothing has moved under the policy although an application lies open that waits for nobody outside.
/// That further applications come in moves nothing; those that lie there have done so since the first of them came.
fn standstill(cases: &[&CaseFacts], material: &Material<'_>) -> Option<i64> {
    let lying = cases.iter().filter(|case| case.is_open() && !case.waits);
    let lies_since = lying.filter_map(|case| case.submitted_at.or(case.moved_at)).min()?;
    let moved_at = cases.iter().filter_map(|case| case.moved_at).fold(lies_since, Timestamp::max);
    Some(material.time.minutes_between(moved_at, material.now) / material.time.minutes_of_a_day().max(1))
}
