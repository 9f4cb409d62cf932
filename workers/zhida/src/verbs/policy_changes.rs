//! What an import of a policy file would change, field by field. Pure: the file and what stands in the database go in.

use std::collections::BTreeMap;
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{FundId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::Debtor;
use zhida_core::steps::{Fund, Policy};
use zhida_schemas::policy_file;

/// A field's name, as in the policy file, and its value as people read it.
type Field = (&'static str, String);

/// What would become of one fund or policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is not there yet.
    New,
    /// These fields differ: name, old value, new value.
    Changed(Vec<(&'static str, String, String)>),
    /// Nothing.
    Unchanged,
}

/// What an import would change.
pub(crate) struct Changes {
    /// By the order of the file.
    pub(crate) funds: Vec<(Fund, Change)>,
    /// By the order of the file.
    pub(crate) policies: Vec<(Policy, Change)>,
    /// Appropriated in all funds, before and after.
    pub(crate) appropriated: (Fen, Fen),
    /// In the database and not in the file: they stay as they are.
    pub(crate) untouched: (usize, usize),
}

impl Changes {
    /// Compares.
    pub(crate) fn of(funds: Vec<Fund>, policies: Vec<Policy>, old_funds: &[Fund], old_policies: &[Policy]) -> Self {
        let known: BTreeMap<&FundId, &Fund> = old_funds.iter().map(|fund| (&fund.id, fund)).collect();
        let known_policies: BTreeMap<&PolicyId, &Policy> = old_policies.iter().map(|one| (&one.id, one)).collect();
        let before: Fen = old_funds.iter().map(|fund| fund.appropriated).sum();
        let gone: Fen = funds.iter().filter_map(|fund| known.get(&fund.id)).map(|fund| fund.appropriated).sum();
        let come: Fen = funds.iter().map(|fund| fund.appropriated).sum();
        let in_both = funds.iter().filter(|fund| known.contains_key(&fund.id)).count();
        let policies_in_both = policies.iter().filter(|one| known_policies.contains_key(&one.id)).count();
        let fund_change = |fund: Fund| {
            let change = change(known.get(&fund.id).map(|old| fund_fields(old)), fund_fields(&fund));
            (fund, change)
        };
        let policy_change = |policy: Policy| {
            let change = change(known_policies.get(&policy.id).map(|old| policy_fields(old)), policy_fields(&policy));
            (policy, change)
        };
        Self {
            appropriated: (before, Fen(before.0.saturating_sub(gone.0).saturating_add(come.0))),
            untouched: (old_funds.len() - in_both, old_policies.len() - policies_in_both),
            funds: funds.into_iter().map(fund_change).collect(),
            policies: policies.into_iter().map(policy_change).collect(),
        }
    }

    /// Whether an import would write nothing.
    pub(crate) fn are_none(&self) -> bool {
        let mut changes =
            self.funds.iter().map(|(_, change)| change).chain(self.policies.iter().map(|(_, change)| change));
        changes.all(|change| *change == Change::Unchanged)
    }

    /// The preview.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (fund, change) in &self.funds {
            let about = format!("资金 fund {} {}: {}", fund.id, fund.name, fund.appropriated);
            tell(&mut lines, &about, change);
            if fund.appropriated < fund.committed {
                lines.push(format!("    注意 note: {} is committed already, more than this", fund.committed));
            }
        }
        for (policy, change) in &self.policies {
            tell(&mut lines, &format!("政策 policy {} {}", policy.id, policy.title), change);
        }
        lines.push(count("资金 funds", self.funds.iter().map(|(_, change)| change), self.untouched.0));
        lines.push(count("政策 policies", self.policies.iter().map(|(_, change)| change), self.untouched.1));
        let (before, after) = self.appropriated;
        lines.push(if before == after {
            format!("预算总额 appropriated in all: {after}")
        } else {
            format!("预算总额 appropriated in all: {before} → {after}")
        });
        lines
    }
}

/// Tells what becomes of one thing.
pub(super) fn tell(lines: &mut Vec<String>, about: &str, change: &Change) {
    match change {
        Change::New => lines.push(format!("+ {about}")),
        Change::Changed(fields) => {
            lines.push(format!("~ {about}"));
            lines.extend(fields.iter().map(|(name, old, new)| format!("    {name}: {old} → {new}")));
        }
        Change::Unchanged => {}
    }
}

fn count<'a>(what: &str, changes: impl Iterator<Item = &'a Change>, untouched: usize) -> String {
    let (mut new, mut changed, mut unchanged) = (0, 0, 0);
    for change in changes {
        match change {
            Change::New => new += 1,
            Change::Changed(_) => changed += 1,
            Change::Unchanged => unchanged += 1,
        }
    }
    let mut line = format!("{what}: 新增 {new} new, 变更 {changed} changed, 不变 {unchanged} unchanged");
    if untouched > 0 {
        line.push_str(&format!(", 文件未列 {untouched} not in the file (kept)"));
    }
    line
}

