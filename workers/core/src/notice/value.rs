//! Values of notices' variables, made safe once: whatever stands in a name or a title, it is one line of bounded length and nothing
//! but text. What escapes a value for HTML is the rendering; a value is never read as a template, so `{{` in it stays what it is.

use super::Channel;
use super::NoticeKind;
use super::segments::length;
use super::template::variables::{ITEM, Variable, VariableType, variable};
use super::template::{Form, Locale};
use crate::money::Fen;
use crate::money_words::capitals;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::collections::BTreeMap;

/// Stands where a value is not known.
pub const NOT_KNOWN: &str = "—";

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One line.
    Text(String),
    /// A number.
    Count(u64),
    /// The matters of a combined notice.
    Items(Vec<BTreeMap<&'static str, String>>),
}

/// The values of one notice in one language, by the names of the variables. Nothing gets in that its kind does not offer, and every
/// text is made safe on its way in. Some of it is personal: it prints itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Values {
    kind: NoticeKind,
    form: Form,
    locale: Locale,
    values: BTreeMap<&'static str, Value>,
}

impl Values {
    /// None yet: every text is [`NOT_KNOWN`], every count 0.
    #[must_use]
    pub fn new(kind: NoticeKind, form: Form, locale: Locale) -> Self {
        let unknown = |one: &Variable| {
            let value = match one.kind {
                VariableType::Count => Value::Count(0),
                VariableType::Items => Value::Items(Vec::new()),
                VariableType::Text { .. }
                | VariableType::Words
                | VariableType::Money
                | VariableType::Capitals
                | VariableType::MaskedAccount
                | VariableType::Time
                | VariableType::Date
                | VariableType::Id
                | VariableType::Link => Value::Text(String::new()),
            };
            (one.name, value)
        };
        let values = super::template::variables::variables(kind, form).iter().map(unknown).collect();
        Self { kind, form, locale, values }
    }

    /// Of which kind of notice.
    #[must_use]
    pub fn kind(&self) -> NoticeKind {
        self.kind
    }

    /// In which language.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// Puts a text in. What the kind does not offer is left out: kinds that are alike are filled alike.
    pub fn text(&mut self, name: &str, raw: &str) {
        if let Some(one) = variable(self.kind, self.form, name) {
            let longest = one.kind.longest(Channel::Mail);
            self.values.insert(one.name, Value::Text(line(raw, longest)));
        }
    }

    /// Puts a number in.
    pub fn count(&mut self, name: &str, count: u64) {
        if let Some(one) = variable(self.kind, self.form, name) {
            self.values.insert(one.name, Value::Count(count));
        }
    }

    /// Puts the matters in, each by the names of [`ITEM`].
    pub fn items(&mut self, items: &[BTreeMap<&'static str, String>]) {
        let safe = |item: &BTreeMap<&'static str, String>| {
            let of = |one: &Variable| {
                let raw = item.get(one.name).map_or("", String::as_str);
                (one.name, line(raw, one.kind.longest(Channel::Mail)))
            };
            ITEM.iter().map(of).collect()
        };
        let items = items.iter().map(safe).collect();
        if let Some(one) = variable(self.kind, self.form, "items") {
            self.values.insert(one.name, Value::Items(items));
        }
    }

    /// By name, as they are.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<&'static str, Value> {
        &self.values
    }

    /// One value as an SMS carries it: a line that is as short as SMS want it, and never empty, for vendors refuse that.
    #[must_use]
    pub fn for_sms(&self, name: &str) -> Option<String> {
        let one = variable(self.kind, self.form, name)?;
        let longest = one.kind.longest(Channel::Sms);
        match self.values.get(name)? {
            Value::Text(text) if text.is_empty() => Some(NOT_KNOWN.to_owned()),
            // The sign of the yuan has no place in an SMS (DOMAIN: notices), and a name may hold one; nor have brackets that phones and
            // operators read as a second signature.
            Value::Text(text) => {
                let plain = text.replace(['¥', '￥'], "元").replace('【', "〔").replace('】', "〕");
                Some(line(&plain, longest))
            }
            Value::Count(count) => Some(count.to_string()),
            Value::Items(_) => None,
        }
    }
}

