//! Acts of operators. Signature and freshness were checked before; roles and the four eyes are the core's.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::supervising::About;
use super::value::{Row, Value};
use super::{SqlStore, load, supervising, transact};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeSet;
use zhida_core::ids::{OperatorId, PayoutKey};
use zhida_core::payout::{Event, Hold, HoldCode};
use zhida_core::ports::store::{ActStore, Acted, AnyAct, SignedAct, StoreError};
use zhida_core::steps::{
    self, Act, ActOutcome, ActRefused, Arrival, Changes, Fact, JournalRow, Operator, Role, Switch, WorldEvent,
};
use zhida_core::supervision::{Audience, Deed, sees};

#[async_trait]
impl ActStore for SqlStore {
    async fn act(&self, act: &SignedAct) -> Result<Acted, StoreError> {
        transact!(self, Writing, |tx| self.act_within(&mut tx, act))
    }

    async fn switch(&self) -> Result<Switch, StoreError> {
        transact!(self, Reading, |tx| load::switch(&mut tx, Lock::None))
    }

    async fn hold_revoked(&self, max: u32) -> Result<u32, StoreError> {
        let keys = self.protocol.verifier.revoked_keys();
        if keys.is_empty() {
            return Ok(0);
        }
        transact!(self, Writing, |tx| self.hold_revoked_within(&mut tx, keys.clone(), max))
    }
}

impl SqlStore {
    async fn act_within(&self, tx: &mut Tx, signed: &SignedAct) -> Result<Acted, Fault> {
        if let Some(known) = content_of(tx, signed).await? {
            return Ok(if known == signed.content_sha256 { Acted::Duplicate } else { Acted::Conflict });
        }
        let Some(operator) = operator(tx, &signed.operator_id).await? else {
            return Ok(Acted::UnknownOperator(signed.operator_id.clone()));
        };
        let (about, done) = match &signed.act {
            AnyAct::Payouts(act) => self.act_on_payouts(tx, &operator, act, &signed.reason).await?,
            AnyAct::Supervision(act) => {
                let (about, deed) = self.supervise(tx, &operator, act, &signed.reason).await?;
                if let Ok(deed) = &deed {
                    supervising::write(tx, deed).await?;
                }
                let changes = |deed: Deed| {
                    let Deed { journal, world, notices, .. } = deed;
                    Changes { journal, world, notices, ..Changes::default() }
                };
                let done = deed.map(|deed| (ActOutcome::Done, changes(deed))).map_err(ActRefused::from);
                (about, done)
            }
            AnyAct::Notices(act) => self.act_on_notices(tx, &operator, act, signed).await?,
        };
        let (acted, mut changes) = match done {
            Ok((outcome, changes)) => (Acted::Done(outcome), changes),
            Err(refused) => {
                let journal = vec![JournalRow {
                    kind: "operator.refused".to_owned(),
                    subject: about.subject.clone(),
                    by: signed.operator_id.0.clone(),
                    detail: json!({"type": signed.event_type, "why": refused.to_string()}),
                }];
                (Acted::Refused(refused), Changes { journal, ..Changes::default() })
            }
        };
        // Remembered also when it was refused: what was signed for today does not come true tomorrow.
        changes.inbox.push(arrival(signed, &about));
        // That somebody answered an order of discipline inspection would name its addressee.
        if sees(operator.role, about.audience) || about.audience == Audience::Supervision {
            changes.world.push(world_event(signed, &about, &acted, tx.now));
        }
        self.write(tx, changes).await?;
        Ok(acted)
    }

    async fn act_on_payouts(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        act: &Act,
        reason: &str,
    ) -> Result<(About, Result<(ActOutcome, Changes), ActRefused>), Fault> {
        let key = payout_of(act);
        let payouts = load::payouts(tx, &key.into_iter().cloned().collect::<BTreeSet<_>>(), Lock::Wait).await?;
        let switch = load::switch(tx, Lock::Wait).await?;
        let mut desk = self.desk(tx, payouts);
        let done = steps::act(&mut desk, &switch, operator, act, reason).map(|outcome| (outcome, desk.changes));
        let about = About {
            subject: key.map_or_else(|| "sending".to_owned(), steps::subject),
            application_id: key.map(|key| key.application_id.clone()),
            tranche: key.map(|key| key.tranche),
            audience: Audience::Supervision,
        };
        Ok((about, done))
    }