fn change(old: Option<Vec<Field>>, new: Vec<Field>) -> Change {
    let Some(old) = old else { return Change::New };
    let differing = old.into_iter().zip(new).filter(|((_, old), (_, new))| old != new);
    let fields: Vec<_> = differing.map(|((name, old), (_, new))| (name, old, new)).collect();
    if fields.is_empty() { Change::Unchanged } else { Change::Changed(fields) }
}

fn fund_fields(fund: &Fund) -> Vec<Field> {
    vec![
        ("name", fund.name.clone()),
        ("currency", fund.currency.clone()),
        ("appropriated", fund.appropriated.to_string()),
        ("debtor_name", fund.debtor.name.clone()),
        ("debtor_account", fund.debtor.account_no.clone()),
        ("debtor_bank_code", fund.debtor.bank_code.clone()),
        ("budget_document", fund.budget_document.clone().unwrap_or_else(nothing)),
    ]
}

fn policy_fields(policy: &Policy) -> Vec<Field> {
    let amount = |amount: Option<Fen>| amount.map_or_else(nothing, |amount| amount.to_string());
    let list = |items: &[String]| if items.is_empty() { nothing() } else { items.join(", ") };
    let steps = policy.review.step_working_days.iter().map(|(stage, days)| format!("{} {days}", stage.code()));
    vec![
        ("title", policy.title.clone()),
        ("department_id", policy.department_id.clone()),
        ("fund_id", policy.fund_id.0.clone()),
        ("valid_from", policy.valid_from.to_string()),
        ("valid_to", policy.valid_to.map_or_else(nothing, |day| day.to_string())),
        ("cap_per_application", amount(policy.cap_per_application)),
        ("cap_per_enterprise_per_year", amount(policy.cap_per_enterprise_per_year)),
        ("release_limit", amount(policy.release_limit)),
        ("commitment_required", policy.commitment_required.to_string()),
        ("joint_department_ids", list(&policy.review.joint_department_ids)),
        ("review_working_days", policy.review.review_working_days.to_string()),
        ("step_working_days", list(&steps.collect::<Vec<_>>())),
        ("legal_working_days", policy.review.legal_working_days.map_or_else(nothing, |days| days.to_string())),
    ]
}

fn nothing() -> String {
    "–".to_owned()
}

/// A fund of the file as the store keeps it; `committed` is what the store has counted so far.
pub(crate) fn fund_of_file(fund: &policy_file::Fund, committed: Fen) -> Fund {
    Fund {
        id: FundId::from(fund.id.as_str()),
        name: fund.name.as_str().to_owned(),
        currency: fund.currency.as_str().to_owned(),
        appropriated: Fen(fund.appropriated_fen),
        committed,
        debtor: Debtor {
            name: fund.debtor_name.as_str().to_owned(),
            account_no: fund.debtor_account.as_str().to_owned(),
            bank_code: fund.debtor_bank_code.as_str().to_owned(),
        },
        budget_document: fund.budget_document.as_ref().map(|name| name.as_str().to_owned()),
    }
}

