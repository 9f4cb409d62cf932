//! The intake worker itself, over a real store in a file and a queue that the test holds in its hands: what is acknowledged,
//! when, and what happens when the store fails. Also what a stored event entitles to when it is read again.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod keys;
mod members;
mod worker;
mod world;
