//! The policy file of `zhida policies import`: funds and the policies that draw on them, as TOML or JSON, read and checked
//! whole. What an import changes in the database is decided elsewhere.

use crate::amount::Currency;
use crate::identifiers::{AccountNo, CnapsCode};
use crate::reference_file::{self, FileKind, Finding, Members, Named, ReferenceFileError};
use crate::review::Stage;
use crate::text::{Id, Name, Text};
use crate::time::Date;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const KIND: FileKind = FileKind { name: "the policy file", tables: "funds and policies" };

/// Working days of a review where the policy names none.
const REVIEW_WORKING_DAYS: u16 = 3;

/// A policy file that passed every check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// In the order of the file; ids are unique.
    pub funds: Vec<Fund>,
    /// In the order of the file; ids are unique, and every fund is in the file or was known before.
    pub policies: Vec<Policy>,
}

/// Money set aside, and the account it is paid from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Id.
    pub id: Id,
    /// What people call it.
    pub name: Name,
    /// Always CNY today.
    pub currency: Currency,
    /// What the budget gives, in fen; may be zero.
    pub appropriated_fen: i64,
    /// Holder of the account it is paid from.
    pub debtor_name: Name,
    /// Number of that account.
    pub debtor_account: AccountNo,
    /// Bank of that account.
    pub debtor_bank_code: CnapsCode,
    /// Number of the budget document (预算指标文号).
    pub budget_document: Option<Name>,
}

/// A policy that enterprises apply under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Id.
    pub id: Id,
    /// What people call it.
    pub title: Name,
    /// The responsible department.
    pub department_id: Id,
    /// Departments that review together with it.
    pub joint_department_ids: Vec<Id>,
    /// The fund it draws on.
    pub fund_id: Id,
    /// First day on which approvals are lawful.
    pub valid_from: Date,
    /// Last such day; open without one.
    pub valid_to: Option<Date>,
    /// Most that one application may get, in fen.
    pub cap_per_application_fen: Option<i64>,
    /// Most that one enterprise may get in a calendar year, in fen.
    pub cap_per_enterprise_per_year_fen: Option<i64>,
    /// Above this, in fen, two different officers must have approved; zero means always.
    pub release_limit_fen: Option<i64>,
    /// Whether an approval needs a signed integrity commitment.
    pub commitment_required: bool,
    /// Who may apply, in words.
    pub conditions: Option<Text>,
    /// What an application must bring.
    pub materials: Vec<Name>,
    /// Working days promised for the whole review.
    pub review_working_days: u16,
    /// Working days promised for single steps, in the order of the review.
    pub step_working_days: Vec<(Stage, u16)>,
    /// Working days that the law allows for the whole review.
    pub legal_working_days: Option<u16>,
}

impl PolicyFile {
    /// Reads a policy file: JSON when it begins with `{`, else TOML. `known_funds` are the funds imported before, which
    /// policies may draw on too.
    ///
    /// # Errors
    /// Everything that is wrong with it, not only the first.
    pub fn parse(text: &str, known_funds: &BTreeSet<Id>) -> Result<Self, ReferenceFileError> {
        let root = reference_file::read(text, KIND)?;
        let mut findings = Vec::new();
        let mut file = Members::new(String::new(), &root, &mut findings);
        let funds = file.tables("funds", fund);
        let policies = file.tables("policies", policy);
        if root.get("funds").is_none() && root.get("policies").is_none() {
            file.note(KIND.name, None, "holds neither funds nor policies", "add [[funds]] or [[policies]]");
        }
        file.finish();
        check_references(&root, known_funds, &mut findings);
        if findings.is_empty() { Ok(Self { funds, policies }) } else { Err(ReferenceFileError::Invalid(findings)) }
    }
}

