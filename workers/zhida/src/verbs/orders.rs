//! `zhida orders`: supervision orders (督办单): issued, answered, returned and closed by signed acts, and listed for those whom they
//! concern. Who may do what is the core's.

use super::out::Out;
use super::table::{Column, Table};
use super::{Form, Usage, acting, local, reader, typed_count, typed_id, typed_text};
use crate::cli::{EyesArgs, OrdersVerb, SwitchArgs, WhoArgs};
use crate::wiring::Context;
use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::process::ExitCode;
use zhida_core::ids::{OfficerId, OrderId};
use zhida_core::ports::door::Handed;
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::Which;
use zhida_core::supervision::{Audience, ClockRow, Occasion, Order, OrderState, OrderStep, sees};
use zhida_core::view::micros;
use zhida_schemas::InboundEvent;
use zhida_schemas::supervision_acts::{self, CloseOrder, IssueOrder, ReplyOrder, ReturnOrder};
use zhida_schemas::time::Time;

/// Orders that are listed at most.
const LISTED_MAX: u32 = 1_000;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &OrdersVerb) -> anyhow::Result<ExitCode> {
    match verb {
        OrdersVerb::List { all, to, eyes, json } => {
            let (audiences, own) = seen_by(context, eyes).await?;
            let which = if *all { Which::All } else { Which::Open };
            let addressees = own.or_else(|| to.as_deref().map(|id| vec![OfficerId::from(id)]));
            let filter = OrderFilter { which, audiences, addressees, limit: LISTED_MAX };
            list(context, &filter, Form::from(*json)).await
        }
        OrdersVerb::Show { id, eyes, json } => {
            let seen = seen_by(context, eyes).await?;
            let order = known(context, id).await?.filter(|order| may_read(order, &seen));
            let Some(order) = order else {
                anyhow::bail!("no order {id} is known; `zhida orders list --all` shows them");
            };
            show(context, &order, Form::from(*json)).await
        }
        OrdersVerb::Issue { .. } | OrdersVerb::Reply { .. } | OrdersVerb::Return { .. } | OrdersVerb::Close { .. } => {
            act(context, verb).await
        }
    }
}

async fn act(context: &Context, verb: &OrdersVerb) -> anyhow::Result<ExitCode> {
    let now = context.store.now().await?;
    let (operator, key, event) = event(verb, Time::from(now))?;
    let handed = acting::hand_in(context, operator, key, &event, now).await?;
    let mut out = Out::new();
    let code = acting::say(&mut out, &handed, operator)?;
    out.flush()?;
    if !matches!(handed, Handed::Acted(_)) {
        return Ok(code);
    }
    match changed(context, verb).await? {
        Some(order) => show(context, &order, Form::People).await,
        None => Ok(code),
    }
}

/// The order as the act left it; of a new one the newest that stands.
async fn changed(context: &Context, verb: &OrdersVerb) -> anyhow::Result<Option<Order>> {
    match verb {
        OrdersVerb::Reply { id, .. } | OrdersVerb::Return { id, .. } | OrdersVerb::Close { id, .. } => {
            known(context, id).await
        }
        OrdersVerb::Issue { who, .. } => {
            let audiences = Audience::ALL.to_vec();
            let filter = OrderFilter { which: Which::Open, audiences, addressees: None, limit: LISTED_MAX };
            let orders = context.store.orders(&filter).await?;
            Ok(orders.into_iter().find(|order| order.issued_by.0 == who.operator))
        }
        OrdersVerb::List { .. } | OrdersVerb::Show { .. } => Ok(None),
    }
}

