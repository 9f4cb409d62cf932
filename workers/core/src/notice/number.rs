//! Mobile numbers in the spellings that people write them in, as E.164. A mainland number needs no country code; any other needs
//! one. What receives no SMS is refused with the reason. A number prints itself masked.

use super::Channel;
use std::fmt;

/// A number that receives SMS.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(String);

/// Why something is no number that receives SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NumberRefused {
    /// Nothing, or too little, stands there.
    #[error("号码位数不足 the number is too short")]
    TooShort,
    /// More digits than a number has.
    #[error("号码位数过多 the number is too long")]
    TooLong,
    /// Something else than digits and their separators.
    #[error("号码含有其他字符 the number holds something else than digits")]
    OtherCharacters,
    /// A land line, or a service number: it receives no SMS.
    #[error("固定电话或服务号码收不到短信 a land line or service number receives no SMS")]
    LandLine,
    /// No mobile of the mainland, and no country code before it.
    #[error(
        "不是大陆手机号，境外号码须带国家代码 no mainland mobile, and a foreign number needs its country code (+…)"
    )]
    CountryCodeMissing,
    /// The country code is no country's.
    #[error("国家代码有误 no country has this code")]
    CountryCode,
}

impl Number {
    /// Reads a number in any spelling: `138 0000 0000`, `+86-138-0000-0000`, `0086138…`, `(86)138…`, full width or not; foreign ones
    /// with `+` or `00` and their country code, `+44 (0)7…` included.
    ///
    /// # Errors
    /// [`NumberRefused`], without the number.
    pub fn parse(text: &str) -> Result<Self, NumberRefused> {
        let plain = plain(text)?;
        let international = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"));
        if let Some(digits) = international {
            return match digits.strip_prefix("86") {
                Some(national) => mainland(national, NumberRefused::LandLine),
                None => foreign(digits),
            };
        }
        if let Some(national) = plain.strip_prefix("86").filter(|rest| rest.len() >= 11) {
            return mainland(national, NumberRefused::LandLine);
        }
        // Written as it is dialled inside the country: a land line begins with 0, or is short.
        let other = match plain.len() {
            0..=4 => NumberRefused::TooShort,
            _ if plain.starts_with('0') || plain.len() <= 8 || is_service(&plain) => NumberRefused::LandLine,
            _ => NumberRefused::CountryCodeMissing,
        };
        mainland(&plain, other)
    }

    /// `+8613800000000`.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The eleven digits of a mainland number.
    #[must_use]
    pub fn mainland(&self) -> Option<&str> {
        self.0.strip_prefix("+86")
    }

    /// For people who need not know it: `138****0000`; of a foreign number the country code and the last two digits, `+852****67`.
    #[must_use]
    pub fn masked(&self) -> String {
        match self.mainland() {
            Some(digits) => format!("{}****{}", &digits[..3], &digits[7..]),
            None => {
                let digits = &self.0[1..];
                let code = &digits[..country_code_length(digits)];
                format!("+{code}****{}", &digits[digits.len() - 2..])
            }
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.masked())
    }
}

/// A number or a mail address, for people who need not know it.
#[must_use]
pub fn masked(channel: Channel, to: &str) -> String {
    match channel {
        Channel::Sms => Number::parse(to).map_or_else(|_| "****".to_owned(), |number| number.masked()),
        Channel::Mail => match to.split_once('@') {
            Some((mailbox, host)) => format!("{}***@{host}", mailbox.chars().take(1).collect::<String>()),
            None => "****".to_owned(),
        },
    }
}

/// Digits, with a `+` before them where one stood; full width made narrow, separators and a bracketed trunk zero left out.
fn plain(text: &str) -> Result<String, NumberRefused> {
    let narrow: String = text.trim().chars().map(narrow).filter(|letter| !letter.is_whitespace()).collect();
    let narrow = if narrow.contains('+') { narrow.replace("(0)", "") } else { narrow };
    let mut plain = String::new();
    for letter in narrow.chars() {
        match letter {
            '0'..='9' => plain.push(letter),
            '+' if plain.is_empty() => plain.push(letter),
            '-' | '(' | ')' | '.' | '·' => {}
            _ => return Err(NumberRefused::OtherCharacters),
        }
    }
    if plain.trim_start_matches('+').is_empty() {
        return Err(NumberRefused::TooShort);
    }
    Ok(plain)
}

fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '‐' | '‑' | '–' | '—' | '−' => '-',
        // Marks that are copied along with a number and are not seen.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => ' ',
        other => other,
    }
}

/// The national part of a mainland number; a mobile may have been written with the 0 that was once dialled before it.
fn mainland(national: &str, otherwise: NumberRefused) -> Result<Number, NumberRefused> {
    let national = national.strip_prefix('0').filter(|rest| is_mobile(rest)).unwrap_or(national);
    if is_mobile(national) {
        return Ok(Number(format!("+86{national}")));
    }
    Err(match national.len() {
        ..=10 if begins_as_mobile(national) => NumberRefused::TooShort,
        12.. if begins_as_mobile(national) => NumberRefused::TooLong,
        _ => otherwise,
    })
}

fn is_mobile(national: &str) -> bool {
    national.len() == 11 && begins_as_mobile(national)
}

