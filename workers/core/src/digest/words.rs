//! A digest in words, the same on the terminal, on the page and in a mail: Chinese first, English second.

use super::{Breach, CalendarState, Kept, PayoutRecord, PolicyLine, Total};
use crate::case_file::ClockKind;
use crate::money::Fen;
use crate::patterns::{Figure, PatternState};
use crate::supervision::Level;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How long, in hours and minutes; what is longer than a day or so, in hours.
#[must_use]
pub fn length(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) if hours < 10 => format!("{hours} h {minutes:02} min"),
        (hours, _) => format!("{hours} h"),
    }
}

impl CalendarState {
    /// Which years the calendar lacks and what that does, Chinese and English; none when it lacks none.
    #[must_use]
    pub fn years_missing(&self) -> Option<(String, String)> {
        if self.missing_years.is_empty() {
            return None;
        }
        let years = self.missing_years.iter().map(i16::to_string).collect::<Vec<_>>().join(", ");
        Some(match self.provisional_deadlines {
            0 => (
                format!("工作日历缺少 {years} 年，即将用到"),
                format!("the calendar lacks {years}, which is needed soon"),
            ),
            count => (
                format!("工作日历缺少 {years} 年，{count} 个期限为暂定"),
                format!("the calendar lacks {years}; {count} deadlines are provisional"),
            ),
        })
    }
}

impl Breach {
    /// How late it is, and by which hours: a payout's are natural ones.
    #[must_use]
    pub fn late(&self) -> String {
        let length = length(self.late_minutes);
        match self.measures {
            ClockKind::Payout => length,
            ClockKind::Acceptance
            | ClockKind::Step
            | ClockKind::Supplement
            | ClockKind::Review
            | ClockKind::Legal
            | ClockKind::Order => format!("工作时 {length}"),
        }
    }

    /// How far it has climbed, Chinese and English.
    #[must_use]
    pub fn climbed(&self) -> (String, String) {
        match self.level.parse() {
            Ok(Level::DueSoon) => ("黄牌".to_owned(), "due soon".to_owned()),
            Ok(Level::Rung(0)) => ("红牌".to_owned(), "overdue".to_owned()),
            Ok(Level::Rung(rung)) => (format!("逐级 {rung}"), format!("escalated {rung}")),
            Err(()) => (self.level.clone(), String::new()),
        }
    }
}

impl PayoutRecord {
    /// Its days.
    #[must_use]
    pub fn days(&self) -> String {
        match self.from.cmp(&self.to) {
            Ordering::Less => format!("{} – {}", self.from, self.to),
            Ordering::Equal => self.to.to_string(),
            Ordering::Greater => format!("截至 {0} 的见前一期 until {0}: in the digest before", self.to),
        }
    }
}

impl Kept {
    /// The record line by line: what, Chinese and English, and how many.
    #[must_use]
    pub fn lines(&self) -> [(&'static str, &'static str, Total); 8] {
        [
            ("期内审定（以收悉为准）", "approved, as heard of on these days", self.approved),
            ("24 小时期满", "whose 24 hours ended", self.ended),
            ("　按时到账", "credited in time", self.in_time),
            ("　超时到账", "credited late", self.late),
            ("　尚未到账", "not credited yet", self.open),
            ("　待企业更正账户", "waiting for the enterprise's correction", self.enterprise),
            ("　暂缓", "held", self.held),
            ("　取消或退汇", "cancelled or returned", self.gone),
        ]
    }
}

/// States of patterns with their counts.
#[must_use]
pub fn states(counts: &BTreeMap<PatternState, u64>) -> String {
    let one = |(state, count): (&PatternState, &u64)| {
        let (chinese, english) = state.title();
        format!("{chinese} {english} {count}")
    };
    counts.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The figures behind a word that are not 0, sums in yuan.
#[must_use]
pub fn figures(figures: &[Figure]) -> String {
    let told = figures.iter().filter(|one| one.value != 0).map(|one| match one.unit.as_str() {
        "fen" => format!("{} {} yuan", one.name, Fen(one.value)),
        "" => format!("{} {}", one.name, one.value),
        unit => format!("{} {} {unit}", one.name, one.value),
    });
    told.collect::<Vec<_>>().join(", ")
}

impl PolicyLine {
    /// The figures behind the word.
    #[must_use]
    pub fn figures(&self) -> String {
        figures(&self.figures)
    }
}