    async fn hold_revoked_within(&self, tx: &mut Tx, keys: Vec<String>, max: u32) -> Result<u32, Fault> {
        let tail = format!(
            "where state in ('held', 'ready', 'unknown') and keyid {} and ended_kind is null \
             and holds not like '%\"key_revoked\":%' and waived not like '%\"key_revoked\"%' \
             order by application_id, tranche",
            tx.among(1)
        );
        let payouts = load::payouts_due(tx, &tail, vec![keys.into()], max, Lock::Skip).await?;
        let now = tx.now;
        self.each(tx, payouts, move |desk, key| {
            let detail = "the key was revoked after its first arrival".to_owned();
            let hold = Hold { since: now, until: None, detail, released_by: None };
            // Also while unknown: once it is absent at the bank it would go again. Placing a hold is never refused.
            let _ = desk.apply(key, Event::Placed(HoldCode::KeyRevoked, hold));
        })
        .await
    }
}

async fn content_of(tx: &mut Tx, signed: &SignedAct) -> Result<Option<String>, Fault> {
    let sql = "select content_sha256 from inbox where source = $1 and event_id = $2";
    let rows = tx.rows(sql, vec![(&signed.source).into(), (&signed.event_id).into()]).await?;
    rows.first().map(|row| row.get("content_sha256")).transpose()
}

/// An operator who may act, locked.
async fn operator(tx: &mut Tx, id: &OperatorId) -> Result<Option<Operator>, Fault> {
    let locked = tx.locked(Lock::Wait);
    let sql = format!("select {OPERATOR_COLUMNS} from operators where id = $1 and disabled_at is null {locked}");
    let values: Vec<Value> = vec![id.as_str().into()];
    let rows = tx.rows(sql, values).await?;
    rows.first().map(read_operator).transpose()
}

pub(super) const OPERATOR_COLUMNS: &str = "id, name, role, public_key, disabled_at";

pub(super) fn read_operator(row: &Row) -> Result<Operator, Fault> {
    let role: String = row.get("role")?;
    Ok(Operator {
        id: OperatorId(row.get("id")?),
        name: row.get("name")?,
        role: Role::from_code(&role).ok_or_else(|| Fault::corrupt("operators.role", &role))?,
        public_key: row.get("public_key")?,
        disabled_at: row.time_or_none("disabled_at")?,
    })
}

fn payout_of(act: &Act) -> Option<&PayoutKey> {
    match act {
        Act::Hold(key) | Act::Release(key, _) | Act::Cancel(key) | Act::Decide(key, _, _) => Some(key),
        Act::Stop | Act::Resume => None,
    }
}

fn arrival(signed: &SignedAct, about: &About) -> Arrival {
    Arrival {
        source: signed.source.clone(),
        event_id: signed.event_id.clone(),
        event_type: signed.event_type.clone(),
        subject: about.subject.clone(),
        keyid: signed.operator_id.0.clone(),
        content_sha256: signed.content_sha256.clone(),
        body: signed.body.clone(),
        way: "act".to_owned(),
        fact: Fact::Other,
        case: None,
        contacts: None,
    }
}

/// Its subject is the operator.
fn world_event(signed: &SignedAct, about: &About, acted: &Acted, now: jiff::Timestamp) -> WorldEvent {
    let outcome = match acted {
        Acted::Done(ActOutcome::Done) => "done",
        Acted::Done(ActOutcome::AwaitsSecondOfficer) => "waits_for_second",
        Acted::Refused(_) | Acted::Duplicate | Acted::Conflict | Acted::UnknownOperator(_) => "refused",
    };
    let mut data = json!({"operator_id": signed.operator_id, "act": signed.event_type, "event_id": signed.event_id,
        "at": format!("{now:.6}"), "outcome": outcome, "reason": about.audience.told(&signed.reason)});
    if let Some(application_id) = &about.application_id {
        data["application_id"] = json!(application_id);
    }
    if let Some(tranche) = about.tranche {
        data["tranche"] = json!(tranche);
    }
    WorldEvent { event_type: "operator.acted.v1".to_owned(), subject: signed.operator_id.0.clone(), data }
}
