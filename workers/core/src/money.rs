//! Amounts of money. Not a currency converter: one fund has one currency, and everything is counted in its minor unit.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;

/// An amount in the minor unit of its fund's currency (fen for CNY). May be negative only in ledger differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or `None` beyond the range of 64 bits (nine quintillion fen).
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` beyond the range of 64 bits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Reads a decimal string with exactly two decimals (`"500000.00"`), the form of every amount on the wire.
    #[must_use]
    pub fn parse_yuan(text: &str) -> Option<Self> {
        let (digits, negative) = match text.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let (whole, cents) = digits.split_once('.')?;
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if cents.len() != 2 || !numeric(whole) || !numeric(cents) {
            return None;
        }
        let fen = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
        Some(Self(if negative { -fen } else { fen }))
    }
}

impl fmt::Display for Fen {
    /// Yuan with exactly two decimals, as on the wire: `500000.00`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.fold(0_i64, |total, amount| total.saturating_add(amount.0)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::Fen;

    #[test]
    fn yuan_texts_round_trip_and_others_are_refused() {
        for (text, fen) in [("0.01", 1), ("500000.00", 50_000_000), ("-1.50", -150), ("35570100.00", 3_557_010_000)] {
            assert_eq!(Fen::parse_yuan(text), Some(Fen(fen)), "{text}");
            assert_eq!(Fen(fen).to_string(), text);
        }
        for text in ["", "1", "1.5", "1.500", "1e6", "+1.00", ".50", "１.00", "99999999999999999999.00", "--1.00"] {
            assert_eq!(Fen::parse_yuan(text), None, "{text}");
        }
    }
}