fn begins_as_mobile(national: &str) -> bool {
    matches!(national.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// Numbers that are called and not written to: 400…, 800…, 95…, 96…, 10086, 12345 and the like.
fn is_service(plain: &str) -> bool {
    ["400", "800"].iter().any(|prefix| plain.starts_with(prefix) && plain.len() == 10)
        || (["95", "96", "10", "11", "12"].iter().any(|prefix| plain.starts_with(prefix)) && plain.len() <= 8)
}

/// How many digits of an international number name its country (ITU-T E.164, list of assigned codes): one for the zones 1 and 7, two for
/// the codes below, three for all others.
fn country_code_length(digits: &str) -> usize {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        _ if TWO.iter().any(|code| digits.starts_with(code)) => 2,
        _ => 3,
    }
}

/// E.164: at most 15 digits, the first no 0; fewer than 7 are no mobile anywhere.
fn foreign(digits: &str) -> Result<Number, NumberRefused> {
    match digits.len() {
        _ if digits.starts_with('0') => Err(NumberRefused::CountryCode),
        ..=6 => Err(NumberRefused::TooShort),
        7..=15 => Ok(Number(format!("+{digits}"))),
        _ => Err(NumberRefused::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::{Number, NumberRefused, masked};
    use crate::notice::Channel;

    #[test]
    fn one_number_has_many_spellings() {
        for text in [
            "13800000000",
            " 138 0000 0000 ",
            "138-0000-0000",
            "+8613800000000",
            "+86 138 0000 0000",
            "+86-138-0000-0000",
            "008613800000000",
            "0086 138 0000 0000",
            "8613800000000",
            "86-13800000000",
            "(86)13800000000",
            "(+86) 138 0000 0000",
            "+86 (0)138 0000 0000",
            "013800000000",
            "１３８００００００００",
            "＋８６　１３８－００００－００００",
            "（＋８６）１３８００００００００",
            "\u{202a}+86 138\u{00a0}0000 0000\u{202c}",
            "138–0000—0000",
        ] {
            assert_eq!(Number::parse(text).as_ref().map(Number::e164), Ok("+8613800000000"), "{text:?}");
        }
    }

    #[test]
    fn foreign_numbers_keep_their_country_code() {
        for (text, expected) in [
            ("+852 5123 4567", "+85251234567"),
            ("00852-51234567", "+85251234567"),
            ("+44 (0)7911 123456", "+447911123456"),
            ("+1 (415) 555-0100", "+14155550100"),
            ("＋８８６ 912 345 678", "+886912345678"),
        ] {
            assert_eq!(Number::parse(text).as_ref().map(Number::e164), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_receives_no_sms_is_refused_with_the_reason() {
        for (text, why) in [
            ("", NumberRefused::TooShort),
            ("+", NumberRefused::TooShort),
            ("1380000000", NumberRefused::TooShort),
            ("+86 138 0000 000", NumberRefused::TooShort),
            ("138000000000", NumberRefused::TooLong),
            ("+8613800000000000", NumberRefused::TooLong),
            ("0591-8755 0000", NumberRefused::LandLine),
            ("(0591)87550000", NumberRefused::LandLine),
            ("+86 591 8755 0000", NumberRefused::LandLine),
            ("+86 10 8888 8888", NumberRefused::LandLine),
            ("010-8888 8888", NumberRefused::LandLine),
            ("87550000", NumberRefused::LandLine),
            ("400-800-8000", NumberRefused::LandLine),
            ("95588", NumberRefused::LandLine),
            ("12345", NumberRefused::LandLine),
            ("12000000000", NumberRefused::CountryCodeMissing),
            ("51234567890", NumberRefused::CountryCodeMissing),
            ("+0 138", NumberRefused::CountryCode),
            ("+852 123", NumberRefused::TooShort),
            ("+1234567890123456", NumberRefused::TooLong),
            ("138 0000 0000 转 8", NumberRefused::OtherCharacters),
            ("13800000000/13900000000", NumberRefused::OtherCharacters),
            ("138+0000+0000", NumberRefused::OtherCharacters),
            ("finance@example.com", NumberRefused::OtherCharacters),
            ("١٣٨٠٠٠٠٠٠٠٠", NumberRefused::OtherCharacters),
        ] {
            assert_eq!(Number::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn nobody_sees_more_than_needed() {
        let shown = |text| Number::parse(text).map(|number| format!("{number:?}"));
        assert_eq!(shown("13812345678"), Ok("138****5678".to_owned()));
        for (foreign, masked) in [
            ("+852 5123 4567", "+852****67"),
            ("+1 415 555 0100", "+1****00"),
            ("+44 7911 123456", "+44****56"),
            ("+7 912 345 6789", "+7****89"),
            ("+98 912 345 6789", "+98****89"),
        ] {
            assert_eq!(shown(foreign), Ok(masked.to_owned()));
        }
        assert_eq!(masked(Channel::Mail, "finance@example.com"), "f***@example.com");
        assert_eq!(masked(Channel::Mail, "nonsense"), "****");
        assert_eq!(masked(Channel::Sms, "+8613812345678"), "138****5678");
    }
}