/// A text as one line without control characters, of at most `max` units of UTF-16, as segments are counted; what is longer ends with
/// `…`.
#[must_use]
pub fn line(raw: &str, max: usize) -> String {
    let mut line = String::new();
    for letter in raw.chars() {
        match letter {
            _ if letter.is_control() || letter.is_whitespace() || turns(letter) => {
                if !line.is_empty() && !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            _ => line.push(letter),
        }
    }
    line.truncate(line.trim_end().len());
    if length(&line) <= max {
        return line;
    }
    let mut room = max.saturating_sub(1);
    let fits = |letter: &char| {
        let left = room.checked_sub(letter.len_utf16());
        room = left.unwrap_or_default();
        left.is_some()
    };
    let mut short: String = line.chars().take_while(fits).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Marks that turn the direction of writing, which could make a text look like another; and the mark of byte order.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// An amount in figures: `1409.50元`; of another currency, and in English, `CNY 1409.50`.
#[must_use]
pub fn money(amount: Fen, currency: &str, locale: Locale) -> String {
    match (locale, currency) {
        (Locale::Chinese, "CNY") => format!("{amount}元"),
        (Locale::Chinese | Locale::English, _) => format!("{currency} {amount}"),
    }
}

/// An amount in capitals, with its prefix: `人民币壹仟肆佰零玖元伍角`; of another currency in figures.
#[must_use]
pub fn amount_in_capitals(amount: Fen, currency: &str) -> String {
    match currency {
        "CNY" => format!("人民币{}", capitals(amount)),
        _ => format!("{currency} {amount}"),
    }
}

/// The last four characters of an account; of a short one, none.
#[must_use]
pub fn account_tail(account_no: &str) -> String {
    let length = account_no.chars().count();
    if length <= 8 { "****".to_owned() } else { account_no.chars().skip(length - 4).collect() }
}

/// A moment in the district's zone: `2026-11-23 09:30`.
#[must_use]
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

/// The same where nothing beside it says by whose clocks: `2026-11-23 09:30 北京时间 Beijing time`, elsewhere `2026-11-23 09:30 (UTC+05)`.
#[must_use]
pub fn time_and_zone(at: Timestamp, zone: &TimeZone) -> String {
    const BEIJING: Offset = jiff::tz::offset(8);
    let time = time(at, zone);
    match zone.to_offset(at) {
        BEIJING => format!("{time} 北京时间 Beijing time"),
        offset => format!("{time} (UTC{offset})"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{Values, account_tail, amount_in_capitals, line, money, time_and_zone};
    use crate::money::Fen;
    use crate::notice::template::variables::VariableType;
    use crate::notice::template::{Form, Locale};
    use crate::notice::{Channel, NoticeKind};
    use jiff::tz::TimeZone;

    #[test]
    fn a_value_is_one_line_of_bounded_length_and_nothing_but_text() {
        for (raw, max, expected) in [
            ("a\r\nBcc: b", 100, "a Bcc: b"),
            ("\t a\u{0}b\u{7} ", 100, "a b"),
            ("a\u{2028}b\u{85}c", 100, "a b c"),
            ("示例\u{3000}科技", 100, "示例 科技"),
            ("😀=1+1", 100, "😀=1+1"),
            ("<b>{{ amount }}${x}", 100, "<b>{{ amount }}${x}"),
            ("¥5 ￥6", 100, "¥5 ￥6"),
            ("\u{202e}abc\u{feff}", 100, "abc"),
            ("长长长长", 3, "长长…"),
            ("长 长长长", 3, "长…"),
            ("😀😀😀", 6, "😀😀😀"),
            ("😀😀😀", 5, "😀😀…"),
            ("长😀😀", 4, "长😀…"),
            ("😀😀", 2, "…"),
            ("", 3, ""),
        ] {
            assert_eq!(line(raw, max), expected, "{raw:?}");
        }
        assert_eq!(line(&"长".repeat(5_000), 30), format!("{}…", "长".repeat(29)));
    }

    #[test]
    fn an_sms_takes_values_short_and_never_empty() {
        let mut values = Values::new(NoticeKind::PayoutCredited, Form::Single, Locale::Chinese);
        values.text("policy", &"长".repeat(5_000));
        values.text("nobody", "x");
        let long = values.for_sms("policy").map(|text| text.chars().count());
        assert_eq!(long, Some(30));
        assert_eq!(values.for_sms("reference").as_deref(), Some("—"));
        values.text("application", "¥5 ￥6");
        assert_eq!(values.for_sms("application").as_deref(), Some("元5 元6"), "operators want no sign of the yuan");
        values.text("policy", "【紧急】补贴");
        assert_eq!(values.for_sms("policy").as_deref(), Some("〔紧急〕补贴"), "there is one signature");
        assert_eq!(values.for_sms("nobody"), None);
    }

    #[test]
    fn a_time_on_its_own_says_by_whose_clocks() {
        let at = "2026-11-23T04:01:30Z".parse().unwrap();
        for (zone, expected) in
            [("Asia/Shanghai", "2026-11-23 12:01 北京时间 Beijing time"), ("Asia/Karachi", "2026-11-23 09:01 (UTC+05)")]
        {
            assert_eq!(time_and_zone(at, &TimeZone::get(zone).unwrap()), expected);
        }
    }

    #[test]
    fn amounts_and_accounts_are_written_as_people_read_them() {
        let amount = Fen(140_950);
        assert_eq!(money(amount, "CNY", Locale::Chinese), "1409.50元");
        assert_eq!(money(amount, "CNY", Locale::English), "CNY 1409.50");
        assert_eq!(money(amount, "USD", Locale::Chinese), "USD 1409.50");
        assert_eq!(amount_in_capitals(amount, "CNY"), "人民币壹仟肆佰零玖元伍角");
        assert_eq!(amount_in_capitals(amount, "USD"), "USD 1409.50");
        let largest = amount_in_capitals(Fen(99_999_999_999_999), "CNY");
        assert!(largest.chars().count() <= VariableType::Capitals.longest(Channel::Sms), "{largest}");
        assert_eq!(account_tail("4000020109000000001"), "0001");
        assert_eq!(account_tail("12345678"), "****", "half of a short number would be too much");
    }
}
