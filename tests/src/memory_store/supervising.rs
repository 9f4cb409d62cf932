//! Acts of supervision and the orders they make, as in the real stores.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use zhida_core::ids::OrderId;
use zhida_core::ports::orders::{OrderFilter, OrderStore};
use zhida_core::ports::store::{StoreError, Which};
use zhida_core::steps::{ActOutcome, ActRefused, Changes, Operator};
use zhida_core::supervision::{Alert, District, Loaded, NewOrder, Occasion, Order, OrderState, SupervisionAct, act};

#[async_trait]
impl OrderStore for MemoryStore {
    async fn orders(&self, filter: &OrderFilter) -> Result<Vec<Order>, StoreError> {
        let listed = |one: &&Order| {
            let open = match filter.which {
                Which::Open => one.state() != OrderState::Closed,
                Which::All => true,
            };
            open && filter.audiences.contains(&one.audience)
                && filter.addressees.as_ref().is_none_or(|ids| ids.contains(&one.addressee))
        };
        let tables = self.tables();
        let orders = tables.cases.orders.values().rev().filter(listed).cloned();
        Ok(orders.take(filter.limit as usize).collect())
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.tables().cases.orders.get(&id).cloned())
    }
}

impl MemoryStore {
    /// What the act is about, and what it did; the rows that are supervision's own are written.
    #[allow(clippy::type_complexity)] // as the caller takes it apart
    pub(super) fn supervise(
        &self,
        tables: &mut Tables,
        operator: &Operator,
        what: &SupervisionAct,
        reason: &str,
    ) -> Result<(String, Result<(ActOutcome, Changes), ActRefused>), StoreError> {
        let loaded = tables.load(what);
        let subject = match (&loaded.order, &loaded.alert, &loaded.pattern) {
            (Some(order), ..) => order.matter().0,
            (None, Some(alert), _) => alert.application_id.0.clone(),
            (None, None, Some(pattern)) => pattern.id.clone(),
            (None, None, None) => "supervision".to_owned(),
        };
        let time = self.working_time(tables)?;
        let rules = &self.protocol.rules.supervision;
        let district = District { rules, organisation: &tables.organisation, time: &time, now: self.clock() };
        let deed = match act(operator, what, reason, loaded, district) {
            Ok(deed) => deed,
            Err(refused) => return Ok((subject, Err(refused.into()))),
        };
        tables.cases.alerts.extend(deed.alert.map(|alert| (alert.id.clone(), alert)));
        if let Some(order) = deed.order {
            tables.cases.marks.insert(order.matter());
            tables.cases.orders.insert(order.id, order);
        }
        tables.patterns.patterns.extend(deed.pattern.map(|pattern| (pattern.id.clone(), pattern)));
        let (journal, world, notices) = (deed.journal, deed.world, deed.notices);
        let changes = Changes { journal, world, notices, ..Changes::default() };
        Ok((subject, Ok((ActOutcome::Done, changes))))
    }
}

impl Tables {
    fn load(&self, what: &SupervisionAct) -> Loaded {
        let alert = |id: &String| self.cases.alerts.get(id).cloned();
        let pattern = |id: &String| self.patterns.patterns.get(id).cloned();
        let order = |id: &str| OrderId::parse(id).and_then(|id| self.cases.orders.get(&id).cloned());
        let order_of = |alert: &Option<Alert>| {
            let id = alert.as_ref().and_then(Alert::order_id)?;
            self.cases.orders.get(&id).cloned()
        };
        match what {
            SupervisionAct::Acknowledge { alert_id, .. } => {
                let alert = alert(alert_id);
                Loaded { order: order_of(&alert), alert, ..Loaded::default() }
            }
            SupervisionAct::IssueOrder(NewOrder { occasion, .. }) => {
                let last = self.cases.orders.keys().next_back().map_or(0, |id| id.0);
                let alert = match occasion {
                    Occasion::Alert(id) => alert(id),
                    Occasion::Pattern(_) => None,
                };
                let pattern = match occasion {
                    Occasion::Alert(_) => None,
                    Occasion::Pattern(id) => pattern(id),
                };
                Loaded { order: order_of(&alert), alert, pattern, next_order: last + 1 }
            }
            SupervisionAct::ReplyOrder { order_id, .. }
            | SupervisionAct::ReturnOrder { order_id, .. }
            | SupervisionAct::CloseOrder { order_id } => Loaded { order: order(order_id), ..Loaded::default() },
            SupervisionAct::JudgePattern { pattern_id, .. } => {
                Loaded { pattern: pattern(pattern_id), ..Loaded::default() }
            }
        }
    }
}
