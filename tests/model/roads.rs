//! The roads to rest: from every state that was visited there must be one on which nothing goes wrong any more.

use crate::promises::rests;
use crate::state::State;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was visited, by likeness.
#[derive(Default)]
pub(crate) struct Roads(Mutex<Map>);

#[derive(Default)]
struct Map {
    visited: HashSet<u64>,
    at_rest: HashSet<u64>,
    /// To, from: steps in which nothing goes wrong.
    smooth: Vec<(u64, u64)>,
}

impl Roads {
    pub(crate) fn visit(&self, state: &State) {
        let mut map = self.map();
        map.visited.insert(state.likeness);
        if rests(state) {
            map.at_rest.insert(state.likeness);
        }
    }

    pub(crate) fn lead(&self, from: u64, to: u64) {
        self.map().smooth.push((to, from));
    }

    /// How many visited states have no road to rest.
    pub(crate) fn stranded(&self) -> usize {
        let mut map = self.map();
        map.smooth.sort_unstable();
        let mut saved = map.at_rest.clone();
        let mut open: Vec<u64> = saved.iter().copied().collect();
        while let Some(state) = open.pop() {
            let first = map.smooth.partition_point(|(to, _)| *to < state);
            let leading = map.smooth[first..].iter().take_while(|(to, _)| *to == state);
            open.extend(leading.map(|(_, from)| *from).filter(|from| saved.insert(*from)));
        }
        map.visited.difference(&saved).count()
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
