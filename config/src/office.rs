//! Settings of offices: hours of a working day, and a part of a whole.

use crate::form::Setting;
use jiff::civil::Time;

/// The hours of a working day: stretches that ascend and do not touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeHours(Vec<(Time, Time)>);

impl OfficeHours {
    /// The stretches, each from and to; never empty.
    #[must_use]
    pub fn stretches(&self) -> &[(Time, Time)] {
        &self.0
    }
}

impl Setting for OfficeHours {
    const EXPECTED: &'static str = "the hours of a working day such as \"09:00-12:00, 14:00-17:30\": from before to, the \
        next stretch later than the one before";

    fn from_text(text: &str) -> Option<Self> {
        let stretch = |part: &str| {
            let (from, to) = part.trim().split_once('-')?;
            Some((Time::from_text(from.trim())?, Time::from_text(to.trim())?))
        };
        let stretches: Vec<(Time, Time)> = text.split(',').map(stretch).collect::<Option<_>>()?;
        let moments: Vec<Time> = stretches.iter().flat_map(|(from, to)| [*from, *to]).collect();
        moments.is_sorted_by(|one, next| one < next).then_some(Self(stretches))
    }

    fn shown(&self) -> String {
        let stretch = |(from, to): &(Time, Time)| format!("{}-{}", from.shown(), to.shown());
        self.0.iter().map(stretch).collect::<Vec<_>>().join(", ")
    }
}

/// A part of a whole, such as two thirds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// So many …
    pub numerator: u32,
    /// … of so many.
    pub denominator: u32,
}

impl Setting for Part {
    const EXPECTED: &'static str = "a part of a whole such as \"2/3\", between 0 and 1";

    fn from_text(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once('/')?;
        let (numerator, denominator) = (u32::from_text(numerator.trim())?, u32::from_text(denominator.trim())?);
        (numerator < denominator).then_some(Self { numerator, denominator })
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::{OfficeHours, Part};
    use crate::form::Setting;

    #[test]
    fn hours_and_parts_are_read_as_they_are_shown() {
        for text in ["09:00-12:00, 14:00-17:30", "08:30-18:00"] {
            assert_eq!(OfficeHours::from_text(text).map(|hours| hours.shown()).as_deref(), Some(text));
        }
        assert_eq!(Part::from_text("2/3").map(|part| part.shown()).as_deref(), Some("2/3"));
        for wrong in ["", "09:00", "12:00-09:00", "09:00-12:00, 11:00-13:00", "09:00-12:00,12:00-13:00", "9-12"] {
            assert_eq!(OfficeHours::from_text(wrong), None, "{wrong}");
        }
        for wrong in ["", "1", "3/2", "1/1", "0/2", "a/b"] {
            assert_eq!(Part::from_text(wrong), None, "{wrong}");
        }
    }
}
