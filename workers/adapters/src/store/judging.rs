//! What the rules are judged with: policies, funds, caps, facts about applications. Read under the judging lock, so that
//! nothing of it changes for the worse before the judgement is written.

use super::fault::Fault;
use super::link::Tx;
use super::value::{Row, Value};
use super::{payout_rows, restoring};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::ids::{ApplicationId, FundId, PolicyId};
use zhida_core::money::Fen;
use zhida_core::ports::bank::Debtor;
use zhida_core::steps::{ApplicationFacts, Arrival, CapKey, Fact, Fund, IntakeContext, Policy};

/// Whose circumstances are to be read.
#[derive(Default)]
pub(super) struct Circumstances {
    pub(super) applications: BTreeSet<String>,
    pub(super) policies: BTreeSet<String>,
    /// Policy and USCC.
    pub(super) caps: BTreeSet<(String, String)>,
    pub(super) commitments: BTreeSet<String>,
    pub(super) enterprises: BTreeSet<String>,
    /// Source and id of events.
    pub(super) events: BTreeSet<(String, String)>,
}

impl Circumstances {
    /// Those of arrivals.
    pub(super) fn of_arrivals(arrivals: &[Arrival]) -> Self {
        let mut all = Self::default();
        for arrival in arrivals {
            all.events.insert((arrival.source.clone(), arrival.event_id.clone()));
            match &arrival.fact {
                Fact::Approved(approval) => {
                    all.applications.insert(approval.key.application_id.0.clone());
                    all.award(&approval.policy_id, &approval.enterprise.uscc, approval.commitment_id.as_ref());
                }
                Fact::PayeeCorrected(key, ..) => {
                    all.applications.insert(key.application_id.0.clone());
                }
                Fact::Ended(id, _)
                | Fact::PublicityStarted(id, _)
                | Fact::PublicityObjected(id, _)
                | Fact::PublicityEnded(id, _) => {
                    all.applications.insert(id.0.clone());
                }
                Fact::CommitmentSigned { .. } | Fact::Other => {}
            }
        }
        all
    }

    /// Those of payouts that wait.
    pub(super) fn of_payouts<'a>(payouts: impl IntoIterator<Item = &'a zhida_core::payout::Payout>) -> Self {
        let mut all = Self::default();
        for payout in payouts {
            all.applications.insert(payout.key.application_id.0.clone());
            all.award(&payout.policy_id, &payout.enterprise.uscc, payout.commitment_id.as_ref());
        }
        all
    }

    fn award(&mut self, policy_id: &PolicyId, uscc: &str, commitment_id: Option<&String>) {
        self.policies.insert(policy_id.0.clone());
        self.caps.insert((policy_id.0.clone(), uscc.to_owned()));
        self.enterprises.insert(uscc.to_owned());
        self.commitments.extend(commitment_id.cloned());
    }

    /// Reads them.
    pub(super) async fn read(self, tx: &mut Tx, revoked_keys: Vec<String>) -> Result<IntakeContext, Fault> {
        let policies = policies(tx, self.policies).await?;
        let fund_ids = policies.values().map(|policy| policy.fund_id.0.clone()).collect();
        Ok(IntakeContext {
            inbox: inbox(tx, self.events).await?,
            funds: funds(tx, fund_ids).await?,
            caps: caps(tx, self.caps).await?,
            applications: applications(tx, self.applications).await?,
            commitments: commitments(tx, self.commitments).await?,
            last_paid: last_paid(tx, self.enterprises).await?,
            revoked_keys: revoked_keys.into_iter().collect(),
            restored: restoring::last(tx).await?,
            policies,
        })
    }
}

async fn inbox(tx: &mut Tx, events: BTreeSet<(String, String)>) -> Result<BTreeMap<(String, String), String>, Fault> {
    let sql = "select source, event_id, content_sha256 from inbox where (source, event_id)";
    let rows = of_pairs(tx, sql, events).await?;
    rows.iter().map(|row| Ok(((row.get("source")?, row.get("event_id")?), row.get("content_sha256")?))).collect()
}

pub(super) const POLICY_COLUMNS: &str = "id, title, department_id, fund_id, valid_from, valid_to, cap_per_application, \
    cap_per_enterprise_per_year, release_limit, commitment_required, review";

/// Policies by id.
pub(super) async fn policies(tx: &mut Tx, ids: BTreeSet<String>) -> Result<BTreeMap<PolicyId, Policy>, Fault> {
    let rows = of_ids(tx, &format!("select {POLICY_COLUMNS} from policies where id"), ids).await?;
    rows.iter().map(|row| read_policy(row).map(|policy| (policy.id.clone(), policy))).collect()
}

pub(super) fn read_policy(row: &Row) -> Result<Policy, Fault> {
    let date = |text: String| text.parse().map_err(|error| Fault::corrupt("policies.valid_from or valid_to", &error));
    let fen = |column| Ok::<_, Fault>(row.get::<Option<i64>>(column)?.map(Fen));
    Ok(Policy {
        id: PolicyId(row.get("id")?),
        title: row.get("title")?,
        department_id: row.get("department_id")?,
        fund_id: FundId(row.get("fund_id")?),
        valid_from: date(row.get("valid_from")?)?,
        valid_to: row.get::<Option<String>>("valid_to")?.map(date).transpose()?,
        cap_per_application: fen("cap_per_application")?,
        cap_per_enterprise_per_year: fen("cap_per_enterprise_per_year")?,
        release_limit: fen("release_limit")?,
        commitment_required: row.get("commitment_required")?,
        review: row.json_or_none("review")?.unwrap_or_default(),
    })
}

