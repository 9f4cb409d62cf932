//! Templates: every refusal at import, and every template of the embedded set with usual, extreme and hostile values.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

mod changes;
mod embedded;
mod refused;
