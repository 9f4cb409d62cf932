//! What people watch the system by: metrics, logging, health. The alert rules, runbooks and the dashboard that read them lie
//! beside this crate. It knows no payout, no database and no broker; whoever does tells it.

pub mod health;
pub mod logging;
pub mod metrics;

pub use health::{Check, Health};
pub use metrics::Metrics;
