//! People who acknowledge alerts: whoever comes to think of it, whether or not they may, sometimes two at once. Their acts are
//! signed events; a door that does not hear whether one was done hands it in again.

use super::planted::Plant;
use super::world::World;
use crate::history::at_once;
use zhida_core::ids::OperatorId;
use zhida_core::ports::store::{ActStore, Acted, ReferenceStore, SignedAct};
use zhida_core::steps::{Operator, Role};
use zhida_core::supervision::{Cleared, SupervisionAct};

/// Everybody who may ever act, with the role of the key.
const PEOPLE: [(&str, Role); 8] = [
    ("O-1", Role::Officer),
    ("O-2", Role::Officer),
    ("O-3", Role::Officer),
    ("H-1", Role::Officer),
    ("H-3", Role::Officer),
    ("S-1", Role::Supervisor),
    ("S-2", Role::Supervisor),
    ("I-1", Role::Inspector),
];

/// They have keys.
pub(super) fn arrive(world: &World) {
    for (id, role) in PEOPLE {
        let (name, public_key) = (id.to_owned(), format!("key of {id}"));
        let operator = Operator { id: OperatorId::from(id), name, role, public_key, disabled_at: None };
        at_once(world.store.put_operator(&operator, "sim")).expect("everybody has a key of their own");
    }
}

/// One or two of them acknowledge an alert, at the same moment.
pub(super) fn acknowledge(world: &mut World, plant: Option<Plant>) {
    let open: Vec<String> = {
        let tables = world.store.tables();
        tables.cases.alerts.values().filter(|one| one.cleared.is_none()).map(|one| one.id.clone()).collect()
    };
    let Some(alert_id) = world.rng.choice(&open).cloned() else { return };
    // Of those who are supervised, and of those who supervise: these are not kept from it by the word of the others.
    let mut done = [0, 0];
    let people = world.rng.usize(1..=PEOPLE.len());
    for (place, (_, role)) in PEOPLE.iter().enumerate().take(people) {
        let act = signed(world, &alert_id, place);
        // Twice: the first time nobody heard the answer.
        let answers = [at_once(world.store.act(&act)), at_once(world.store.act(&act))].map(|one| one.expect("it acts"));
        world.say(|| format!("{} acknowledges {alert_id}: {answers:?}", act.operator_id));
        let supervises = usize::from(*role != Role::Officer);
        done[supervises] += usize::from(matches!(answers[0], Acted::Done(_)));
        if matches!(answers[1], Acted::Done(_)) {
            world.forbid(format!("{} has acknowledged {alert_id} twice by one act", act.operator_id));
        }
    }
    match done {
        [0, 0] => return,
        [1, 1] => world.saw("acknowledged over the word of the department"),
        [0 | 1, 0 | 1] if people > 1 => world.saw("acknowledged twice at once, and one counts"),
        [0 | 1, 0 | 1] => world.saw("acknowledged"),
        _ => world.forbid(format!("{done:?} have acknowledged {alert_id} at one moment")),
    }
    if plant == Some(Plant::AcknowledgedIsCleared)
        && let Some(alert) = world.store.tables().cases.alerts.get_mut(&alert_id)
    {
        alert.cleared = Some((world.store.clock(), Cleared::Met));
    }
}

fn signed(world: &mut World, alert_id: &str, place: usize) -> SignedAct {
    let working_hours = world.rng.u32(1..17);
    let name = format!("act-{}-{place}", world.rng.u64(..));
    SignedAct {
        source: format!("/operator/{}", PEOPLE[place].0),
        event_id: name.clone(),
        event_type: "operator.acknowledge.v1".to_owned(),
        content_sha256: name,
        body: b"{}".to_vec(),
        operator_id: OperatorId::from(PEOPLE[place].0),
        act: SupervisionAct::Acknowledge { alert_id: alert_id.to_owned(), working_hours }.into(),
        reason: "known".to_owned(),
    }
}
