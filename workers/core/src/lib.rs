//! What zhida decides: money, instructions, holds, evidence and clocks as pure functions, and the ports by which
//! workers reach the world. No async work, no reading of clocks, no SQL happens here.

pub mod batch;
pub mod calendars;
pub mod case_file;
pub mod contacts;
pub mod digest;
pub mod ids;
pub mod jobs;
pub mod money;
pub mod names;
pub mod notice;
pub mod obstacle;
pub mod organisation;
pub mod patterns;
pub mod payout;
pub mod ports;
pub mod rails;
pub mod rules;
#[cfg(test)]
mod scenery;
pub mod steps;
pub mod supervision;
pub mod view;
pub mod working_time;
