//! The outside parties as zhida speaks to them: banks, vendors of SMS, mail servers. What their words mean for a payout or a notice is
//! decided in the core, not here.

pub mod bank;
pub mod mail;
mod retry_after;
pub mod sms;
mod wire;
