//! Check digits for invented identifiers. Not the validation that the product does: written apart from it, from the
//! standards, so that the two check each other.

const USCC_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Completes eleven digits of a CNAPS code by ISO 7064 MOD 11,10.
pub(crate) fn cnaps(eleven: &str) -> String {
    let mut product = 10;
    for digit in eleven.bytes() {
        let sum = (product + u32::from(digit - b'0')) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    format!("{eleven}{}", (11 - product) % 10)
}

/// A unified social credit code (GB 32100-2015) from authority and category, region, and the first eight characters of
/// an organisation code, whose own check character (GB 11714) is added too.
pub(crate) fn uscc(kind: &str, region: &str, organisation: &str) -> String {
    let value =
        |character: u8| u32::from(if character.is_ascii_digit() { character - b'0' } else { character - b'A' + 10 });
    let sum: u32 = organisation.bytes().zip([3, 7, 9, 10, 5, 8, 4, 2]).map(|(each, weight)| value(each) * weight).sum();
    let inner = match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    };
    let body = format!("{kind}{region}{organisation}{inner}");
    let weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let place = |each: char| USCC_ALPHABET.find(each).unwrap_or(0);
    let sum: usize = body.chars().zip(weights).map(|(each, weight)| place(each) * weight).sum();
    let check = USCC_ALPHABET.as_bytes()[(31 - sum % 31) % 31] as char;
    format!("{body}{check}")
}
