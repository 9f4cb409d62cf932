//! What a district can set, and reference data that travels with the program: typed settings with the origin of every
//! value, working-day calendars, the sample district. Not a place for decisions; nothing here reads a clock or a socket.

pub mod address;
pub mod calendar;
pub mod form;
pub mod layers;
mod notice_check;
pub mod notice_forms;
pub mod notices;
pub mod office;
pub mod patterns;
pub mod problem;
pub mod sample_district;
pub mod schedule;
pub mod sections;
pub mod serve_check;
pub mod settings;
pub mod tokens;
pub mod trusted_keys;

pub use address::{DatabaseUrl, HttpUrl, QueueUrl};
pub use calendar::Calendar;
pub use form::{Amount, Secret};
pub use problem::{ConfigError, Origin, Problem};
pub use schedule::Schedule;
pub use settings::{Row, Settings};

/// The words of notices that travel with the program, as `zhida notices templates import` reads them.
pub const NOTICE_TEMPLATES: &str = include_str!("../notices/templates.toml");