/// A policy of the file as the store keeps it.
pub(crate) fn policy_of_file(policy: &policy_file::Policy) -> Policy {
    Policy {
        id: PolicyId::from(policy.id.as_str()),
        title: policy.title.as_str().to_owned(),
        department_id: policy.department_id.as_str().to_owned(),
        fund_id: FundId::from(policy.fund_id.as_str()),
        valid_from: policy.valid_from.civil(),
        valid_to: policy.valid_to.map(zhida_schemas::time::Date::civil),
        cap_per_application: policy.cap_per_application_fen.map(Fen),
        cap_per_enterprise_per_year: policy.cap_per_enterprise_per_year_fen.map(Fen),
        release_limit: policy.release_limit_fen.map(Fen),
        commitment_required: policy.commitment_required,
        review: ReviewTerms {
            joint_department_ids: policy.joint_department_ids.iter().map(|id| id.as_str().to_owned()).collect(),
            review_working_days: policy.review_working_days,
            step_working_days: policy.step_working_days.iter().copied().collect(),
            legal_working_days: policy.legal_working_days,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Changes};
    use zhida_core::case_file::ReviewTerms;
    use zhida_core::ids::{FundId, PolicyId};
    use zhida_core::money::Fen;
    use zhida_core::ports::bank::Debtor;
    use zhida_core::steps::{Fund, Policy};

    fn fund(id: &str, appropriated: i64) -> Fund {
        let debtor =
            Debtor { name: "财政局".to_owned(), account_no: "110".to_owned(), bank_code: "102100099996".to_owned() };
        Fund {
            id: FundId::from(id),
            name: "惠企资金".to_owned(),
            currency: "CNY".to_owned(),
            appropriated: Fen(appropriated),
            committed: Fen(700),
            debtor,
            budget_document: None,
        }
    }

    fn policy(id: &str, cap: Option<i64>) -> Policy {
        Policy {
            id: PolicyId::from(id),
            title: "补助".to_owned(),
            department_id: "D".to_owned(),
            fund_id: FundId::from("F"),
            valid_from: jiff::civil::date(2026, 1, 1),
            valid_to: None,
            cap_per_application: cap.map(Fen),
            cap_per_enterprise_per_year: None,
            release_limit: None,
            commitment_required: false,
            review: ReviewTerms::default(),
        }
    }

    #[test]
    fn every_changed_field_is_told_with_its_old_value() {
        let old = ([fund("F", 1000), fund("G", 5000)], [policy("P", None), policy("Q", None)]);
        let changes = Changes::of(
            vec![fund("F", 600), fund("H", 200)],
            vec![policy("P", Some(50)), policy("R", None)],
            &old.0,
            &old.1,
        );
        let appropriated = ("appropriated", "10.00".to_owned(), "6.00".to_owned());
        assert_eq!(changes.funds[0].1, Change::Changed(vec![appropriated]));
        assert_eq!(changes.funds[1].1, Change::New);
        let cap = ("cap_per_application", "–".to_owned(), "0.50".to_owned());
        assert_eq!(changes.policies[0].1, Change::Changed(vec![cap]));
        assert_eq!(changes.policies[1].1, Change::New);
        assert_eq!(changes.appropriated, (Fen(6000), Fen(5800)));
        assert_eq!(changes.untouched, (1, 1));
        assert!(!changes.are_none());
        let preview = changes.lines().join("\n");
        assert!(preview.contains("7.00 is committed already"), "{preview}");
        assert!(preview.contains("60.00 → 58.00"), "{preview}");
    }

    #[test]
    fn the_same_file_again_changes_nothing() {
        let (funds, policies) = (vec![fund("F", 1000)], vec![policy("P", None)]);
        let changes = Changes::of(funds.clone(), policies.clone(), &funds, &policies);
        assert!(changes.are_none());
        assert_eq!(changes.lines().len(), 3, "counts and the total only");
    }
}
