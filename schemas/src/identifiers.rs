//! Identifiers with rules of their own: enterprises, banks, accounts, digests, phones and mail addresses. Nothing is looked
//! up: a code that passes here is well formed, not known to exist.

use crate::contract_error::{Fault, ReasonCode};
use crate::text::checked_text;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

checked_text!(
    /// Unified social credit code of an organisation, 18 characters with a check character (GB 32100-2015).
    Uscc { check: uscc, shown: plain, schema: {
        "type": "string",
        "pattern": "^[0-9A-HJ-NPQRTUWXY]{18}$",
        "description": "unified social credit code (GB 32100-2015); the check character is verified as well"
    }}
);

checked_text!(
    /// A bank's CNAPS code: 12 digits, the last a check digit (ISO 7064 MOD 11,10).
    CnapsCode { check: cnaps, shown: plain, schema: {
        "type": "string",
        "pattern": "^[0-9]{12}$",
        "description": "CNAPS code of 12 digits; the check digit (ISO 7064 MOD 11,10) is verified as well"
    }}
);

checked_text!(
    /// A bank account: 1 to 34 digits and hyphens with at least one digit, or an IBAN whose check digits hold.
    AccountNo { check: account_no, shown: masked, schema: {
        "type": "string",
        "pattern": "^(-*[0-9][0-9-]*|[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30})$",
        "maxLength": 34,
        "description": "1 to 34 digits and hyphens, or a valid IBAN"
    }}
);

checked_text!(
    /// A SHA-256 digest as 64 hexadecimal digits; upper case is accepted and kept as lower case.
    Sha256Hex { check: sha256, shown: plain, schema: {
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{64}$",
        "description": "SHA-256 as 64 hexadecimal digits"
    }}
);

checked_text!(
    /// A phone that receives SMS: `+` and 7 to 15 digits (E.164), or 11 digits of a mainland mobile.
    Mobile { check: mobile, shown: masked, schema: {
        "type": "string",
        "pattern": "^(\\+[1-9][0-9]{6,14}|1[3-9][0-9]{9})$",
        "description": "+8613800000000 (E.164) or 13800000000"
    }}
);

checked_text!(
    /// A phone number in any spelling, as people give it: digits, full width or not, with spaces, hyphens, brackets, a country code or
    /// an extension, and the unseen marks that are copied along. Whether it receives SMS is asked when something is to be sent: no money waits for a land line.
    Phone { check: phone, shown: masked, schema: {
        "type": "string",
        "maxLength": 40,
        "pattern": "^[-+.()/#*,;转分机－＋．（）／＃＊，；·‐‑–—− \\u00a0\\u3000\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]*([0-9０-９][-+.()/#*,;转分机－＋．（）／＃＊，；·‐‑–—− \\u00a0\\u3000\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]*){5,24}$",
        "description": "a phone number in any spelling of digits, spaces and the signs + - . ( ) / # * 转; best as +8613800000000 (E.164)"
    }}
);

checked_text!(
    /// One mail address, ASCII, at most 254 characters, with a host of at least two labels.
    Email { check: email, shown: masked, schema: {
        "type": "string",
        "maxLength": 254,
        "pattern": "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})+$",
        "description": "one mail address"
    }}
);

impl AccountNo {
    /// Whether the account is an IBAN whose check digits hold (ISO 13616); bank messages write those in their own element.
    #[must_use]
    pub fn is_iban(&self) -> bool {
        is_iban(self.as_str())
    }

    /// The account for people who need not know it: all but the last four characters hidden.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.as_str();
        let keep = if text.len() > 8 { 4 } else { 0 };
        format!("****{}", &text[text.len() - keep..])
    }
}

impl Sha256Hex {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(HEXLOWER.encode(digest(&SHA256, bytes).as_ref()))
    }
}

/// GB 32100 leaves out I O S V Z, which are mistaken for figures.
const USCC_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const USCC_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

