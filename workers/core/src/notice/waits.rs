//! What messages wait for: its names, and what follows from it for whoever counts what is late or held back.

use super::WaitsFor;

impl WaitsFor {
    /// Everything that a message may wait for.
    pub const ALL: [Self; 7] =
        [Self::Call, Self::Word, Self::Quiet, Self::Ceiling, Self::Limit, Self::Provider, Self::Switch];

    /// The name in tables and lists.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Word => "word",
            Self::Quiet => "quiet",
            Self::Ceiling => "ceiling",
            Self::Limit => "limit",
            Self::Provider => "provider",
            Self::Switch => "switch",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.code() == code)
    }

    /// Something keeps it from being sent. Whoever waits for the end of a call, or for word, was handed in.
    #[must_use]
    pub fn holds_back(self) -> bool {
        match self {
            Self::Quiet | Self::Ceiling | Self::Limit | Self::Provider | Self::Switch => true,
            Self::Call | Self::Word => false,
        }
    }

    /// The settings, a vendor or people want it to wait, or there is nothing to do but to wait for word: nothing is late meanwhile. That
    /// no provider is of use is no such wait, and a call that is under way is a try.
    #[must_use]
    pub fn is_wanted(self) -> bool {
        match self {
            Self::Quiet | Self::Switch | Self::Ceiling | Self::Limit | Self::Word => true,
            Self::Provider | Self::Call => false,
        }
    }
}
