//! Forms that values of the settings of notices have: quiet hours, signatures, limits, prices. Not the settings themselves.

use crate::form::Setting;
use jiff::civil::Time;

/// Hours in which what can wait does not go; they may cross midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours(pub Option<(Time, Time)>);

impl Setting for QuietHours {
    const EXPECTED: &'static str = "from and to such as \"22:00-07:30\", or \"\" for none";

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let (from, to) = text.split_once('-')?;
        let (from, to) = (Time::from_text(from.trim())?, Time::from_text(to.trim())?);
        (from != to).then_some(Self(Some((from, to))))
    }

    fn shown(&self) -> String {
        self.0.map_or_else(String::new, |(from, to)| format!("{}-{}", from.shown(), to.shown()))
    }
}

/// The name in front of an SMS, without its brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(String);

impl Signature {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Signature {
    const EXPECTED: &'static str = "2 to 20 letters or digits without brackets and blanks, such as \"鼓楼直达\"";

    fn from_text(text: &str) -> Option<Self> {
        let fits = (2..=20).contains(&text.encode_utf16().count()) && text.chars().all(char::is_alphanumeric);
        fits.then(|| Self(text.to_owned()))
    }

    fn shown(&self) -> String {
        self.0.clone()
    }
}

/// Where recipients reach the pages of an installation. It stands in mails: it is no secret and holds none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address, without a `/` at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for PublicUrl {
    const EXPECTED: &'static str =
        "the address of these pages, https://… with a host and perhaps a path, without user, password, ? and #";

    fn from_text(text: &str) -> Option<Self> {
        let after = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let host = after.split('/').next().unwrap_or_default();
        let plain =
            |letter: char| letter.is_ascii_graphic() && !matches!(letter, '?' | '#' | '@' | '"' | '<' | '>' | '\\');
        let fits = !host.is_empty() && !host.starts_with(':') && text.len() <= 1000 && text.chars().all(plain);
        fits.then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    fn shown(&self) -> String {
        self.0.clone()
    }
}

/// Names of entries, possibly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Setting for Names {
    const EXPECTED: &'static str = "a list of names, each once, such as [\"main\", \"spare\"] (as text: main,spare)";

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        Self::checked(text.split(',').map(|part| part.trim().to_owned()).collect())
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        let names: Option<Vec<String>> =
            value.as_array()?.iter().map(|member| member.as_str().map(str::to_owned)).collect();
        Self::checked(names?)
    }

    fn shown(&self) -> String {
        format!("[{}]", self.0.join(", "))
    }
}

impl Names {
    fn checked(names: Vec<String>) -> Option<Self> {
        let lawful = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        let once = names.iter().enumerate().all(|(at, name)| lawful(name) && !names[..at].contains(name));
        once.then_some(Self(names))
    }
}

/// A stretch of time in which a vendor counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// Twenty-four hours.
    Day,
}

/// How many messages one number may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberLimits(pub Vec<(u32, Per)>);

impl Default for NumberLimits {
    /// By one signature and template, as documented in `config/default.toml`.
    fn default() -> Self {
        Self(vec![(50, Per::Day)])
    }
}

impl Setting for NumberLimits {
    const EXPECTED: &'static str =
        "a list such as [\"1/minute\", \"5/hour\", \"50/day\"], or [] for none (as text: 1/minute,5/hour)";

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        text.split(',').map(|part| limit(part.trim())).collect::<Option<_>>().map(Self)
    }

    fn from_toml(value: &toml::Value) -> Option<Self> {
        value.as_array()?.iter().map(|one| one.as_str().and_then(limit)).collect::<Option<_>>().map(Self)
    }

    fn shown(&self) -> String {
        let word = |per: Per| match per {
            Per::Minute => "minute",
            Per::Hour => "hour",
            Per::Day => "day",
        };
        let limits: Vec<String> = self.0.iter().map(|(count, per)| format!("{count}/{}", word(*per))).collect();
        format!("[{}]", limits.join(", "))
    }
}

fn limit(text: &str) -> Option<(u32, Per)> {
    let (count, per) = text.split_once('/')?;
    let per = match per {
        "minute" => Per::Minute,
        "hour" => Per::Hour,
        "day" => Per::Day,
        _ => return None,
    };
    Some((u32::from_text(count)?, per))
}

/// The price of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// In 0.0001 yuan.
    pub ten_thousandths: i64,
}

impl Setting for Price {
    const EXPECTED: &'static str = "yuan as a text with exactly four decimals, such as \"0.0450\"";

    fn from_text(text: &str) -> Option<Self> {
        let (yuan, part) = text.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if yuan.len() > 6 || part.len() != 4 || !digits(yuan) || !digits(part) {
            return None;
        }
        let ten_thousandths = yuan.parse::<i64>().ok()? * 10_000 + part.parse::<i64>().ok()?;
        Some(Self { ten_thousandths })
    }

    fn shown(&self) -> String {
        format!("{}.{:04}", self.ten_thousandths / 10_000, self.ten_thousandths % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, NumberLimits, Per, Price, QuietHours, Signature};
    use crate::form::Setting;

    fn round<T: Setting>(text: &str) -> Option<String> {
        T::from_text(text).map(|value| value.shown())
    }

    #[test]
    fn what_is_written_is_read_and_shown() {
        for text in ["22:00-07:30", "12:00-14:00", ""] {
            assert_eq!(round::<QuietHours>(text).as_deref(), Some(text), "{text}");
        }
        for wrong in ["22:00", "22:00-22:00", "25:00-07:00", "-", "none"] {
            assert_eq!(round::<QuietHours>(wrong), None, "{wrong}");
        }
        for (text, ten_thousandths) in [("0.0450", Some(450)), ("12.0001", Some(120_001)), ("0.045", None)] {
            assert_eq!(Price::from_text(text).map(|price| price.ten_thousandths), ten_thousandths, "{text}");
        }
        for wrong in [".0450", "0,0450", "-0.0450", "1e3.0000", "0.04５0", "1234567.0000"] {
            assert_eq!(round::<Price>(wrong), None, "{wrong}");
        }
        assert_eq!(round::<Price>("0.0450").as_deref(), Some("0.0450"));
        assert_eq!(round::<Signature>("鼓楼直达").as_deref(), Some("鼓楼直达"));
        for wrong in ["达", "【鼓楼直达】", "鼓楼 直达", "鼓楼\n直达", ""] {
            assert_eq!(round::<Signature>(wrong), None, "{wrong}");
        }
        let limits = NumberLimits(vec![(1, Per::Minute), (50, Per::Day)]);
        assert_eq!(NumberLimits::from_text("1/minute, 50/day"), Some(limits));
        assert_eq!(round::<NumberLimits>("").as_deref(), Some("[]"));
        for wrong in ["1", "0/day", "1/week", "x/day", "1/day,"] {
            assert_eq!(round::<NumberLimits>(wrong), None, "{wrong}");
        }
        assert_eq!(round::<Names>("main, spare").as_deref(), Some("[main, spare]"));
        assert_eq!([round::<Names>("main,main"), round::<Names>(",")], [None, None]);
    }
}