fn uscc(text: String) -> Result<String, Fault> {
    let length = text.chars().count();
    if length != 18 {
        return Err(Fault::new(ReasonCode::UsccLength, format!("has {length} characters, not 18")));
    }
    let value = |byte: u8| USCC_ALPHABET.iter().position(|&letter| letter == byte);
    let Some(values) = text.bytes().map(value).collect::<Option<Vec<_>>>() else {
        return Err(Fault::new(ReasonCode::UsccCharacter, "holds a character that such a code may not hold"));
    };
    let sum: usize = values.iter().zip(USCC_WEIGHTS).map(|(value, weight)| value * weight).sum();
    if values.last() != Some(&((31 - sum % 31) % 31)) {
        return Err(Fault::new(ReasonCode::UsccCheckDigit, "has a check character that does not fit the rest"));
    }
    Ok(text)
}

fn cnaps(text: String) -> Result<String, Fault> {
    let bytes = text.as_bytes();
    let Some((&check, digits)) = bytes.split_last().filter(|_| bytes.len() == 12 && all_digits(bytes)) else {
        return Err(Fault::new(ReasonCode::CnapsForm, "is not 12 digits"));
    };
    let product = digits.iter().fold(10, |product, digit| {
        let sum = (product + u32::from(digit - b'0')) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    if (product + u32::from(check - b'0')) % 10 != 1 {
        return Err(Fault::new(ReasonCode::CnapsCheckDigit, "has a check digit that does not fit the rest"));
    }
    Ok(text)
}

fn account_no(text: String) -> Result<String, Fault> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let lawful = plain && text.len() <= 34 && text.bytes().any(|byte| byte.is_ascii_digit());
    if !lawful && !is_iban(&text) {
        return Err(Fault::new(ReasonCode::AccountNoForm, "is neither 1 to 34 digits and hyphens nor a valid IBAN"));
    }
    Ok(text)
}

/// ISO 13616: the country's two letters, two check digits, up to 30 more; rearranged and read as figures it is 1 modulo 97.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let formed = (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && all_digits(&bytes[2..4])
        && bytes[4..].iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    let figures = |remainder: u32, byte: &u8| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
    };
    formed && bytes[4..].iter().chain(&bytes[..4]).fold(0, figures) == 1
}

fn sha256(mut text: String) -> Result<String, Fault> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Fault::new(ReasonCode::Sha256Form, "is not 64 hexadecimal digits"));
    }
    text.make_ascii_lowercase();
    Ok(text)
}

fn mobile(text: String) -> Result<String, Fault> {
    let bytes = text.as_bytes();
    let lawful = match bytes.split_first() {
        Some((b'+', number)) => (7..=15).contains(&number.len()) && number[0] != b'0' && all_digits(number),
        Some((b'1', rest)) => rest.len() == 10 && (b'3'..=b'9').contains(&rest[0]) && all_digits(rest),
        Some(_) | None => false,
    };
    if lawful { Ok(text) } else { Err(Fault::new(ReasonCode::MobileForm, "is not a phone number that receives SMS")) }
}

fn phone(text: String) -> Result<String, Fault> {
    let digit = |letter: char| letter.is_ascii_digit() || ('０'..='９').contains(&letter);
    let between = |letter: char| {
        "-+.()/#*,;转分机－＋．（）／＃＊，；·‐‑–—− \u{a0}\u{3000}\u{feff}".contains(letter)
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let digits = text.chars().filter(|letter| digit(*letter)).count();
    let lawful = (5..=24).contains(&digits)
        && text.chars().count() <= 40
        && text.chars().all(|letter| digit(letter) || between(letter));
    if lawful { Ok(text) } else { Err(Fault::new(ReasonCode::MobileForm, "is not a phone number")) }
}

fn email(text: String) -> Result<String, Fault> {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let lawful = text.len() <= 254
        && text.split_once('@').is_some_and(|(mailbox, host)| {
            let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
            (1..=64).contains(&mailbox.len())
                && mailbox.bytes().all(lawful)
                && host.contains('.')
                && host.split('.').all(label)
        });
    if lawful { Ok(text) } else { Err(Fault::new(ReasonCode::EmailForm, "is not one mail address")) }
}

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}
