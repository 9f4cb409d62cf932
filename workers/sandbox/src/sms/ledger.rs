//! What a vendor of SMS took in: the only judge of what was sent, and how often. Filled by the vendors alone.

use super::Vendor;
use jiff::Timestamp;
use serde::Serialize;

/// What the vendor can say of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "word")]
pub enum SmsWord {
    /// No receipt has come from the operator.
    OnTheWay,
    /// It is on the phone.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It is not, for this reason of the operator's.
    Undelivered {
        /// The operator's code.
        code: String,
        /// When.
        at: Timestamp,
    },
}

/// One message that was taken in, whether or not its answer arrived.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SmsEntry {
    /// By whom.
    pub vendor: Vendor,
    /// The vendor's own name of it.
    pub provider_id: String,
    /// The sender's.
    pub out_id: String,
    /// E.164.
    pub to: String,
    /// Without brackets.
    pub signature: String,
    /// The vendor's template.
    pub template_code: Option<String>,
    /// As the vendor's template renders it, without the signature.
    pub text: String,
    /// By its length with the signature.
    pub segments: u32,
    /// When it was taken in.
    pub at: Timestamp,
    /// What became of it, as far as anybody may know.
    pub word: SmsWord,
    /// Questions that still find nothing.
    pub unseen: u32,
}

impl SmsEntry {
    /// Whether the phone shows it: what no receipt speaks of has arrived all the same.
    #[must_use]
    pub fn is_on_phone(&self) -> bool {
        match self.word {
            SmsWord::OnTheWay | SmsWord::Delivered { .. } => true,
            SmsWord::Undelivered { .. } => false,
        }
    }
}

impl std::fmt::Debug for SmsEntry {
    /// Without number and text: they may be somebody's.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SmsEntry {{ {:?}, {:?}, {:?}, {:?} }}", self.vendor, self.out_id, self.provider_id, self.word)
    }
}

/// Segments of a text with its signature: 70 characters fill one, and 67 each of several. None above 500 characters.
pub(super) fn segments(signature: &str, text: &str) -> Option<u32> {
    let length = u32::try_from(signature.chars().count() + 2 + text.chars().count()).ok()?;
    match length {
        0..=70 => Some(1),
        71..=500 => Some(length.div_ceil(67)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_count_the_signature_with_its_brackets() {
        for (length, counted) in
            [(70, Some(1)), (71, Some(2)), (134, Some(2)), (135, Some(3)), (500, Some(8)), (501, None)]
        {
            assert_eq!(segments("鼓楼直达", &"字".repeat(length - 6)), counted, "{length}");
        }
    }
}
