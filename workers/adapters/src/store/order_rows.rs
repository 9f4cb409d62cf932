//! Supervision orders as rows.

use super::fault::{Fault, Readable, readable};
use super::link::{Lock, Tx};
use super::value::{Record, Row, Value, json};
use std::collections::BTreeMap;
use zhida_core::ids::{ApplicationId, DepartmentId, OfficerId, OperatorId, OrderId};
use zhida_core::ports::orders::OrderFilter;
use zhida_core::ports::store::Which;
use zhida_core::supervision::{Audience, Occasion, Order};

/// Writes an order as it is now.
pub(super) async fn write(tx: &mut Tx, order: &Order) -> Result<(), Fault> {
    let tail =
        "on conflict (number) do update set steps = excluded.steps, state = excluded.state, closed = excluded.closed";
    tx.insert("orders", vec![record(order)], tail).await
}

fn record(one: &Order) -> Record {
    let (alert_id, pattern_id) = match &one.occasion {
        Occasion::Alert(id) => (Some(id.clone()), None),
        Occasion::Pattern(id) => (None, Some(id.clone())),
    };
    vec![
        ("number", one.id.0.into()),
        ("matter", one.matter().0.into()),
        ("application_id", one.application_id.as_ref().map(|id| id.0.clone()).into()),
        ("alert_id", alert_id.into()),
        ("pattern_id", pattern_id.into()),
        ("audience", one.audience.code().into()),
        ("addressee", one.addressee.as_str().into()),
        ("department_id", one.department_id.as_str().into()),
        ("issued_by", one.issued_by.as_str().into()),
        ("issued_at", one.issued_at.into()),
        ("working_days", u32::from(one.working_days).into()),
        ("demand", (&one.demand).into()),
        ("steps", json(&one.steps).into()),
        ("state", one.state().code().into()),
        ("closed", one.closed.as_ref().map(json).into()),
    ]
}

/// The number of the next order. One issue at a time: no number is skipped.
pub(super) async fn next_number(tx: &mut Tx) -> Result<u32, Fault> {
    tx.lock_judging().await?;
    let row = tx.one("select coalesce(max(number), 0) + 1 as next from orders", vec![]).await?;
    row.unsigned("next")
}

/// One order.
pub(super) async fn order(tx: &mut Tx, id: OrderId, lock: Lock) -> Result<Option<Order>, Fault> {
    let tail = format!("where number = $1 {}", tx.locked(lock));
    Ok(orders_where(tx, &tail, vec![id.0.into()]).await?.pop())
}

/// Orders by their numbers.
pub(super) async fn orders_named(tx: &mut Tx, ids: Vec<OrderId>) -> Result<Vec<Order>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = ids.into_iter().map(|id| i64::from(id.0)).collect();
    let tail = format!("where number {}", tx.among(1));
    orders_where(tx, &tail, vec![numbers.into()]).await
}

/// Orders by what they are about.
pub(super) async fn orders_about(
    tx: &mut Tx,
    matters: Vec<String>,
) -> Result<BTreeMap<ApplicationId, Vec<Order>>, Fault> {
    let tail = format!("where matter {} order by number", tx.among(1));
    let mut orders: BTreeMap<ApplicationId, Vec<Order>> = BTreeMap::new();
    for order in orders_where(tx, &tail, vec![matters.into()]).await? {
        orders.entry(order.matter()).or_default().push(order);
    }
    Ok(orders)
}

/// Orders of a list, and how many of them cannot be read.
pub(super) async fn orders_listed(tx: &mut Tx, filter: &OrderFilter) -> Result<Readable<Order>, Fault> {
    let audiences: Vec<String> = filter.audiences.iter().map(|one| one.code().to_owned()).collect();
    let mut values: Vec<Value> = vec![filter.limit.into(), audiences.into()];
    let mut conditions = vec![format!("audience {}", tx.among(2))];
    if let Some(addressees) = &filter.addressees {
        let addressees: Vec<String> = addressees.iter().map(|id| id.0.clone()).collect();
        values.push(addressees.into());
        conditions.push(format!("addressee {}", tx.among(3)));
    }
    match filter.which {
        Which::Open => conditions.push("state <> 'closed'".to_owned()),
        Which::All => {}
    }
    let tail = format!("where {} order by number desc limit $1", conditions.join(" and "));
    readable(order_rows(tx, &tail, values).await?)
}

/// All of them, or none.
async fn orders_where(tx: &mut Tx, tail: &str, values: Vec<Value>) -> Result<Vec<Order>, Fault> {
    order_rows(tx, tail, values).await?.into_iter().collect()
}

async fn order_rows(tx: &mut Tx, tail: &str, values: Vec<Value>) -> Result<Vec<Result<Order, Fault>>, Fault> {
    let sql = format!(
        "select number, application_id, alert_id, pattern_id, audience, addressee, department_id, issued_by, issued_at, \
         working_days, demand, steps, closed from orders {tail}"
    );
    Ok(tx.rows(sql, values).await?.iter().map(read).collect())
}

fn read(row: &Row) -> Result<Order, Fault> {
    let number: u32 = row.unsigned("number")?;
    let unreadable =
        |column: &str, what: &str| Fault::corrupt(column, &what.to_owned()).at("orders", &number.to_string());
    let audience: String = row.get("audience")?;
    let (alert, pattern): (Option<String>, Option<String>) = (row.get("alert_id")?, row.get("pattern_id")?);
    let occasion = match (alert, pattern) {
        (Some(id), None) => Occasion::Alert(id),
        (None, Some(id)) => Occasion::Pattern(id),
        (_, _) => return Err(unreadable("alert_id", "neither or both of alert and pattern")),
    };
    Ok(Order {
        id: OrderId(number),
        occasion,
        application_id: row.get::<Option<String>>("application_id")?.map(ApplicationId),
        audience: Audience::from_code(&audience).ok_or_else(|| unreadable("audience", &audience))?,
        addressee: OfficerId(row.get("addressee")?),
        department_id: DepartmentId(row.get("department_id")?),
        issued_by: OperatorId(row.get("issued_by")?),
        issued_at: row.time("issued_at")?,
        working_days: row.unsigned("working_days")?,
        demand: row.get("demand")?,
        steps: row.json("steps")?,
        closed: row.json_or_none("closed")?,
    })
}
