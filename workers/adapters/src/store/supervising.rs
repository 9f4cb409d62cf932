//! Acts of supervision: the alert or order they name is loaded and locked, the core decides, what it decided is written. A look at the
//! same application waits for the act, or is over before it: both lock the row of its case file first.

use super::fault::Fault;
use super::link::{Lock, Tx};
use super::{SqlStore, case_rows, order_rows, pattern_rows, transact};
use async_trait::async_trait;
use zhida_core::ids::{ApplicationId, OrderId};
use zhida_core::ports::orders::{OrderFilter, OrderStore};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::Operator;
use zhida_core::supervision::{
    Alert, Audience, Deed, District, Loaded, NewOrder, Occasion, Order, SupervisionAct, SupervisionRefused, act,
};

#[async_trait]
impl OrderStore for SqlStore {
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>, StoreError> {
        transact!(self, Reading, |tx| async { Ok(order_rows::orders_listed(&mut tx, filter).await?.rows) })
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        transact!(self, Reading, |tx| order_rows::order(&mut tx, id, Lock::None))
    }
}

/// What an act is about.
pub(super) struct About {
    /// Under which name it stands in the journal.
    pub(super) subject: String,
    /// The application, where it is about one.
    pub(super) application_id: Option<ApplicationId>,
    /// The tranche, where it is about a payout.
    pub(super) tranche: Option<u32>,
    /// Who may read its reason.
    pub(super) audience: Audience,
}

impl SqlStore {
    /// Decides an act; writes nothing yet.
    pub(super) async fn supervise(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        what: &SupervisionAct,
        reason: &str,
    ) -> Result<(About, Result<Deed, SupervisionRefused>), Fault> {
        let loaded = load(tx, what).await?;
        let about = about(what, &loaded);
        let circumstances = self.circumstances(tx).await?;
        let rules = &self.protocol.rules.supervision;
        let district =
            District { rules, organisation: &circumstances.organisation, time: &circumstances.time, now: tx.now };
        Ok((about, act(operator, what, reason, loaded, district)))
    }
}

/// Writes the rows of a deed that are supervision's own; its journal, its events and its requests for notices go with the others.
pub(super) async fn write(tx: &mut Tx, deed: &Deed) -> Result<(), Fault> {
    if let Some(alert) = &deed.alert {
        case_rows::write_alerts(tx, &[alert]).await?;
    }
    if let Some(order) = &deed.order {
        order_rows::write(tx, order).await?;
        let mark = vec![("application_id", order.matter().0.into()), ("at", tx.now.into())];
        tx.insert("case_marks", vec![mark], "").await?;
    }
    if let Some(pattern) = &deed.pattern {
        pattern_rows::write(tx, std::slice::from_ref(pattern)).await?;
    }
    Ok(())
}

async fn load(tx: &mut Tx, what: &SupervisionAct) -> Result<Loaded, Fault> {
    let mut loaded = Loaded::default();
    match what {
        SupervisionAct::Acknowledge { alert_id, .. } => {
            loaded.alert = case_rows::alert_locked(tx, alert_id).await?;
            loaded.order = order_of(tx, loaded.alert.as_ref()).await?;
        }
        SupervisionAct::IssueOrder(NewOrder { occasion, .. }) => {
            loaded.next_order = order_rows::next_number(tx).await?;
            match occasion {
                Occasion::Alert(id) => {
                    loaded.alert = case_rows::alert(tx, id).await?;
                    loaded.order = order_of(tx, loaded.alert.as_ref()).await?;
                }
                Occasion::Pattern(id) => loaded.pattern = pattern_rows::one(tx, id, Lock::None).await?,
            }
        }
        SupervisionAct::ReplyOrder { order_id, .. }
        | SupervisionAct::ReturnOrder { order_id, .. }
        | SupervisionAct::CloseOrder { order_id } => {
            if let Some(id) = OrderId::parse(order_id) {
                loaded.order = order_rows::order(tx, id, Lock::Wait).await?;
            }
        }
        SupervisionAct::JudgePattern { pattern_id, .. } => {
            loaded.pattern = pattern_rows::one(tx, pattern_id, Lock::Wait).await?;
        }
    }
    Ok(loaded)
}

/// The order whose answer an alert is about.
async fn order_of(tx: &mut Tx, alert: Option<&Alert>) -> Result<Option<Order>, Fault> {
    match alert.and_then(Alert::order_id) {
        Some(id) => order_rows::order(tx, id, Lock::None).await,
        None => Ok(None),
    }
}

fn about(what: &SupervisionAct, loaded: &Loaded) -> About {
    let order = loaded.order.as_ref();
    // An order that is about no application has a case file of its own; it is no application.
    let own = |alert: &Alert| alert.order_id().is_some_and(|id| id.to_string() == alert.application_id.0);
    let of_alert = loaded.alert.as_ref().filter(|alert| !own(alert)).map(|alert| alert.application_id.clone());
    let of_pattern = loaded.pattern.as_ref().and_then(|pattern| pattern.application_id().cloned());
    let application_id = order.and_then(|order| order.application_id.clone()).or(of_alert).or(of_pattern);
    let named = match what {
        SupervisionAct::Acknowledge { alert_id, .. } => alert_id,
        SupervisionAct::IssueOrder(new) => match &new.occasion {
            Occasion::Alert(id) | Occasion::Pattern(id) => id,
        },
        SupervisionAct::ReplyOrder { order_id, .. }
        | SupervisionAct::ReturnOrder { order_id, .. }
        | SupervisionAct::CloseOrder { order_id } => order_id,
        SupervisionAct::JudgePattern { pattern_id, .. } => pattern_id,
    };
    // What is said of a pattern stands in its own story.
    let of_case = application_id.as_ref().filter(|_| !matches!(what, SupervisionAct::JudgePattern { .. }));
    let subject = of_case.map_or_else(|| named.clone(), |id| id.0.clone());
    let of_pattern = loaded.pattern.as_ref().map(|pattern| pattern.rule.audience());
    match order.map(|order| order.audience).or(of_pattern).unwrap_or(Audience::Supervision) {
        audience @ Audience::Supervision => About { subject, application_id, tranche: None, audience },
        audience @ Audience::Inspection => {
            About { subject: named.clone(), application_id: None, tranche: None, audience }
        }
    }
}
