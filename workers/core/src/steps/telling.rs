//! What time alone brings a payout: holds that end at a time, and the alerts of its 24 hours, each given once.

use super::{Desk, JournalRow};
use crate::ids::PayoutKey;
use crate::payout::{Alarm, AlarmKind, Alert, Announcement, Effect, Event, Payout, PayoutWord, Risk, RiskCode};
use crate::rules::Rules;
use jiff::Timestamp;
use serde_json::json;

/// Ends holds whose time has come, and gives the alerts that are due.
pub fn time_passes(desk: &mut Desk<'_>, key: &PayoutKey) {
    let _ = desk.apply(key, Event::TimePassed);
    tell(desk, key, &[]);
}

/// What the calendar says of a payout from its first moment on is told in the transaction that takes it in.
pub(super) fn tell_of_the_rail(desk: &mut Desk<'_>, key: &PayoutKey) {
    tell(desk, key, &[Alert::RailClosed, Alert::CalendarMissing]);
}

/// Gives the alerts that are due: those in `only`, or all when that is empty.
fn tell(desk: &mut Desk<'_>, key: &PayoutKey, only: &[Alert]) {
    let Some(payout) = desk.payouts.get(key).filter(|one| one.is_unpaid()) else { return };
    for (alert, from) in payout.alerts(desk.rules) {
        if desk.now >= from && (only.is_empty() || only.contains(&alert)) {
            tell_once(desk, key, alert, from);
        }
    }
}

fn tell_once(desk: &mut Desk<'_>, key: &PayoutKey, alert: Alert, from: Timestamp) {
    let Some(mut payout) = desk.payouts.get(key).cloned() else { return };
    if !payout.told.insert(alert.name()) {
        return;
    }
    let risk = risk(&payout, desk.rules, alert, from);
    let mut detail = json!({"since": from});
    if let Some(risk) = &risk {
        detail["text"] = json!(risk.text);
        detail["bank_reopens_at"] = json!(risk.bank_reopens_at);
    }
    let effect = match alert {
        Alert::AfterHours(_) | Alert::RailClosed => Effect::Announce(Announcement { word: PayoutWord::AtRisk, risk }),
        Alert::Overdue => Effect::Announce(Announcement { word: PayoutWord::Overdue, risk }),
        Alert::CalendarMissing => Effect::Ring(Alarm {
            kind: AlarmKind::CalendarMissing,
            key: Some(key.clone()),
            instruction_id: None,
            text:
                "the calendar has no data for a year in which this payout's 24 hours run: whether the large-value rail \
                is open then is not known"
                    .to_owned(),
        }),
    };
    payout.sequence += u64::from(matches!(effect, Effect::Announce(_)));
    desk.put(payout, vec![effect]);
    desk.changes.journal.push(JournalRow {
        kind: format!("payout.{}", alert.name()),
        subject: super::subject(key),
        by: desk.by.clone(),
        detail,
    });
}

fn risk(payout: &Payout, rules: &Rules, alert: Alert, from: Timestamp) -> Option<Risk> {
    match alert {
        Alert::AfterHours(hours) => Some(Risk {
            code: RiskCode::Time,
            text: format!("审定后 {hours} 小时仍未到账。 Not credited {hours} hours after its approval."),
            bank_reopens_at: None,
        }),
        Alert::RailClosed => {
            let opening = rules.large_value_rail(payout.amount).map(|rail| rail.next_opening(from));
            let bank_reopens_at = opening.and_then(Result::ok);
            let text = match bank_reopens_at {
                Some(at) => {
                    let when = rules.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M");
                    format!(
                        "大额支付系统已关闭，{when} 重新开放，24 小时内无法到账。 The large-value system is closed and opens again \
                         at {when}: it cannot be credited within its 24 hours."
                    )
                }
                None => "大额支付系统已关闭，重新开放时间未知（日历缺少下一年数据），24 小时内无法到账。 The large-value system is \
                    closed, until when is not known (the calendar has no data for the next year): it cannot be credited \
                    within its 24 hours."
                    .to_owned(),
            };
            Some(Risk { code: RiskCode::RailClosed, text, bank_reopens_at })
        }
        Alert::Overdue | Alert::CalendarMissing => None,
    }
}
