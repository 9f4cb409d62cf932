//! Refusals by class: who has to do what after which ISO 20022 status reason. One table.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whose move it is after a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionClass {
    /// The enterprise corrects its account.
    Payee,
    /// The fund's account is filled; the enterprise is told nothing.
    Fund,
    /// The next window.
    Window,
    /// Two officers decide.
    Other,
}

impl RejectionClass {
    /// The class of an ISO external status reason.
    #[must_use]
    pub fn of(reason: &str) -> Self {
        match reason {
            "AM04" => Self::Fund,
            "TM01" => Self::Window,
            _ if ["AC", "BE", "RC"].iter().any(|prefix| reason.starts_with(prefix)) => Self::Payee,
            _ => Self::Other,
        }
    }

    /// The name in tables, metrics and reasons.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Payee => "payee",
            Self::Fund => "fund",
            Self::Window => "window",
            Self::Other => "other",
        }
    }
}

/// A refusal that names the instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// ISO external status reason.
    pub reason: String,
    /// What the bank wrote.
    pub text: String,
    /// Whose move it is.
    pub class: RejectionClass,
    /// When we learnt of it.
    pub at: Timestamp,
    /// Confirmed by an enquiry (or by a bank that offers none).
    pub confirmed: bool,
}

#[cfg(test)]
mod tests {
    use super::RejectionClass;

    #[test]
    fn reasons_fall_into_classes() {
        for (reason, class) in [
            ("AC01", RejectionClass::Payee),
            ("BE01", RejectionClass::Payee),
            ("RC04", RejectionClass::Payee),
            ("AM04", RejectionClass::Fund),
            ("TM01", RejectionClass::Window),
            ("AM02", RejectionClass::Other),
            ("FF01", RejectionClass::Other),
            ("NARR", RejectionClass::Other),
        ] {
            assert_eq!(RejectionClass::of(reason), class, "{reason}");
        }
    }
}
