//! Reference data: funds, policies, operators.

use super::acting::{OPERATOR_COLUMNS, read_operator};
use super::fault::Fault;
use super::judging::{FUND_COLUMNS, POLICY_COLUMNS, policies, read_fund, read_policy};
use super::link::Tx;
use super::taking_in::{NOT_AT_THEIR_END, PAID_UNCHARGED, mark_payouts};
use super::value::{Record, Value, json as text};
use super::{SqlStore, cases, transact};
use async_trait::async_trait;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::PolicyId;
use zhida_core::ports::store::{ReferenceStore, StoreError};
use zhida_core::steps::{Changes, Fund, JournalRow, Operator, Policy};

#[async_trait]
impl ReferenceStore for SqlStore {
    async fn import_policies(&self, funds: &[Fund], policies: &[Policy], by: &str) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| self.import_within(&mut tx, funds, policies, by))
    }

    async fn funds(&self) -> Result<Vec<Fund>, StoreError> {
        transact!(self, Reading, |tx| all_funds(&mut tx))
    }

    async fn policies(&self) -> Result<Vec<Policy>, StoreError> {
        transact!(self, Reading, |tx| all_policies(&mut tx))
    }

    async fn policy(&self, id: &PolicyId) -> Result<Option<Policy>, StoreError> {
        let ids = BTreeSet::from([id.0.clone()]);
        let found = transact!(self, Reading, |tx| policies(&mut tx, ids.clone()))?;
        Ok(found.into_values().next())
    }

    async fn put_operator(&self, operator: &Operator, by: &str) -> Result<(), StoreError> {
        transact!(self, Writing, |tx| self.put_operator_within(&mut tx, operator, by))
    }

    async fn operators(&self) -> Result<Vec<Operator>, StoreError> {
        transact!(self, Reading, |tx| all_operators(&mut tx))
    }
}

impl SqlStore {
    async fn import_within(&self, tx: &mut Tx, funds: &[Fund], policies: &[Policy], by: &str) -> Result<(), Fault> {
        // An approval that is judged without this policy right now must be seen when payouts are marked.
        tx.lock_judging().await?;
        let funds: BTreeMap<_, _> = funds.iter().map(|fund| (&fund.id, fund)).collect();
        let policies: BTreeMap<_, _> = policies.iter().map(|policy| (&policy.id, policy)).collect();
        let fund_ids: Vec<String> = funds.keys().map(|id| id.0.clone()).collect();
        let policy_ids: Vec<String> = policies.keys().map(|id| id.0.clone()).collect();
        let tail = "on conflict (id) do update set name = excluded.name, currency = excluded.currency, \
            appropriated = excluded.appropriated, debtor_name = excluded.debtor_name, \
            debtor_account_no = excluded.debtor_account_no, debtor_bank_code = excluded.debtor_bank_code, \
            budget_document = excluded.budget_document";
        tx.insert("funds", funds.values().map(|fund| fund_record(fund)).collect(), tail).await?;
        let tail = "on conflict (id) do update set title = excluded.title, department_id = excluded.department_id, \
            fund_id = excluded.fund_id, valid_from = excluded.valid_from, valid_to = excluded.valid_to, \
            cap_per_application = excluded.cap_per_application, \
            cap_per_enterprise_per_year = excluded.cap_per_enterprise_per_year, \
            release_limit = excluded.release_limit, commitment_required = excluded.commitment_required, \
            review = excluded.review, whole = excluded.whole";
        tx.insert("policies", policies.values().map(|policy| policy_record(policy)).collect(), tail).await?;
        let journal = vec![JournalRow {
            kind: "policies.imported".to_owned(),
            subject: "policies".to_owned(),
            by: by.to_owned(),
            detail: json!({"funds": fund_ids.len(), "policies": policy_ids.len()}),
        }];
        self.write(tx, Changes { journal, ..Changes::default() }).await?;
        let concerned = format!(
            "policy_id {} or policy_id in (select id from policies where fund_id {})",
            tx.among(2),
            tx.among(3)
        );
        cases::mark_of_policies(tx, policy_ids.clone()).await?;
        let values: Vec<Value> = vec![policy_ids.into(), fund_ids.into()];
        mark_payouts(tx, NOT_AT_THEIR_END, &concerned, values.clone()).await?;
        mark_payouts(tx, PAID_UNCHARGED, &concerned, values).await
    }

    async fn put_operator_within(&self, tx: &mut Tx, operator: &Operator, by: &str) -> Result<(), Fault> {
        let record: Record = vec![
            ("id", operator.id.as_str().into()),
            ("name", (&operator.name).into()),
            ("role", operator.role.code().into()),
            ("public_key", (&operator.public_key).into()),
            ("disabled_at", operator.disabled_at.into()),
        ];
        let tail = "on conflict (id) do update set name = excluded.name, role = excluded.role, \
            public_key = excluded.public_key, disabled_at = excluded.disabled_at";
        tx.insert("operators", vec![record], tail).await?;
        let journal = vec![JournalRow {
            kind: "operator.put".to_owned(),
            subject: operator.id.0.clone(),
            by: by.to_owned(),
            detail: json!({"role": operator.role.code(), "public_key": operator.public_key,
                "disabled": operator.disabled_at.is_some()}),
        }];
        self.write(tx, Changes { journal, ..Changes::default() }).await
    }
}

pub(super) async fn all_funds(tx: &mut Tx) -> Result<Vec<Fund>, Fault> {
    let rows = tx.rows(format!("select {FUND_COLUMNS} from funds order by id"), vec![]).await?;
    rows.iter().map(read_fund).collect()
}

pub(super) async fn all_policies(tx: &mut Tx) -> Result<Vec<Policy>, Fault> {
    let rows = tx.rows(format!("select {POLICY_COLUMNS} from policies order by id"), vec![]).await?;
    rows.iter().map(read_policy).collect()
}

async fn all_operators(tx: &mut Tx) -> Result<Vec<Operator>, Fault> {
    let rows = tx.rows(format!("select {OPERATOR_COLUMNS} from operators order by id"), vec![]).await?;
    rows.iter().map(read_operator).collect()
}

fn fund_record(fund: &Fund) -> Record {
    vec![
        ("id", fund.id.as_str().into()),
        ("name", (&fund.name).into()),
        ("currency", (&fund.currency).into()),
        ("appropriated", fund.appropriated.into()),
        // What is committed is counted here and never imported.
        ("committed", 0_i64.into()),
        ("debtor_name", (&fund.debtor.name).into()),
        ("debtor_account_no", (&fund.debtor.account_no).into()),
        ("debtor_bank_code", (&fund.debtor.bank_code).into()),
        ("budget_document", fund.budget_document.clone().into()),
    ]
}

fn policy_record(policy: &Policy) -> Record {
    let fen = |amount: Option<zhida_core::money::Fen>| Value::Int(amount.map(|amount| amount.0));
    vec![
        ("id", policy.id.as_str().into()),
        ("title", (&policy.title).into()),
        ("department_id", (&policy.department_id).into()),
        ("fund_id", policy.fund_id.as_str().into()),
        ("valid_from", policy.valid_from.to_string().into()),
        ("valid_to", policy.valid_to.map(|date| date.to_string()).into()),
        ("cap_per_application", fen(policy.cap_per_application)),
        ("cap_per_enterprise_per_year", fen(policy.cap_per_enterprise_per_year)),
        ("release_limit", fen(policy.release_limit)),
        ("commitment_required", policy.commitment_required.into()),
        ("review", text(&policy.review).into()),
        ("whole", text(policy).into()),
    ]
}
