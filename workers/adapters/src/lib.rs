//! The outside world behind the ports of the core: transports, stores and providers. No decision is taken here.

pub mod providers;
pub mod store;
pub mod transport;
