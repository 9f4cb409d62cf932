//! The elements of a push of receipts: each is read by itself, so that one that cannot be read takes none of the others with it. What
//! they mean is the affair of each vendor.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zhida_core::ports::sms::{PushRead, Receipt, Trust, UnreadableReceipt};

/// Reads a push, element by element; those of which `receipt` makes nothing are counted.
///
/// # Errors
/// It is no array at all.
pub(super) fn read<T: DeserializeOwned>(
    body: &[u8],
    trust: Trust,
    answer: &'static str,
    receipt: impl Fn(T) -> Option<Receipt>,
) -> Result<PushRead, UnreadableReceipt> {
    let elements: Vec<Value> = serde_json::from_slice(body)
        .map_err(|error| UnreadableReceipt(format!("not an array of receipts (line {})", error.line())))?;
    let mut read = PushRead { receipts: Vec::new(), unreadable: 0, trust, answer };
    for element in elements {
        match serde_json::from_value(element).ok().and_then(&receipt) {
            Some(receipt) => read.receipts.push(receipt),
            None => read.unreadable = read.unreadable.saturating_add(1),
        }
    }
    Ok(read)
}

/// A text; vendors write numbers as either, and nothing as `null`.
pub(super) fn loose<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(reader)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(D::Error::custom("neither a text nor a number")),
    })
}

/// None of an empty text.
pub(super) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
