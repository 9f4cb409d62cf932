//! What is told, audited at every look: each rung of an alert once and in its order, never before it is due; one notice to a
//! person for all rungs of one look; nothing cleared while its cause stands.

use super::oracle;
use super::world::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::case_file::ClockState;
use zhida_core::ids::{ApplicationId, OfficerId};
use zhida_core::notice::{Audience, NoticeKind, NoticeRequest};
use zhida_core::ports::queue::Destination;
use zhida_core::ports::store::JournalEntry;
use zhida_core::supervision::{Alert, Level};

/// Reads what was written since it last did.
pub(super) fn audit(world: &mut World) {
    let rows: Vec<JournalEntry> = {
        let tables = world.store.tables();
        tables.journal.iter().skip(world.books.journal_read).cloned().collect()
    };
    world.books.journal_read += rows.len();
    let rows: Vec<JournalEntry> = rows.into_iter().filter(|row| row.kind.starts_with("alert.")).collect();
    for row in &rows {
        let detail = row.detail.to_string();
        world.say(|| format!("looks at {}: {} {detail}", row.subject, row.kind));
    }
    let mut asked: BTreeMap<(String, OfficerId), (String, ApplicationId)> = BTreeMap::new();
    let mut raised: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        let id = text(&row.detail, "alert_id");
        let alert = world.store.tables().cases.alerts.get(&id).cloned();
        let Some(alert) = alert else {
            world.forbid(format!("the journal tells of alert {id}, and there is none"));
            continue;
        };
        match row.kind.as_str() {
            "alert.raised" | "alert.reached" => {
                rung(world, &alert, row, &mut asked);
                *raised.entry(id).or_default() += 1;
            }
            "alert.recorded" => {
                climbs(world, &alert, row);
                world.saw("recorded and not sent");
            }
            "alert.acknowledged" => {}
            _ => cleared(world, &alert, row, &mut asked),
        }
    }
    if raised.values().any(|count| *count > 1) {
        world.saw("several rungs in one look");
    }
    notices(world, asked);
    outgoing(world, &rows);
    one_open_alert_for_each_cause(world);
}

type Asked = BTreeMap<(String, OfficerId), (String, ApplicationId)>;

/// A rung that was raised, or reached somebody at last.
fn rung(world: &mut World, alert: &Alert, row: &JournalEntry, asked: &mut Asked) {
    if row.kind == "alert.raised" {
        climbs(world, alert, row);
        let due_at = text(&row.detail, "due_at");
        if due_at.parse().is_ok_and(|due_at: jiff::Timestamp| due_at > row.at) {
            world.forbid(format!("{} was raised at {}, before it was due at {due_at}", alert.id, row.at));
        }
    } else {
        world.saw("somebody comes to stand on a rung");
    }
    let told = row.detail["told"].as_array().cloned().unwrap_or_default();
    if told.is_empty() {
        world.saw("nobody on a rung");
    }
    for person in told.iter().filter_map(Value::as_str).map(OfficerId::from) {
        world.books.told.entry(alert.id.clone()).or_default().insert(person.clone());
        let occasion = (text(&row.detail, "level"), alert.application_id.clone());
        if asked.insert((alert.id.clone(), person), occasion).is_some() {
            world.saw("several rungs to one person in one look");
        }
    }
}

/// Each rung once, none left out, in their order.
fn climbs(world: &mut World, alert: &Alert, row: &JournalEntry) {
    let Ok(level) = text(&row.detail, "level").parse::<Level>() else {
        return world.forbid(format!("{} has a rung without a name", alert.id));
    };
    let levels = world.books.levels.entry(alert.id.clone()).or_default();
    let next = match (levels.last(), level) {
        (None, Level::DueSoon | Level::Rung(0)) => true,
        (Some(Level::DueSoon), Level::Rung(rung)) => rung == 0,
        (Some(Level::Rung(before)), Level::Rung(rung)) => rung == before + 1,
        (None | Some(_), _) => false,
    };
    levels.push(level);
    if !next {
        let told = format!("{} was raised as {levels:?}: a rung twice, left out or out of order", alert.id);
        world.forbid(told);
    }
}

fn cleared(world: &mut World, alert: &Alert, row: &JournalEntry, asked: &mut Asked) {
    let because = text(&row.detail, "because");
    world.saw(&format!("cleared: {because}"));
    world.books.cleared.insert(alert.id.clone());
    let levels = world.books.levels.get(&alert.id).cloned().unwrap_or_default();
    if levels.iter().any(|level| *level != Level::DueSoon) {
        for person in world.books.told.get(&alert.id).into_iter().flatten() {
            asked.insert((alert.id.clone(), person.clone()), ("cleared".to_owned(), alert.application_id.clone()));
        }
    }
    let state = oracle::state_of(world, alert);
    let red = alert.is_red();
    let gone = match because.as_str() {
        "met" => matches!(state, Some(ClockState::Met | ClockState::MetLate)),
        "void" => state == Some(ClockState::Void),
        "moved" => match state {
            Some(ClockState::Running | ClockState::Paused) => true,
            Some(ClockState::DueSoon) => red,
            _ => false,
        },
        "gone" => state.is_none(),
        _ => false,
    };
    if !gone {
        world.forbid(format!("{} was cleared ({because}) while its clock is {state:?}", alert.id));
    }
}

