//! The sample district that `zhida demo` pays: its policy file, its organisation, 286 approved applications with what is to go wrong on
//! their way, and the month of reviews before. Not the demo, and no events: those are made and signed from these rows. Names are invented; the files are
//! made by `config/examples/sample_district`.

mod reviews;

pub use reviews::{Actor, Moment, REVIEWS_CSV, Review, ReviewUnreadable, Step, What, reviews};

use crate::form::{Amount, Setting};

/// The district's policy file (as `zhida policies import` reads it): 6 funds, 149 policies.
pub const POLICIES_TOML: &str = include_str!("../sample_district/policies.toml");

/// The district's organisation file (as `zhida organisation import` reads it): every department that reviews a policy, the
/// supervision office and discipline inspection.
pub const ORGANISATION_TOML: &str = include_str!("../sample_district/organisation.toml");

/// The approved applications, one a line under a head line; no field holds a comma or a quotation mark of CSV.
pub const AWARDS_CSV: &str = include_str!("../sample_district/awards.csv");

const HEAD: &str = "application_id,policy_id,uscc,enterprise_name,amount,account_name,account_no,bank_code,bank_name,mobile,email,locale,department_id,officer_ids,commitment_id,twist";

/// What makes an award of the sample district special.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Twist {
    /// The bank refuses with this reason code.
    Refused(String),
    /// The bank pays and never answers.
    PaysThenSilent,
    /// The bank pays and answers 500.
    PaysThen500,
    /// The bank says "on the way" first, "settled" to a later enquiry.
    PendingThenSettled,
    /// The bank pays, but says "not found" for a while.
    NotFoundForAWhile,
    /// The bank cuts the connection without having taken anything in.
    Reset,
    /// The bank answers late, within the time limit.
    Slow,
    /// The bank pays and answers something unreadable.
    Garbage,
    /// The bank accepts first and refuses later.
    AcceptedThenRefused,
    /// The sender hands the same approval in again.
    ResentBySender,
    /// The integrity commitment arrives after the approval: held, then paid.
    CommitmentLater,
    /// The integrity commitment never arrives: stays held.
    CommitmentNever,
    /// The account bears another name than the enterprise: stays held.
    AccountNameDiffers,
    /// The account's name has brackets of another width: the same name, paid.
    AccountNameBrackets,
    /// One officer approved a sum that needs two: stays held.
    OneOfficer,
    /// The policy was closed before the approval: stays held.
    PolicyClosed,
    /// A lawful name full of markup and signs of formulas: paid unchanged.
    StrangeName,
}

impl Twist {
    const PLAIN: [(&'static str, Self); 16] = [
        ("pays_then_silent", Self::PaysThenSilent),
        ("pays_then_500", Self::PaysThen500),
        ("pending_then_settled", Self::PendingThenSettled),
        ("not_found_for_a_while", Self::NotFoundForAWhile),
        ("reset", Self::Reset),
        ("slow", Self::Slow),
        ("garbage", Self::Garbage),
        ("accepted_then_refused", Self::AcceptedThenRefused),
        ("resent_by_sender", Self::ResentBySender),
        ("commitment_later", Self::CommitmentLater),
        ("commitment_never", Self::CommitmentNever),
        ("account_name_differs", Self::AccountNameDiffers),
        ("account_name_brackets", Self::AccountNameBrackets),
        ("one_officer", Self::OneOfficer),
        ("policy_closed", Self::PolicyClosed),
        ("strange_name", Self::StrangeName),
    ];

    fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix("reject:") {
            Some(code) if !code.is_empty() => Some(Self::Refused(code.to_owned())),
            Some(_) => None,
            None => Self::PLAIN.into_iter().find(|(plain, _)| *plain == word).map(|(_, twist)| twist),
        }
    }
}

/// One approved application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// Id of the application.
    pub application_id: String,
    /// Id of a policy in [`POLICIES_TOML`].
    pub policy_id: String,
    /// Unified social credit code with valid check characters.
    pub uscc: String,
    /// Registered name.
    pub enterprise_name: String,
    /// What was approved.
    pub amount: Amount,
    /// Name on the account.
    pub account_name: String,
    /// Number of the account.
    pub account_no: String,
    /// CNAPS code with a valid check digit.
    pub bank_code: String,
    /// Name of the bank.
    pub bank_name: String,
    /// Mobile number for notices; some enterprises gave none.
    pub mobile: Option<String>,
    /// Mail address for notices.
    pub email: String,
    /// Language of notices: `zh-CN` or `en`.
    pub locale: String,
    /// The department that approved.
    pub department_id: String,
    /// The officers who approved, one or two.
    pub officer_ids: Vec<String>,
    /// The integrity commitment the approval refers to; every policy that requires one has it.
    pub commitment_id: Option<String>,
    /// What makes it special; `None` for most.
    pub twist: Option<Twist>,
}

/// A line of the awards that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the sample district's awards cannot be read: check {field}")]
pub struct AwardUnreadable {
    /// Counted from 1, the head line included.
    pub line: usize,
    /// The column, or "the number of columns".
    pub field: &'static str,
}

/// The 286 approved applications, 35,570,100.00 yuan together.
///
/// # Errors
/// None with the file as it is built in, which a test reads.
pub fn awards() -> Result<Vec<Award>, AwardUnreadable> {
    parse(AWARDS_CSV)
}

fn parse(text: &str) -> Result<Vec<Award>, AwardUnreadable> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Err(AwardUnreadable { line: 1, field: "the number of columns" });
    }
    lines.enumerate().map(|(index, line)| award(index + 2, line)).collect()
}

fn award(line: usize, text: &str) -> Result<Award, AwardUnreadable> {
    let wrong = |field| AwardUnreadable { line, field };
    let columns: Vec<String> = text.split(',').map(str::to_owned).collect();
    let columns: [String; 16] = columns.try_into().map_err(|_| wrong("the number of columns"))?;
    let [
        application_id,
        policy_id,
        uscc,
        enterprise_name,
        amount,
        account_name,
        account_no,
        bank_code,
        bank_name,
        mobile,
        email,
        locale,
        department_id,
        officer_ids,
        commitment_id,
        twist,
    ] = columns;
    Ok(Award {
        amount: Amount::from_text(&amount).ok_or(wrong("amount"))?,
        officer_ids: officer_ids.split(';').map(str::to_owned).collect(),
        commitment_id: Some(commitment_id).filter(|id| !id.is_empty()),
        twist: match twist.as_str() {
            "" => None,
            word => Some(Twist::parse(word).ok_or(wrong("twist"))?),
        },
        application_id,
        policy_id,
        uscc,
        enterprise_name,
        account_name,
        account_no,
        bank_code,
        bank_name,
        mobile: Some(mobile).filter(|mobile| !mobile.is_empty()),
        email,
        locale,
        department_id,
    })
}

#[cfg(test)]
#[path = "sample_district_tests.rs"]
mod tests;