pub(super) const FUND_COLUMNS: &str = "id, name, currency, appropriated, committed, debtor_name, debtor_account_no, \
    debtor_bank_code, budget_document";

/// Funds by id.
pub(super) async fn funds(tx: &mut Tx, ids: BTreeSet<String>) -> Result<BTreeMap<FundId, Fund>, Fault> {
    let rows = of_ids(tx, &format!("select {FUND_COLUMNS} from funds where id"), ids).await?;
    rows.iter().map(|row| read_fund(row).map(|fund| (fund.id.clone(), fund))).collect()
}

pub(super) fn read_fund(row: &Row) -> Result<Fund, Fault> {
    Ok(Fund {
        id: FundId(row.get("id")?),
        name: row.get("name")?,
        currency: row.get("currency")?,
        appropriated: Fen(row.get("appropriated")?),
        committed: Fen(row.get("committed")?),
        debtor: Debtor {
            name: row.get("debtor_name")?,
            account_no: row.get("debtor_account_no")?,
            bank_code: row.get("debtor_bank_code")?,
        },
        budget_document: row.get("budget_document")?,
    })
}

async fn caps(tx: &mut Tx, pairs: BTreeSet<(String, String)>) -> Result<BTreeMap<CapKey, Fen>, Fault> {
    let rows = of_pairs(tx, "select policy_id, uscc, year, charged from caps where (policy_id, uscc)", pairs).await?;
    let cap = |row: &Row| {
        let year: i64 = row.get("year")?;
        let year = i16::try_from(year).map_err(|_| Fault::corrupt("caps.year", &year))?;
        let key = CapKey { policy_id: PolicyId(row.get("policy_id")?), uscc: row.get("uscc")?, year };
        Ok((key, Fen(row.get("charged")?)))
    };
    rows.iter().map(cap).collect()
}

async fn applications(tx: &mut Tx, ids: BTreeSet<String>) -> Result<BTreeMap<ApplicationId, ApplicationFacts>, Fault> {
    let sql = "select id, ended_kind, ended_at, ended_reason, publicity_started_at, publicity_objected_at, publicity_ended_at \
        from applications where id";
    let rows = of_ids(tx, sql, ids).await?;
    let facts = |row: &Row| {
        let facts = ApplicationFacts {
            ended: payout_rows::ended(row)?,
            publicity_started_at: row.time_or_none("publicity_started_at")?,
            publicity_objected_at: row.time_or_none("publicity_objected_at")?,
            publicity_ended_at: row.time_or_none("publicity_ended_at")?,
        };
        Ok((ApplicationId(row.get("id")?), facts))
    };
    rows.iter().map(facts).collect()
}

async fn commitments(tx: &mut Tx, ids: BTreeSet<String>) -> Result<BTreeMap<String, String>, Fault> {
    let rows = of_ids(tx, "select id, uscc from commitments where id", ids).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("uscc")?))).collect()
}

/// The account on which each enterprise was last paid.
pub(super) async fn last_paid(tx: &mut Tx, usccs: BTreeSet<String>) -> Result<BTreeMap<String, String>, Fault> {
    if usccs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "select one.value as uscc, (select paid_account_no from payouts where payouts.uscc = one.value \
         and credited_at is not null order by credited_at desc limit 1) as account_no from {} one",
        tx.list(1)
    );
    let rows = tx.rows(sql, vec![usccs.into_iter().collect::<Vec<_>>().into()]).await?;
    let mut accounts = BTreeMap::new();
    for row in &rows {
        if let Some(account_no) = row.get::<Option<String>>("account_no")? {
            accounts.insert(row.get("uscc")?, account_no);
        }
    }
    Ok(accounts)
}

/// The account of each enterprise's award that is under way, else of the one that is ready and due first.
pub(super) async fn goes_first(tx: &mut Tx, usccs: Vec<String>) -> Result<BTreeMap<String, String>, Fault> {
    if usccs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "select uscc, account_no from (select uscc, account_no, row_number() over \
         (partition by uscc order by state = 'ready', due_at, application_id, tranche) as place \
         from payouts where uscc {} and state in ('ready', 'sending', 'unknown', 'pending')) ranked where place = 1",
        tx.among(1)
    );
    let rows = tx.rows(sql, vec![usccs.into()]).await?;
    rows.iter().map(|row| Ok((row.get("uscc")?, row.get("account_no")?))).collect()
}

async fn of_ids(tx: &mut Tx, sql: &str, ids: BTreeSet<String>) -> Result<Vec<Row>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{sql} {}", tx.among(1));
    tx.rows(sql, vec![ids.into_iter().collect::<Vec<_>>().into()]).await
}

async fn of_pairs(tx: &mut Tx, sql: &str, pairs: BTreeSet<(String, String)>) -> Result<Vec<Row>, Fault> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{sql} {}", tx.pairs_among(1));
    let (ones, others): (Vec<String>, Vec<String>) = pairs.into_iter().unzip();
    let lists: Vec<Value> = vec![ones.into(), others.into()];
    tx.rows(sql, lists).await
}
