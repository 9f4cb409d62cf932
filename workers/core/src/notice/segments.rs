//! How long an SMS is, and how many segments it is billed as. The length includes the signature in its brackets (DOMAIN: notices).
//!
//! Length is counted in UTF-16 code units, as a message of UCS-2 travels (3GPP TS 23.038 and 23.040: 140 octets are 70 units, 134
//! octets beside the header of a long message are 67): whatever is outside the basic plane, as emoji are, counts twice. Vendors on
//! the mainland count so also for text of Latin letters alone: 160 letters are three segments there, not one.

/// Longer than this nothing is taken in.
pub const LENGTH_MAX: usize = 500;

/// The whole text as it arrives: `【signature】text`.
#[must_use]
pub fn with_signature(signature: &str, text: &str) -> String {
    format!("【{signature}】{text}")
}

/// The length of a whole text, its signature included, in UTF-16 code units.
#[must_use]
pub fn length(whole: &str) -> usize {
    whole.encode_utf16().count()
}

/// The segments of a text under its signature, whatever its length.
#[must_use]
pub fn segments(signature: &str, text: &str) -> u32 {
    of_length(length(&with_signature(signature, text)))
}

/// The segments of a whole text of that length: up to 70 one, else one for every 67.
#[must_use]
pub fn of_length(length: usize) -> u32 {
    let segments = if length <= 70 { 1 } else { length.div_ceil(67) };
    u32::try_from(segments).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{length, of_length, segments};

    #[test]
    fn segments_are_counted_as_vendors_bill_them() {
        for (length, expected) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (160, 3), (500, 8)] {
            assert_eq!(of_length(length), expected, "{length}");
        }
    }

    #[test]
    fn the_signature_counts_and_an_emoji_counts_twice() {
        assert_eq!(segments("鼓楼直达", &"到".repeat(64)), 1);
        assert_eq!(segments("鼓楼直达", &"到".repeat(65)), 2);
        assert_eq!(segments("鼓楼直达", &format!("{}😀", "到".repeat(63))), 2);
        assert_eq!((length("到a"), length("😀")), (2, 2));
    }
}
