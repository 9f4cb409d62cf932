//! The structure of the house, tested: floors, file heads and lengths, words that do not belong, documents that point
//! at something. What a lint or the compiler already sees is not repeated here.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test

mod documents;
mod files;
mod floors;
mod sources;
mod wired;

/// Fails with one line for each finding.
fn assert_tidy(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}:\n  {}\n", findings.join("\n  "));
}