fn event(verb: &OrdersVerb, at: Time) -> anyhow::Result<(&str, &std::path::Path, InboundEvent)> {
    let of = |who: &WhoArgs| typed_id("--as", &who.operator);
    let of_act = |act: &SwitchArgs| typed_id("--as", &act.operator);
    Ok(match verb {
        OrdersVerb::Issue { alert, pattern, to, working_days, who, demand } => {
            let (occasion, occasion_id) = match (alert, pattern) {
                (Some(id), _) => (supervision_acts::Occasion::Alert, typed_id("--alert", id)?),
                (None, Some(id)) => (supervision_acts::Occasion::Pattern, typed_id("--pattern", id)?),
                (None, None) => return Err(Usage("name the --alert or the --pattern it is about".to_owned()).into()),
            };
            let issue = IssueOrder {
                operator_id: of(who)?,
                at,
                occasion,
                occasion_id,
                addressee_id: typed_id("--to", to)?,
                working_days: typed_count("--working-days", *working_days)?,
                demand: typed_text("--demand", demand)?,
            };
            (&who.operator, &who.key, InboundEvent::OperatorIssueOrder(issue))
        }
        OrdersVerb::Reply { id, who, cause, measure } => {
            let (order_id, operator_id) = (typed_id("order id", id)?, of(who)?);
            let (cause, measure) = (typed_text("--cause", cause)?, typed_text("--measure", measure)?);
            let reply = ReplyOrder { operator_id, at, order_id, cause, measure };
            (&who.operator, &who.key, InboundEvent::OperatorReplyOrder(reply))
        }
        OrdersVerb::Return { id, working_days, act } => {
            let (order_id, operator_id) = (typed_id("order id", id)?, of_act(act)?);
            let working_days = typed_count("--working-days", *working_days)?;
            let back =
                ReturnOrder { operator_id, at, order_id, working_days, reason: typed_text("--reason", &act.reason)? };
            (&act.operator, &act.key, InboundEvent::OperatorReturnOrder(back))
        }
        OrdersVerb::Close { id, act } => {
            let (order_id, operator_id) = (typed_id("order id", id)?, of_act(act)?);
            let close = CloseOrder { operator_id, at, order_id, reason: typed_text("--reason", &act.reason)? };
            (&act.operator, &act.key, InboundEvent::OperatorCloseOrder(close))
        }
        OrdersVerb::List { .. } | OrdersVerb::Show { .. } => {
            return Err(Usage("this verb is no act of a person".to_owned()).into());
        }
    })
}

/// For which eyes, and of whom only: an officer sees what they have to answer.
type Seen = (Vec<Audience>, Option<Vec<OfficerId>>);

/// What is seen: without a key what the supervision office sees; who does not supervise sees what is addressed to them.
async fn seen_by(context: &Context, eyes: &EyesArgs) -> anyhow::Result<Seen> {
    let Some(operator) = reader(&*context.store, eyes).await? else { return Ok((vec![Audience::Supervision], None)) };
    let audiences: Vec<Audience> = Audience::ALL.into_iter().filter(|one| sees(operator.role, *one)).collect();
    if audiences.is_empty() {
        let organisation = context.store.organisation().await?;
        return Ok((Audience::ALL.to_vec(), Some(organisation.answers_for(&OfficerId(operator.id.0)))));
    }
    Ok((audiences, None))
}

fn may_read(order: &Order, (audiences, own): &Seen) -> bool {
    audiences.contains(&order.audience) && own.as_ref().is_none_or(|ids| ids.contains(&order.addressee))
}

async fn known(context: &Context, id: &str) -> anyhow::Result<Option<Order>> {
    let Some(id) = OrderId::parse(id) else {
        return Err(Usage(format!("order id {id:?} is not of the form SO-17; `zhida orders list` shows them")).into());
    };
    Ok(context.store.order(id).await?)
}

/// The clock of its answer as it stands now.
async fn clock(context: &Context, order: &Order) -> anyhow::Result<ClockRow> {
    let name = format!("order:{}", order.id.0);
    let case = context.store.case(&order.matter()).await?;
    let rows = case.map(|case| case.clocks).unwrap_or_default();
    rows.into_iter().find(|row| row.clock.id.to_string() == name).with_context(|| format!("{} has no clock", order.id))
}

