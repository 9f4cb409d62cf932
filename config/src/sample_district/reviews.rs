//! The sample district's month of reviews: one application a line, with everything that happened to it up to the day of the
//! demo. Times count back from that day, in working days and times of day, so that they lie in office hours on whatever day the demo runs;
//! some lie so long before or after its very moment. Not the approvals: those are made from the awards. What supervision
//! has to find in it stands in `config/sample_district/truth.csv`, for tests.

use crate::form::{Amount, Setting};
use jiff::SignedDuration;
use jiff::civil::Time;

/// The reviews, one application a line under a head line.
pub const REVIEWS_CSV: &str = include_str!("../../sample_district/reviews.csv");

const HEAD: &str = "application_id,policy_id,uscc,enterprise_name,amount,mobile,email,locale,history";

/// When something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At this time of the n-th working day before the day of the demo.
    WorkingDay(u16, Time),
    /// So long after the moment of the demo; before it where this is negative.
    FromNow(SignedDuration),
}

/// A department and one of its officers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The department.
    pub department_id: String,
    /// The officer.
    pub officer_id: String,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Moment,
    /// What.
    pub what: What,
}

/// What happened to an application; words are those of the event contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the contracts in `schemas` say what each part is
pub enum What {
    Submitted { mode: String },
    Accepted(Actor),
    Declined { by: Actor, reason: String },
    SupplementRequested { by: Actor, item: String, due_at: Option<Moment> },
    SupplementReceived,
    Assigned { to: Actor, stage: String, due_working_days: Option<u16> },
    Decided { by: Actor, stage: String, decision: String, return_to: Option<String>, reason: Option<String> },
    Paused { reason: String, by: String, evidence: String },
    Resumed { by: String },
    PublicityStarted { ends_at: Moment },
    PublicityEnded { outcome: String },
    Rejected { by: String, reason: String },
    Withdrawn { by: String, reason: String },
}

/// An application and what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The application.
    pub application_id: String,
    /// Under which policy.
    pub policy_id: String,
    /// Of which enterprise: unified social credit code.
    pub uscc: String,
    /// Its registered name.
    pub enterprise_name: String,
    /// What it asks for.
    pub amount: Amount,
    /// Mobile number for notices; some enterprises gave none.
    pub mobile: Option<String>,
    /// Mail address for notices.
    pub email: String,
    /// Language of notices: `zh-CN` or `en`.
    pub locale: String,
    /// What happened, oldest first.
    pub history: Vec<Step>,
}

/// A line of the reviews that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the sample district's reviews cannot be read: {what}")]
pub struct ReviewUnreadable {
    /// Counted from 1, the head line included.
    pub line: usize,
    /// The column or the step.
    pub what: String,
}

/// The reviews of the sample district.
///
/// # Errors
/// None with the file as it is built in, which a test reads.
pub fn reviews() -> Result<Vec<Review>, ReviewUnreadable> {
    parse(REVIEWS_CSV)
}

fn parse(text: &str) -> Result<Vec<Review>, ReviewUnreadable> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err(ReviewUnreadable { line: 1, what: "the head line".to_owned() });
    }
    let numbered = |(index, line)| review(line).map_err(|what| ReviewUnreadable { line: index + 2, what });
    lines.enumerate().map(numbered).collect()
}

fn review(line: &str) -> Result<Review, String> {
    let columns: Vec<&str> = line.split(',').collect();
    let [application_id, policy_id, uscc, enterprise_name, amount, mobile, email, locale, history] = columns[..] else {
        return Err("the number of columns".to_owned());
    };
    let steps = history.split("; ").map(|text| step(text).ok_or_else(|| text.to_owned()));
    Ok(Review {
        application_id: application_id.to_owned(),
        policy_id: policy_id.to_owned(),
        uscc: uscc.to_owned(),
        enterprise_name: enterprise_name.to_owned(),
        amount: Amount::from_text(amount).ok_or("amount")?,
        mobile: Some(mobile.to_owned()).filter(|mobile| !mobile.is_empty()),
        email: email.to_owned(),
        locale: locale.to_owned(),
        history: steps.collect::<Result<_, _>>()?,
    })
}

/// `-2T09:30 decided first D-IND/O-101 approve`: a moment, what happened, and its parts in a fixed order.
fn step(text: &str) -> Option<Step> {
    let (at, what) = text.split_once(' ')?;
    Some(Step { at: moment(at)?, what: happened(&what.split(' ').collect::<Vec<_>>())? })
}

fn happened(words: &[&str]) -> Option<What> {
    let text = |word: &str| word.to_owned();
    Some(match words {
        ["submitted", mode] => What::Submitted { mode: text(mode) },
        ["accepted", by] => What::Accepted(actor(by)?),
        ["declined", by, reason] => What::Declined { by: actor(by)?, reason: text(reason) },
        ["supplement_requested", by, item] => {
            What::SupplementRequested { by: actor(by)?, item: text(item), due_at: None }
        }
        ["supplement_requested", by, item, due] => {
            What::SupplementRequested { by: actor(by)?, item: text(item), due_at: Some(moment(due)?) }
        }
        ["supplement_received"] => What::SupplementReceived,
        ["assigned", stage, to] => What::Assigned { to: actor(to)?, stage: text(stage), due_working_days: None },
        ["assigned", stage, to, days] => {
            What::Assigned { to: actor(to)?, stage: text(stage), due_working_days: Some(days.parse().ok()?) }
        }
        ["decided", stage, by, "return", department, reason] => {
            let (decision, return_to, reason) = (text("return"), Some(text(department)), Some(text(reason)));
            What::Decided { by: actor(by)?, stage: text(stage), decision, return_to, reason }
        }
        ["decided", stage, by, decision, reason @ ..] if reason.len() < 2 => {
            let (stage, decision, reason) = (text(stage), text(decision), reason.first().map(|reason| text(reason)));
            What::Decided { by: actor(by)?, stage, decision, return_to: None, reason }
        }
        ["paused", reason, by, evidence] => {
            What::Paused { reason: text(reason), by: text(by), evidence: text(evidence) }
        }
        ["resumed", by] => What::Resumed { by: text(by) },
        ["publicity_started", ends_at] => What::PublicityStarted { ends_at: moment(ends_at)? },
        ["publicity_ended", outcome] => What::PublicityEnded { outcome: text(outcome) },
        ["rejected", by, reason] => What::Rejected { by: text(by), reason: text(reason) },
        ["withdrawn", by, reason] => What::Withdrawn { by: text(by), reason: text(reason) },
        _ => return None,
    })
}

fn actor(text: &str) -> Option<Actor> {
    let (department_id, officer_id) = text.split_once('/')?;
    Some(Actor { department_id: department_id.to_owned(), officer_id: officer_id.to_owned() })
}

/// `-2T09:30`, `now-40s` or `now+10h`.
fn moment(text: &str) -> Option<Moment> {
    if let Some(span) = text.strip_prefix("now") {
        let forward = span.starts_with('+');
        let whole: i64 = span.get(1..span.len().checked_sub(1)?)?.parse().ok()?;
        let span = match span.as_bytes().last()? {
            b's' => SignedDuration::from_secs(whole),
            b'h' => SignedDuration::from_hours(whole),
            _ => return None,
        };
        return Some(Moment::FromNow(if forward { span } else { -span }));
    }
    let (days, time) = text.strip_prefix('-')?.split_once('T')?;
    Some(Moment::WorkingDay(days.parse().ok()?, time.parse().ok()?))
}

#[cfg(test)]
#[path = "reviews_tests.rs"]
mod tests;
