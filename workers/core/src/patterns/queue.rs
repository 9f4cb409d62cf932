//! Queue jumps: of two equal applications in one step the later one is approved while the earlier one waits.
//!
//! Equal: the same policy, the same way of applying, the same stage in the same department, neither paused nor sent back nor asked
//! for a supplement, the earlier one there first, and not refused in the end. What was overtaken by several, or by what several
//! overtook, is one pattern: it bears the name of the application that was submitted first.

use super::{CaseFacts, Evidence, Found, Material, Rule, StepFacts, Subject};
use crate::ids::{ApplicationId, PolicyId};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use zhida_schemas::application::Mode;
use zhida_schemas::review::{Decision, Stage};

/// A queue that is served in the order of arrival.
type Queue<'a> = (&'a PolicyId, Mode, Stage, &'a str);

/// One application in a queue.
struct Place<'a> {
    id: &'a ApplicationId,
    submitted_at: Timestamp,
    /// Whoever was submitted from then on is later by the margin.
    later_from: Timestamp,
    arrived_at: Timestamp,
    left: Left,
}

/// How an application left a queue.
enum Left {
    /// Approved, at that time; whoever leaves from the second time on is served later by the margin.
    Approved(Timestamp, Timestamp),
    /// It is there still, or left it otherwise at that time.
    Waits(Timestamp),
}

pub(super) fn queue_jump(material: &Material<'_>) -> Vec<Found> {
    let mut queues: BTreeMap<Queue<'_>, Vec<Place<'_>>> = BTreeMap::new();
    for case in material.cases.iter().filter(|case| is_plain(case)) {
        let (Some(policy_id), Some(submitted_at)) = (&case.policy_id, case.submitted_at) else { continue };
        for step in &case.steps {
            let Some(left) = left(step, material) else { continue };
            let margin = material.thresholds.queue_jump.margin_working_hours;
            let later_from = material.time.after_hours(submitted_at, margin).at;
            let place = Place { id: &case.application_id, submitted_at, later_from, arrived_at: step.started_at, left };
            queues.entry((policy_id, case.mode, step.stage, &step.department)).or_default().push(place);
        }
    }
    queues.into_iter().flat_map(|(queue, places)| found_in(queue, places, material)).collect()
}

/// Neither sent back nor asked for a supplement, and not refused: such cases are not equal to others.
fn is_plain(case: &CaseFacts) -> bool {
    case.supplements.is_empty() && case.returns.is_empty() && !case.is_refused()
}

/// How it left the step. None where the step was paused, or ended by a refusal.
fn left(step: &StepFacts, material: &Material<'_>) -> Option<Left> {
    if !step.pauses.is_empty() {
        return None;
    }
    match step.ended {
        None => Some(Left::Waits(material.now)),
        Some((at, None)) => Some(Left::Waits(at)),
        Some((at, Some(Decision::Approve))) => {
            let margin = material.thresholds.queue_jump.margin_working_hours;
            Some(Left::Approved(at, material.time.after_hours(at, margin).at))
        }
        Some((_, Some(Decision::Reject | Decision::Return))) => None,
    }
}

fn found_in(queue: Queue<'_>, places: Vec<Place<'_>>, material: &Material<'_>) -> Vec<Found> {
    let pairs = overtaken(&places);
    // By application: one that came into the same step twice has two places in the queue, and one name.
    let mut groups: BTreeMap<&ApplicationId, BTreeSet<(usize, usize)>> = BTreeMap::new();
    let roots = roots(&places, &pairs);
    for pair in pairs {
        groups.entry(places[roots[pair.0]].id).or_default().insert(pair);
    }
    groups.into_values().filter_map(|pairs| found(queue, &places, &pairs, material)).collect()
}

