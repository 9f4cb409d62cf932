//! The outside parties as zhida speaks to them: banks. What their words mean for a payout is decided in the core, not here.

pub mod bank;
