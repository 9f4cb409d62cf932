//! Which workers a process runs: the roles of `serve --only`.

use crate::verbs::Usage;
use std::collections::BTreeSet;

/// A worker that can be started on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Takes events in.
    Intake,
    /// Sends, asks, sweeps.
    Payout,
    /// Looks at case files and raises alerts.
    Supervision,
    /// Sends notices.
    Notice,
    /// Carries the outbox.
    Relay,
    /// Serves the API.
    Console,
}

/// Roles of the contract that later work brings.
const TO_COME: [&str; 2] = ["reconcile", "registry"];

impl Role {
    /// Every role there is today.
    pub(crate) const ALL: [Self; 6] =
        [Self::Intake, Self::Payout, Self::Supervision, Self::Notice, Self::Relay, Self::Console];

    fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Payout => "payout",
            Self::Supervision => "supervision",
            Self::Notice => "notice",
            Self::Relay => "relay",
            Self::Console => "console",
        }
    }

    /// The roles of `--only`; all when it was not given.
    pub(crate) fn chosen(names: &[String]) -> Result<BTreeSet<Self>, Usage> {
        if names.is_empty() {
            return Ok(Self::ALL.into_iter().collect());
        }
        names.iter().map(|name| Self::named(name)).collect()
    }

    fn named(name: &str) -> Result<Self, Usage> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| {
            let why = if TO_COME.contains(&name) { "is to come" } else { "is not a role" };
            Usage(format!(
                "--only {name}: this {why}; there are intake, payout, supervision, notice, relay and console"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn roles_are_chosen_by_name() {
        assert_eq!(Role::chosen(&[]).map(|roles| roles.len()), Ok(6));
        assert_eq!(
            Role::chosen(&["payout".to_owned()]).map(|roles| roles.into_iter().collect()),
            Ok(vec![Role::Payout])
        );
        let refused = Role::chosen(&["registry".to_owned()]).map_err(|usage| usage.to_string());
        assert!(refused.is_err_and(|text| text.contains("to come")));
    }
}