/// What people are to be told is exactly what the rungs of this look say, each person once.
fn notices(world: &mut World, asked: Asked) {
    let kind = |occasion: &str| match occasion {
        "due_soon" => NoticeKind::ReviewDueSoon,
        "overdue" => NoticeKind::ReviewOverdue,
        "cleared" => NoticeKind::ReviewCleared,
        _ => NoticeKind::ReviewEscalated,
    };
    let expected: BTreeSet<NoticeRequest> = asked
        .into_iter()
        .map(|((subject, recipient), (occasion, application_id))| NoticeRequest {
            kind: kind(&occasion),
            subject,
            recipient: recipient.to_string(),
            occasion,
            application_id,
        })
        .collect();
    // What payouts ask for is not told by looks.
    let officials = |one: &&NoticeRequest| one.kind.traits().audience == Audience::Official;
    let stored: BTreeSet<NoticeRequest> =
        world.store.tables().noticing.asked.keys().filter(officials).cloned().collect();
    let new: BTreeSet<NoticeRequest> = stored.difference(&world.books.notices).cloned().collect();
    for twice in expected.intersection(&world.books.notices).cloned().collect::<Vec<_>>() {
        world.forbid(format!("asked twice: {twice:?}"));
    }
    for missing in expected.difference(&stored) {
        world.violations.push(format!("nobody is asked to tell: {missing:?}"));
    }
    for strange in new.difference(&expected) {
        world.violations.push(format!("somebody is told of what did not happen: {strange:?}"));
    }
    world.books.notices = stored;
}

/// What went out is what the journal tells, each rung and each end once.
fn outgoing(world: &mut World, rows: &[JournalEntry]) {
    let name = |row: &JournalEntry| {
        let level = text(&row.detail, "level");
        let kind = match (row.kind.as_str(), level.as_str()) {
            ("alert.cleared", _) => "supervision.cleared.v1",
            ("alert.raised", "due_soon") => "supervision.warned.v1",
            ("alert.raised", "overdue") => "supervision.breached.v1",
            ("alert.raised", _) => "supervision.escalated.v1",
            _ => return None,
        };
        Some((kind.to_owned(), text(&row.detail, "alert_id"), level))
    };
    let told: BTreeSet<_> = rows.iter().filter_map(name).collect();
    let mut out = BTreeSet::new();
    let mut twice = Vec::new();
    {
        let tables = world.store.tables();
        for (number, row) in tables.outbox.range(world.books.outbox_read..) {
            world.books.outbox_read = number + 1;
            let Destination::World { event_type } = &row.destination else { continue };
            if event_type.starts_with("supervision.") && event_type != "supervision.acknowledged.v1" {
                let event: Value = serde_json::from_slice(&row.body).unwrap_or_default();
                let one = (event_type.clone(), text(&event["data"], "alert_id"), text(&event["data"], "level"));
                twice.extend((!world.books.out.insert(one.clone())).then(|| one.clone()));
                out.insert(one);
            }
        }
    }
    world.violations.extend(twice.iter().map(|one| format!("went out twice: {one:?}")));
    world.violations.extend(told.difference(&out).map(|one| format!("did not go out: {one:?}")));
    world.violations.extend(out.difference(&told).map(|one| format!("went out and did not happen: {one:?}")));
}

fn one_open_alert_for_each_cause(world: &mut World) {
    let alerts: Vec<Alert> = world.store.tables().cases.alerts.values().cloned().collect();
    let mut open = BTreeSet::new();
    for alert in alerts.iter().filter(|alert| alert.cleared.is_none()) {
        if !open.insert((&alert.application_id, &alert.cause)) {
            world.violations.push(format!("{} of {} has two open alerts", alert.cause, alert.application_id));
        }
    }
    for alert in alerts.iter().filter(|alert| alert.cleared.is_some() && !world.books.cleared.contains(&alert.id)) {
        if world.books.told.contains_key(&alert.id) {
            world.violations.push(format!("{} was cleared, and nobody was told", alert.id));
        }
    }
    if alerts.iter().any(|alert| alert.episode > 1) {
        world.saw("a cause that rang twice");
    }
}

pub(super) fn text(data: &Value, member: &str) -> String {
    data[member].as_str().unwrap_or_default().to_owned()
}
