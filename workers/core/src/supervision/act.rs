//! What people do about alerts and orders: acknowledge, issue, answer, return, close. Signature and freshness were checked before;
//! here stand the roles, and that nobody does it in the place of those who supervise them.

use super::alert::Alert;
use super::look::{District, of_alert};
use super::order::{Audience, Closing, Occasion, Order, OrderState, OrderStep};
use super::refused::{SupervisionRefused, TERM_MAX_WORKING_DAYS};
use super::roles::{permitted, sees};
use crate::ids::{ApplicationId, OfficerId, OrderId};
use crate::notice::{NoticeKind, NoticeRequest};
use crate::patterns::{self, Judgement, Pattern};
use crate::steps::{JournalRow, Operator, WorldEvent};
use crate::view::micros;
use serde_json::{Map, Value, json};

/// An act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupervisionAct {
    /// Takes notice of an alert.
    Acknowledge {
        /// Which.
        alert_id: String,
        /// Its ladder rests for so long.
        working_hours: u32,
    },
    /// Issues an order; the act's reason is what it demands.
    IssueOrder(NewOrder),
    /// Answers an order; the act's reason is how it came about.
    ReplyOrder {
        /// Which.
        order_id: String,
        /// What is done about it.
        measure: String,
    },
    /// Finds that the answer does not do.
    ReturnOrder {
        /// Which.
        order_id: String,
        /// For the next answer.
        working_days: u16,
    },
    /// Closes an order.
    CloseOrder {
        /// Which.
        order_id: String,
    },
    /// Says what a pattern is.
    JudgePattern {
        /// Which.
        pattern_id: String,
        /// What it is.
        judgement: Judgement,
    },
}

/// An order to be issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// What from.
    pub occasion: Occasion,
    /// Who has to answer.
    pub addressee: OfficerId,
    /// For the answer.
    pub working_days: u16,
}

/// What the store has loaded and locked for an act.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The alert that it names.
    pub alert: Option<Alert>,
    /// The order that it names, or whose answer the alert is about.
    pub order: Option<Order>,
    /// The pattern that it names.
    pub pattern: Option<Pattern>,
    /// The number of the next order.
    pub next_order: u32,
}

/// What an act did.
#[derive(Clone, Debug, Default)]
pub struct Deed {
    /// The alert as it is now.
    pub alert: Option<Alert>,
    /// The order as it is now; its matter is to be looked at.
    pub order: Option<Order>,
    /// The pattern as it is now.
    pub pattern: Option<Pattern>,
    /// Journal rows.
    pub journal: Vec<JournalRow>,
    /// Events for the world.
    pub world: Vec<WorldEvent>,
    /// Whom to tell.
    pub notices: Vec<NoticeRequest>,
}

/// Does an act.
///
/// # Errors
/// [`SupervisionRefused`]; nothing is changed then.
pub fn act(
    operator: &Operator,
    act: &SupervisionAct,
    reason: &str,
    loaded: Loaded,
    district: District<'_>,
) -> Result<Deed, SupervisionRefused> {
    permitted(operator, act)?;
    let hand = Hand { operator, reason, district };
    match act {
        SupervisionAct::Acknowledge { alert_id, working_hours } => {
            let (alert, audience) = hand.seen_alert(alert_id, loaded.alert, loaded.order.as_ref())?;
            hand.acknowledge(alert, audience, *working_hours)
        }
        SupervisionAct::IssueOrder(new) => hand.issue(new, loaded),
        SupervisionAct::ReplyOrder { order_id, measure } => hand.reply(known(order_id, loaded.order)?, measure),
        SupervisionAct::ReturnOrder { order_id, working_days } => {
            let order = hand.seen(order_id, known(order_id, loaded.order)?)?;
            hand.send_back(order, *working_days)
        }
        SupervisionAct::CloseOrder { order_id } => {
            let order = hand.seen(order_id, known(order_id, loaded.order)?)?;
            hand.close(order)
        }
        SupervisionAct::JudgePattern { pattern_id, judgement } => {
            hand.judge(hand.seen_pattern(pattern_id, loaded.pattern)?, *judgement)
        }
    }
}

