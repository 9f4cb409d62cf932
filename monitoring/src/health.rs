//! Health: named checks that parts of the program keep up to date, and the bodies of `/livez` and `/readyz` made from them.
//! Nothing is probed here and nothing is served; a check says what its owner last knew.

use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Not looked at yet.
    NotYet,
    /// The process serves, and something that people must know is otherwise: no reason to send its callers elsewhere.
    Warning {
        /// As below.
        reason: String,
    },
    /// Not as it should be.
    Failing {
        /// One sentence without secrets or personal data: anyone who reaches the port may read it.
        reason: String,
    },
}

/// Every check of this process. Clones share them.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    checks: BTreeMap<&'static str, CheckState>,
    draining: Option<&'static str>,
}

impl Health {
    /// No checks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands `name` for readiness; the answer is its owner's handle. Until it speaks, the process is not ready.
    #[must_use = "a check that nobody keeps up to date never becomes ok"]
    pub fn check(&self, name: &'static str) -> Check {
        self.lock().checks.insert(name, CheckState::NotYet);
        Check { name, health: self.clone() }
    }

    /// The process is on its way out and takes no new work: not ready, still alive.
    pub fn draining(&self) {
        self.lock().draining = Some("stopping: finishes what it has begun and takes nothing new");
    }

    /// `/livez`. That it can be answered is the answer: restarting heals no database, broker or bank.
    #[must_use]
    pub fn live(&self) -> Liveness {
        Liveness { status: "alive" }
    }

    /// `/readyz`: every check, what is missing, and what people must know.
    #[must_use]
    pub fn ready(&self) -> Readiness {
        let inner = self.lock();
        let (mut missing, mut warnings) = (Vec::new(), Vec::new());
        for (name, state) in &inner.checks {
            match state {
                CheckState::Ok => {}
                CheckState::NotYet => missing.push(format!("{name}: not yet")),
                CheckState::Warning { reason } => warnings.push(format!("{name}: {reason}")),
                CheckState::Failing { reason } => missing.push(format!("{name}: {reason}")),
            }
        }
        missing.extend(inner.draining.map(str::to_owned));
        let status = if missing.is_empty() { Ready::Ready } else { Ready::NotReady };
        Readiness { status, missing, warnings, checks: inner.checks.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle of one check's owner.
#[derive(Clone)]
pub struct Check {
    name: &'static str,
    health: Health,
}

impl Check {
    /// As it should be.
    pub fn ok(&self) {
        self.set(CheckState::Ok);
    }

    /// It serves, and people must know `reason`: one sentence without secrets or personal data.
    pub fn warning(&self, reason: impl Into<String>) {
        self.set(CheckState::Warning { reason: reason.into() });
    }

    /// Not as it should be; `reason` is one sentence without secrets or personal data.
    pub fn failing(&self, reason: impl Into<String>) {
        self.set(CheckState::Failing { reason: reason.into() });
    }

    fn set(&self, state: CheckState) {
        self.health.lock().checks.insert(self.name, state);
    }
}

/// The body of `/livez`; status 200.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Liveness {
    /// Always `alive`.
    pub status: &'static str,
}

/// Ready or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// Every check is ok and the process is not stopping.
    Ready,
    /// Something is missing.
    NotReady,
}

/// The body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Ready or not.
    pub status: Ready,
    /// What is missing, one sentence each.
    pub missing: Vec<String>,
    /// What people must know although the process is ready, one sentence each.
    pub warnings: Vec<String>,
    /// Every check.
    pub checks: BTreeMap<&'static str, CheckState>,
}

impl Readiness {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.status {
            Ready::Ready => 200,
            Ready::NotReady => 503,
        }
    }
}

#[cfg(test)]
mod tests {
    // A test says what it expects and stops where it is not so.
    #![allow(clippy::unwrap_used)]

    use super::Health;

    #[test]
    fn readiness_tells_what_is_missing() {
        let health = Health::new();
        assert_eq!(health.ready().http_status(), 200, "nothing demanded, nothing missing");
        let (database, broker) = (health.check("database"), health.check("broker"));
        assert_eq!(health.ready().missing, ["broker: not yet", "database: not yet"]);
        database.ok();
        broker.failing("no connection to 127.0.0.1:5672");
        let ready = health.ready();
        assert_eq!(ready.http_status(), 503);
        assert_eq!(
            serde_json::to_string(&ready).unwrap(),
            r#"{"status":"not_ready","missing":["broker: no connection to 127.0.0.1:5672"],"warnings":[],"checks":{"broker":{"state":"failing","reason":"no connection to 127.0.0.1:5672"},"database":{"state":"ok"}}}"#
        );
        broker.ok();
        assert_eq!(health.ready().http_status(), 200);
    }

    #[test]
    fn a_warning_is_told_and_keeps_nobody_away() {
        let health = Health::new();
        health.check("restore").warning("sending is closed");
        let ready = health.ready();
        assert_eq!((ready.http_status(), ready.warnings), (200, vec!["restore: sending is closed".to_owned()]));
    }

    #[test]
    fn a_process_that_drains_is_alive_and_not_ready() {
        let health = Health::new();
        health.check("database").ok();
        health.draining();
        assert_eq!((health.ready().http_status(), health.live().status), (503, "alive"));
        assert_eq!(health.ready().missing.len(), 1);
    }
}