/// Pairs of the one that waits and the one that was approved before it.
fn overtaken(places: &[Place<'_>]) -> Vec<(usize, usize)> {
    let mut approved: Vec<(Timestamp, Timestamp, usize)> = Vec::new();
    let mut arrivals: Vec<usize> = (0..places.len()).collect();
    for (number, place) in places.iter().enumerate() {
        if let Left::Approved(at, clearly_before) = place.left {
            approved.push((at, clearly_before, number));
        }
    }
    approved.sort_unstable();
    arrivals.sort_unstable_by_key(|number| places[*number].arrived_at);
    let mut arrivals = arrivals.into_iter().peekable();
    // Those who are in the queue, by submission: of these only what was submitted before is of interest.
    let mut waiting: BTreeSet<(Timestamp, usize)> = BTreeSet::new();
    let mut pairs = Vec::new();
    for (at, clearly_before, jumper) in approved {
        while let Some(number) = arrivals.next_if(|number| places[*number].arrived_at <= at) {
            waiting.insert((places[number].submitted_at, number));
        }
        waiting.retain(|(_, number)| places[*number].gone_at() > at);
        let later = &places[jumper];
        for (_, number) in waiting.range(..(later.submitted_at, 0)) {
            let earlier = &places[*number];
            let in_order = earlier.arrived_at <= later.arrived_at && earlier.later_from <= later.submitted_at;
            if in_order && earlier.gone_at() >= clearly_before {
                pairs.push((*number, jumper));
            }
        }
    }
    pairs
}

impl Place<'_> {
    fn gone_at(&self) -> Timestamp {
        match self.left {
            Left::Approved(at, _) | Left::Waits(at) => at,
        }
    }
}

/// For each place the earliest submitted one that it hangs together with.
fn roots(places: &[Place<'_>], pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut roots: Vec<usize> = (0..places.len()).collect();
    loop {
        let mut changed = false;
        for (one, other) in pairs {
            let first =
                [roots[*one], roots[*other]].into_iter().min_by_key(|n| (places[*n].submitted_at, places[*n].id));
            let first = first.unwrap_or(*one);
            for number in [*one, *other] {
                changed |= roots[number] != first;
                roots[number] = first;
            }
        }
        if !changed {
            return roots;
        }
    }
}

fn found(
    (policy_id, _, stage, department): Queue<'_>,
    places: &[Place<'_>],
    pairs: &BTreeSet<(usize, usize)>,
    material: &Material<'_>,
) -> Option<Found> {
    let earlier: BTreeSet<&ApplicationId> = pairs.iter().map(|(number, _)| places[*number].id).collect();
    let later: BTreeSet<&ApplicationId> = pairs.iter().map(|(_, number)| places[*number].id).collect();
    let first = pairs.iter().map(|(number, _)| &places[*number]).min_by_key(|one| (one.submitted_at, one.id))?;
    let marks = pairs.iter().map(|(one, other)| format!("{} {}", places[*one].id, places[*other].id)).collect();
    let applications = earlier.iter().chain(&later).map(|id| (*id).clone());
    let evidence = Evidence {
        policy_id: Some(policy_id.clone()),
        marks,
        sample: places.len() as u64,
        strength: pairs.len() as u64,
        peers: pairs.iter().take(PAIRS_SHOWN).map(|pair| compared(places, *pair, material)).collect(),
        ..Evidence::default()
    };
    let evidence =
        evidence.figure("waiting", earlier.len(), "").figure("approved_before", later.len(), "").naming(applications);
    let (policy, step) = (material.policy_name(policy_id), stage.code());
    let of = |ids: &BTreeSet<&ApplicationId>| {
        let shown: Vec<&str> = ids.iter().take(3).map(|id| id.as_str()).collect();
        if ids.len() > 3 { format!("{} …({})", shown.join(", "), ids.len()) } else { shown.join(", ") }
    };
    Some(Found {
        rule: Rule::QueueJump,
        key: format!("{policy_id}/{step}/{department}/{}", first.id),
        subject: Subject::Application(first.id.clone()),
        chinese: format!(
            "{policy}：{department} 在 {step} 环节先通过了较晚申报的 {}，较早的 {} 仍在等待，值得核实办理次序",
            of(&later),
            of(&earlier)
        ),
        english: format!(
            "{policy}: in step {step} {department} approved {} while {}, submitted earlier, waited; worth a look in which order",
            of(&later),
            of(&earlier)
        ),
        evidence,
    })
}

/// Pairs that evidence spells out.
const PAIRS_SHOWN: usize = 20;

fn compared(places: &[Place<'_>], (earlier, later): (usize, usize), material: &Material<'_>) -> String {
    let (earlier, later) = (&places[earlier], &places[later]);
    let waited = material.time.minutes_between(later.gone_at(), earlier.gone_at());
    let apart = material.time.minutes_between(earlier.submitted_at, later.submitted_at);
    format!("{} +{apart} min submitted, {} +{waited} min waited", later.id, earlier.id)
}
