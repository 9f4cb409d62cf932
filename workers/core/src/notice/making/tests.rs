//! How notices are made: of what, for whom, by which ways, in which words, and what becomes of requests of which none is made.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

mod desk;
mod officials;
mod payouts;
mod ways;
