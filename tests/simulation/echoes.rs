//! Echoes: the bank speaks once more of what is long decided, in good order and without truth.

use crate::world::Sim;
use jiff::SignedDuration;
use zhida_core::payout::{Carrier, Word};

/// The bank tells of every generation of a payout, oldest first, that it is on the way, whatever became of it: also of
/// successors that were closed before they left.
pub(crate) fn tell(sim: &Sim) {
    let tables = sim.store.tables();
    let mut world = sim.world();
    let several: Vec<_> = tables.payouts.values().filter(|one| one.instructions.len() > 1).collect();
    let Some(payout) = world.rng.choice(&several).copied() else { return };
    let mut at = sim.now();
    for one in &payout.instructions {
        at += SignedDuration::from_secs(world.rng.i64(0..100));
        world.bank.news.push((at, one.id.clone(), Word::OnTheWay, Carrier::Pushed));
    }
}
