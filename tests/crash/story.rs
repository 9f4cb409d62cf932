//! A story that several processes work at, one after the other: the first of them die, the last comes to rest, and what the world outside
//! remembers is judged. What they work at, and what is judged, is each story's own.

use crate::cut::Cut;

/// How many processes in a row die at the cut.
const DEATHS: usize = 2;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    AtRest,
    Dead,
}

/// One story.
pub(crate) trait Story {
    /// Works until everything is at rest, or until it dies.
    async fn process(&self, cut: Option<Cut>, name: &str) -> Ended;

    /// Holds what came of it against what must hold.
    async fn judge(&self, name: &str);

    /// Whether anybody died.
    async fn lives_and_dies(&self, cut: Cut, name: &str) -> bool {
        let mut deaths = 0;
        while deaths < DEATHS && self.process(Some(cut), name).await == Ended::Dead {
            deaths += 1;
        }
        if deaths == DEATHS {
            assert_eq!(self.process(None, name).await, Ended::AtRest, "{name}");
        }
        self.judge(name).await;
        deaths > 0
    }
}

impl Ended {
    /// What became of a process: none, where it died, else whether it came to rest, as it must.
    pub(crate) fn of(lived: Option<bool>, name: &str) -> Self {
        match lived {
            None => Self::Dead,
            Some(true) => Self::AtRest,
            Some(false) => panic!("{name}: it never comes to rest"),
        }
    }
}