async fn list(context: &Context, filter: &OrderFilter, form: Form) -> anyhow::Result<ExitCode> {
    let orders = context.store.orders(filter).await?;
    let mut rows = Vec::with_capacity(orders.len());
    for order in &orders {
        rows.push((order, clock(context, order).await?.reading.deadline));
    }
    let now = context.store.now().await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&rows.iter().map(|(order, due)| order_json(order, *due)).collect())?,
        Form::People => {
            let mut table = Table::new(&[
                ("编号 id", Column::Text),
                ("状态 state", Column::Text),
                ("回复期限 due", Column::Text),
                ("责任人 addressee", Column::Text),
                ("事由 about", Column::Text),
                ("要求 demand", Column::Short),
            ]);
            for (order, due) in &rows {
                table.row(vec![
                    order.id.to_string(),
                    state(order, *due, now),
                    local(&context.settings, *due),
                    format!("{} {}", order.department_id, order.addressee),
                    about(order),
                    order.demand.clone(),
                ]);
            }
            if !rows.is_empty() {
                out.lines(&table.lines())?;
            }
            let what = match filter.which {
                Which::Open => "未销号 open",
                Which::All => "共 in all",
            };
            out.line(&format!("{what}: {}", rows.len()))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn show(context: &Context, order: &Order, form: Form) -> anyhow::Result<ExitCode> {
    let due = clock(context, order).await?.reading.deadline;
    let now = context.store.now().await?;
    let settings = &context.settings;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&order_json(order, due))?,
        Form::People => {
            let year = settings.calendar.timezone.to_datetime(order.issued_at).year();
            out.line(&format!("督办单 order    {}  督办〔{year}〕{} 号", order.id, order.id.0))?;
            out.line(&format!("状态 state      {}", state(order, due, now)))?;
            out.line(&format!("事由 about      {}", about(order)))?;
            out.line(&format!("责任人 addressee {} {}", order.department_id, order.addressee))?;
            out.line(&format!("回复期限 due    {} ({} 个工作日 working days)", local(settings, due), order.term().1))?;
            out.line(&format!(
                "{}  签发 issued by {}: {}",
                local(settings, order.issued_at),
                order.issued_by,
                order.demand
            ))?;
            for step in &order.steps {
                out.line(&match step {
                    OrderStep::Replied { by, at, cause, measure } => {
                        format!(
                            "{}  回复 answered by {by}: 原因 cause: {cause} 措施 measure: {measure}",
                            local(settings, *at)
                        )
                    }
                    OrderStep::Returned { by, at, working_days, reason } => format!(
                        "{}  退回 returned by {by}: {reason} ({working_days} 个工作日 working days)",
                        local(settings, *at)
                    ),
                })?;
            }
            if let Some(closing) = &order.closed {
                let at = local(settings, closing.at);
                out.line(&format!("{at}  销号 closed by {}: {}", closing.by, closing.reason))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn state(order: &Order, due: Timestamp, now: Timestamp) -> String {
    let (chinese, english) = order.state().title();
    if order.state() == OrderState::Issued && due <= now {
        return format!("{chinese} {english}, 已超期 overdue");
    }
    format!("{chinese} {english}")
}

fn about(order: &Order) -> String {
    let occasion = match &order.occasion {
        Occasion::Alert(id) | Occasion::Pattern(id) => id,
    };
    order.application_id.as_ref().map_or_else(|| occasion.clone(), |id| format!("{id} ({occasion})"))
}

fn order_json(order: &Order, due: Timestamp) -> Value {
    let (alert_id, pattern_id) = match &order.occasion {
        Occasion::Alert(id) => (Some(id), None),
        Occasion::Pattern(id) => (None, Some(id)),
    };
    let step = |step: &OrderStep| match step {
        OrderStep::Replied { by, at, cause, measure } => {
            json!({"step": "replied", "by": by, "at": micros(Some(*at)), "cause": cause, "measure": measure})
        }
        OrderStep::Returned { by, at, working_days, reason } => json!({"step": "returned", "by": by,
            "at": micros(Some(*at)), "working_days": working_days, "reason": reason}),
    };
    json!({
        "order_id": order.id.to_string(),
        "state": order.state().code(),
        "audience": order.audience.code(),
        "application_id": order.application_id,
        "alert_id": alert_id,
        "pattern_id": pattern_id,
        "addressee_id": order.addressee,
        "department_id": order.department_id,
        "issued_by": order.issued_by,
        "issued_at": micros(Some(order.issued_at)),
        "working_days": order.term().1,
        "due_at": micros(Some(due)),
        "demand": order.demand,
        "steps": order.steps.iter().map(step).collect::<Vec<_>>(),
        "closed": order.closed.as_ref().map(|one| json!({"by": one.by, "at": micros(Some(one.at)), "reason": one.reason})),
    })
}