fn fund(members: &mut Members<'_>) -> Option<Fund> {
    let id = members.required("id");
    let name = members.required("name");
    let currency = members.required::<Currency>("currency");
    if let Some(other) = currency.as_ref().filter(|currency| currency.as_str() != "CNY") {
        let value = Value::from(other.as_str());
        members.note("currency", Some(&value), "is not paid by this version", "write \"CNY\"");
    }
    let appropriated_fen = members.amount("appropriated");
    let debtor_name = members.required("debtor_name");
    let debtor_account = members.required("debtor_account");
    let debtor_bank_code = members.required("debtor_bank_code");
    let budget_document = members.optional("budget_document");
    Some(Fund {
        id: id?,
        name: name?,
        currency: currency?,
        appropriated_fen: appropriated_fen?,
        debtor_name: debtor_name?,
        debtor_account: debtor_account?,
        debtor_bank_code: debtor_bank_code?,
        budget_document: budget_document?,
    })
}

fn policy(members: &mut Members<'_>) -> Option<Policy> {
    let id = members.required("id");
    let title = members.required("title");
    let department_id = members.required("department_id");
    let joint_department_ids = members.list("joint_department_ids");
    let fund_id = members.required("fund_id");
    let valid_from = members.required::<Date>("valid_from");
    let valid_to = members.optional::<Date>("valid_to");
    if let (Some(from), Some(Some(to))) = (valid_from, valid_to)
        && to < from
    {
        let value = Value::from(to.to_string());
        members.note(
            "valid_to",
            Some(&value),
            &format!("lies before valid_from ({from})"),
            "write a later day or leave it out",
        );
    }
    let cap_per_application_fen = members.cap("cap_per_application");
    let cap_per_enterprise_per_year_fen = members.cap("cap_per_enterprise_per_year");
    let release_limit_fen = members.optional_amount("release_limit");
    let commitment_required = members.flag("commitment_required");
    let conditions = members.optional("conditions");
    let materials = members.list("materials");
    let review_working_days = members.days("review_working_days");
    let step_working_days = members.table("step_working_days", steps);
    let legal_working_days = members.days("legal_working_days");
    Some(Policy {
        id: id?,
        title: title?,
        department_id: department_id?,
        joint_department_ids: joint_department_ids?,
        fund_id: fund_id?,
        valid_from: valid_from?,
        valid_to: valid_to?,
        cap_per_application_fen: cap_per_application_fen?,
        cap_per_enterprise_per_year_fen: cap_per_enterprise_per_year_fen?,
        release_limit_fen: release_limit_fen?,
        commitment_required: commitment_required?,
        conditions: conditions?,
        materials: materials?,
        review_working_days: review_working_days?.unwrap_or(REVIEW_WORKING_DAYS),
        step_working_days: step_working_days?.unwrap_or_default(),
        legal_working_days: legal_working_days?,
    })
}

fn steps(members: &mut Members<'_>) -> Option<Vec<(Stage, u16)>> {
    let stages = [
        ("first", Stage::First),
        ("second", Stage::Second),
        ("joint", Stage::Joint),
        ("verification", Stage::Verification),
        ("final", Stage::Final),
    ];
    let mut days = Some(Vec::new());
    for (name, stage) in stages {
        match (members.days(name), &mut days) {
            (Some(Some(promised)), Some(days)) => days.push((stage, promised)),
            (Some(_), _) => {}
            (None, _) => days = None,
        }
    }
    days
}

/// Ids stand once, and every fund that is drawn on exists.
fn check_references(root: &Map<String, Value>, known_funds: &BTreeSet<Id>, findings: &mut Vec<Finding>) {
    reference_file::check_ids(root, "funds", findings);
    reference_file::check_ids(root, "policies", findings);
    let mut funds: BTreeSet<&str> = known_funds.iter().map(Id::as_str).collect();
    funds.extend(reference_file::texts_of(root, "funds", "id").map(|(_, id)| id));
    let problem = "is no fund of this file, nor one imported before";
    let fund = Named { known: &funds, noun: "fund", problem, table: "funds" };
    for (index, id) in reference_file::texts_of(root, "policies", "fund_id") {
        fund.check(format!("policies[{index}].fund_id"), id, findings);
    }
}

#[cfg(test)]
mod tests;