fn known(order_id: &str, order: Option<Order>) -> Result<Order, SupervisionRefused> {
    order.ok_or_else(|| SupervisionRefused::NoSuchOrder(order_id.to_owned()))
}

/// The one who acts, and where.
struct Hand<'a> {
    operator: &'a Operator,
    reason: &'a str,
    district: District<'a>,
}

impl Hand<'_> {
    fn officer(&self) -> OfficerId {
        OfficerId(self.operator.id.0.clone())
    }

    fn acknowledge(
        &self,
        mut alert: Alert,
        audience: Audience,
        working_hours: u32,
    ) -> Result<Deed, SupervisionRefused> {
        alert.acknowledge(&self.officer(), working_hours, audience.told(self.reason), self.district)?;
        let mut whole = of_alert(&alert, None);
        whole.insert("level".to_owned(), json!(alert.level().to_string()));
        if let Some(one) = alert.acknowledged.last() {
            whole.insert("acknowledged_by".to_owned(), json!(one.by));
            whole.insert("until".to_owned(), json!(micros(Some(one.until))));
            whole.insert("reason".to_owned(), json!(one.reason));
        }
        let whole = Value::Object(whole);
        let subject = alert.application_id.0.clone();
        let journal = vec![self.row("alert.acknowledged", &alert.application_id, whole.clone())];
        let world = vec![WorldEvent { event_type: "supervision.acknowledged.v1".to_owned(), subject, data: whole }];
        Ok(Deed { alert: Some(alert), journal, world, ..Deed::default() })
    }

    fn issue(&self, new: &NewOrder, loaded: Loaded) -> Result<Deed, SupervisionRefused> {
        let (audience, application_id) = match &new.occasion {
            Occasion::Alert(id) => {
                let (alert, audience) = self.seen_alert(id, loaded.alert, loaded.order.as_ref())?;
                // An order about the late answer to an order without an application is about none either.
                let own = alert.order_id().map(|id| id.to_string());
                (audience, Some(alert.application_id).filter(|id| Some(&id.0) != own.as_ref()))
            }
            Occasion::Pattern(id) => {
                let pattern = self.seen_pattern(id, loaded.pattern)?;
                (pattern.rule.audience(), pattern.application_id().cloned())
            }
        };
        let addressee = new.addressee.clone();
        let Some(officer) = self.district.organisation.officers.get(&addressee) else {
            return Err(SupervisionRefused::AddresseeUnknown(addressee));
        };
        if !officer.role.is_supervised() {
            return Err(SupervisionRefused::AddresseeSupervises(addressee));
        }
        let order = Order {
            id: OrderId(loaded.next_order),
            occasion: new.occasion.clone(),
            application_id,
            audience,
            addressee,
            department_id: officer.department_id.clone(),
            issued_by: self.operator.id.clone(),
            issued_at: self.district.now,
            working_days: term(new.working_days)?,
            demand: self.reason.to_owned(),
            steps: Vec::new(),
            closed: None,
        };
        let told = self.addressees(&order);
        Ok(self.told_of(order, "issued", NoticeKind::OrderIssued, told))
    }

    fn reply(&self, mut order: Order, measure: &str) -> Result<Deed, SupervisionRefused> {
        let (by, at) = (self.operator.id.clone(), self.district.now);
        if !self.district.organisation.stands_in(&self.officer(), &order.addressee) {
            let order = match order.audience {
                Audience::Supervision => order,
                Audience::Inspection => self.seen(&order.id.to_string(), order)?,
            };
            return Err(SupervisionRefused::NotTheAddressee { by, order: order.id, addressee: order.addressee });
        }
        if order.closed.is_some() {
            return Err(SupervisionRefused::Closed(order.id));
        }
        let (cause, measure) = (self.reason.to_owned(), measure.to_owned());
        order.steps.push(OrderStep::Replied { by, at, cause, measure });
        let told = vec![OfficerId(order.issued_by.0.clone())];
        Ok(self.told_of(order, "replied", NoticeKind::OrderReplied, told))
    }

    fn send_back(&self, mut order: Order, working_days: u16) -> Result<Deed, SupervisionRefused> {
        self.judges(&order)?;
        match order.state() {
            OrderState::Replied => {}
            OrderState::Closed => return Err(SupervisionRefused::Closed(order.id)),
            OrderState::Issued => return Err(SupervisionRefused::NothingToReturn(order.id, order.state().code())),
        }
        let (by, at, reason) = (self.operator.id.clone(), self.district.now, self.reason.to_owned());
        order.steps.push(OrderStep::Returned { by, at, working_days: term(working_days)?, reason });
        let told = self.addressees(&order);
        Ok(self.told_of(order, "returned", NoticeKind::OrderReturned, told))
    }

    fn close(&self, mut order: Order) -> Result<Deed, SupervisionRefused> {
        self.judges(&order)?;
        if order.closed.is_some() {
            return Err(SupervisionRefused::Closed(order.id));
        }
        let (by, at, reason) = (self.operator.id.clone(), self.district.now, self.reason.to_owned());
        order.closed = Some(Closing { by, at, reason });
        let told = self.addressees(&order);
        Ok(self.told_of(order, "closed", NoticeKind::OrderClosed, told))
    }

    /// A pattern for other eyes is not known here.
    fn seen_pattern(&self, pattern_id: &str, pattern: Option<Pattern>) -> Result<Pattern, SupervisionRefused> {
        let seen = pattern.filter(|pattern| sees(self.operator.role, pattern.rule.audience()));
        seen.ok_or_else(|| SupervisionRefused::NoSuchPattern(pattern_id.to_owned()))
    }

    fn judge(&self, mut pattern: Pattern, judgement: Judgement) -> Result<Deed, SupervisionRefused> {
        pattern.judge(&self.operator.id, judgement, self.reason, self.district.now)?;
        let data = patterns::told(&pattern, "judged");
        let mut detail = data.clone();
        detail["reason"] = json!(pattern.rule.audience().told(self.reason));
        let (subject, by) = (pattern.id.clone(), self.operator.id.0.clone());
        let journal = vec![JournalRow { kind: "pattern.judged".to_owned(), subject: subject.clone(), by, detail }];
        let world = vec![WorldEvent { event_type: patterns::EVENT_TYPE.to_owned(), subject, data }];
        Ok(Deed { pattern: Some(pattern), journal, world, ..Deed::default() })
    }

    /// The addressee, and whoever stands in today.
    fn addressees(&self, order: &Order) -> Vec<OfficerId> {
        let today = self.district.time.day_of(self.district.now);
        let present = self.district.organisation.present(&order.addressee, today);
        let stand_in = present.filter(|one| one.id != order.addressee).map(|one| one.id.clone());
        std::iter::once(order.addressee.clone()).chain(stand_in).collect()
    }

    /// An alert, and for whose eyes it is: that about the answer to an order is for those of the order.
    fn seen_alert(
        &self,
        alert_id: &str,
        alert: Option<Alert>,
        order: Option<&Order>,
    ) -> Result<(Alert, Audience), SupervisionRefused> {
        let audience = order.map_or(Audience::Supervision, |order| order.audience);
        let hidden = audience == Audience::Inspection && !sees(self.operator.role, audience);
        let alert = alert.filter(|_| !hidden).ok_or_else(|| SupervisionRefused::NoSuchAlert(alert_id.to_owned()))?;
        Ok((alert, audience))
    }

    /// An order for other eyes is not known here.
    fn seen(&self, order_id: &str, order: Order) -> Result<Order, SupervisionRefused> {
        if sees(self.operator.role, order.audience) {
            return Ok(order);
        }
        Err(SupervisionRefused::NoSuchOrder(order_id.to_owned()))
    }

    fn judges(&self, order: &Order) -> Result<(), SupervisionRefused> {
        let answered = |step: &OrderStep| match step {
            OrderStep::Replied { by, .. } => *by == self.operator.id,
            OrderStep::Returned { .. } => false,
        };
        if order.addressee == self.officer() || order.steps.iter().any(answered) {
            return Err(SupervisionRefused::OwnAnswer(self.operator.id.clone()));
        }
        Ok(())
    }

    fn told_of(&self, order: Order, occasion: &'static str, kind: NoticeKind, told: Vec<OfficerId>) -> Deed {
        let matter = order.matter();
        let data = self.of_order(&order, occasion);
        let mut detail = data.clone();
        detail.insert("reason".to_owned(), json!(order.audience.told(self.reason)));
        detail.insert("audience".to_owned(), json!(order.audience.code()));
        let row = self.row(&format!("order.{occasion}"), &matter, Value::Object(detail));
        let journal = vec![JournalRow { by: self.actor(&order).to_owned(), ..row }];
        let subject = matter.0.clone();
        let world =
            vec![WorldEvent { event_type: "supervision.order.v1".to_owned(), subject, data: Value::Object(data) }];
        let place = order.steps.len();
        let request = |recipient: OfficerId| NoticeRequest {
            kind,
            subject: order.id.to_string(),
            recipient: recipient.0,
            occasion: format!("{occasion}_{place}"),
            application_id: matter.clone(),
        };
        let notices = told.into_iter().map(request).collect();
        Deed { order: Some(order), journal, world, notices, ..Deed::default() }
    }

    /// The order in the form of `schemas/v1/supervision.order`; what is not known, or not for everybody, is left out.
    fn of_order(&self, order: &Order, occasion: &str) -> Map<String, Value> {
        let open = order.audience == Audience::Supervision;
        let due_at = (order.state() == OrderState::Issued)
            .then(|| order.clock().read(self.district.time, &self.district.rules.counting).deadline);
        let (alert_id, pattern_id) = match &order.occasion {
            Occasion::Alert(id) => (Some(id), None),
            Occasion::Pattern(id) => (None, Some(id)),
        };
        let whole = json!({
            "order_id": order.id.to_string(),
            "occasion": occasion,
            "at": micros(Some(self.district.now)),
            "by": self.actor(order),
            "due_at": micros(due_at),
            "application_id": order.application_id.as_ref().filter(|_| open),
            "alert_id": alert_id,
            "pattern_id": pattern_id.filter(|_| open),
            "department_id": Some(&order.department_id).filter(|_| open),
            "addressee_id": Some(&order.addressee).filter(|_| open),
        });
        let Value::Object(mut members) = whole else { return Map::new() };
        members.retain(|_, value| !value.is_null());
        members
    }

    /// Who acted, as everybody may read it: who answers an order of discipline inspection stands in the order alone.
    fn actor(&self, order: &Order) -> &str {
        match order.audience {
            Audience::Inspection if !sees(self.operator.role, Audience::Inspection) => "addressee",
            Audience::Inspection | Audience::Supervision => self.operator.id.as_str(),
        }
    }

    fn row(&self, kind: &str, matter: &ApplicationId, detail: Value) -> JournalRow {
        JournalRow { kind: kind.to_owned(), subject: matter.0.clone(), by: self.operator.id.0.clone(), detail }
    }
}

fn term(working_days: u16) -> Result<u16, SupervisionRefused> {
    if (1..=TERM_MAX_WORKING_DAYS).contains(&working_days) {
        return Ok(working_days);
    }
    Err(SupervisionRefused::Term(working_days))
}
