//! The outside parties as zhida speaks to them: banks and mail servers. What their words mean is decided in the core, not here.

pub mod bank;
pub mod mail;
