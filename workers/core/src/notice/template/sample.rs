//! Values to try templates with: usual ones, for people to read; the longest that there can be; and hostile ones.

use super::variables::{ITEM, ITEMS_MAX, Variable, VariableType, variables};
use super::{Form, Locale};
use crate::notice::value::Values;
use crate::notice::{Channel, NoticeKind};
use std::collections::BTreeMap;

/// With what values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// As they usually are.
    Usual,
    /// As long as they can be on this channel.
    Longest(Channel),
    /// What somebody might try: line breaks, control characters, markup, formulas, templates, emoji, 5,000 characters.
    Hostile,
    /// Nothing is known of what need not be known.
    Empty,
}

impl Sample {
    /// One of each.
    pub const ALL: [Self; 4] = [Self::Usual, Self::Longest(Channel::Mail), Self::Hostile, Self::Empty];
}

/// Values of every variable of a kind.
#[must_use]
pub fn values(kind: NoticeKind, form: Form, locale: Locale, sample: Sample) -> Values {
    let mut values = Values::new(kind, form, locale);
    for one in variables(kind, form) {
        match (one.kind, sample) {
            (_, Sample::Empty) => {}
            (VariableType::Count, Sample::Usual) => values.count(one.name, usual_count(one.name)),
            (VariableType::Count, Sample::Longest(_) | Sample::Hostile) => values.count(one.name, 9_999_999),
            (VariableType::Items, _) => values.items(&items(kind, locale, sample)),
            (_, _) => values.text(one.name, &text(kind, one, locale, sample)),
        }
    }
    values
}

fn items(kind: NoticeKind, locale: Locale, sample: Sample) -> Vec<BTreeMap<&'static str, String>> {
    let count = if sample == Sample::Usual { 3 } else { ITEMS_MAX };
    let item = || ITEM.iter().map(|one| (one.name, text(kind, one, locale, sample))).collect();
    (0..count).map(|_| item()).collect()
}

/// What goes wrong in other people's systems.
const HOSTILE: &str = "=cmd|'/C calc'!A1\r\nBcc: x@example.com\u{0}\u{7}<script>alert(1)</script>{{ amount }}{% for x in items %}${x}{1}😀¥\u{202e}";

fn text(kind: NoticeKind, one: &Variable, locale: Locale, sample: Sample) -> String {
    match sample {
        Sample::Usual => usual(kind, one, locale),
        Sample::Longest(channel) => {
            let letter = match (one.kind, locale) {
                (VariableType::Text { .. } | VariableType::Capitals, _) | (VariableType::Words, Locale::Chinese) => {
                    "长"
                }
                _ => "0",
            };
            letter.repeat(one.kind.longest(channel))
        }
        Sample::Hostile => HOSTILE.repeat(50),
        Sample::Empty => String::new(),
    }
}

fn usual_count(name: &str) -> u64 {
    match name {
        "count" => 3,
        "overdue" => 5,
        "new" | "orders_open" => 2,
        "payouts_ended" => 24,
        "payouts_in_time" => 23,
        "ended" | "orders_overdue" | "payouts_not_credited" | "patterns_new" => 1,
        _ => 0,
    }
}

fn usual(kind: NoticeKind, one: &Variable, locale: Locale) -> String {
    let text = match (one.kind, one.name) {
        (VariableType::Money, _) => ("1409.50元", "CNY 1409.50"),
        (VariableType::Capitals, _) => ("人民币壹仟肆佰零玖元伍角", "人民币壹仟肆佰零玖元伍角"),
        (VariableType::MaskedAccount, _) => ("0001", "0001"),
        (VariableType::Time, _) => ("2026-11-23 09:30", "2026-11-23 09:30"),
        (VariableType::Date, _) => ("2026-11-23", "2026-11-23"),
        (VariableType::Link, _) => {
            ("https://zhida.example.gov.cn/digest/2026-11-23", "https://zhida.example.gov.cn/digest/2026-11-23")
        }
        (VariableType::Count | VariableType::Items, _) => ("", ""),
        (VariableType::Words, name) => usual_words(kind, name),
        (VariableType::Id, "order") => ("SO-17", "SO-17"),
        (VariableType::Id, "case") => ("C-2026-0007", "C-2026-0007"),
        (VariableType::Id, "alert") => ("AL-ABCDEFGHIJKLMNOP", "AL-ABCDEFGHIJKLMNOP"),
        (VariableType::Id, "reference") => ("20261123093000123456", "20261123093000123456"),
        (VariableType::Id, "code") => ("AC01", "AC01"),
        (VariableType::Id, _) => ("A-2026-000123", "A-2026-000123"),
        (VariableType::Text { .. }, "policy") => ("高新技术企业认定奖励", "高新技术企业认定奖励"),
        (VariableType::Text { .. }, "enterprise") => ("示例科技有限责任公司", "示例科技有限责任公司"),
        (VariableType::Text { .. }, "department") => ("区科技局", "区科技局"),
        (VariableType::Text { .. }, "document") => ("示区信〔2026〕7号", "示区信〔2026〕7号"),
        (VariableType::Text { .. }, "sender") => ("鼓楼直达", "鼓楼直达"),
        (VariableType::Text { .. }, "years_missing") => ("", ""),
        (VariableType::Text { .. }, _) => ("请说明超期原因和整改措施。", "Please state the cause and the measure."),
    };
    locale.of(text).to_owned()
}

/// Phrases that fit the kind, so that a preview reads as the message will.
fn usual_words(kind: NoticeKind, name: &str) -> (&'static str, &'static str) {
    match (name, kind) {
        ("clock", _) => ("部门审核", "department's step"),
        ("expected", _) => ("预计2026-11-24 09:00后到账，届时告知", "Expected after 2026-11-24 09:00"),
        ("standing", NoticeKind::ReviewDueSoon) => ("还剩1个工作日", "1 working day left"),
        ("standing", NoticeKind::ReviewCleared) => ("已办结", "done"),
        ("standing", NoticeKind::ReviewEscalated) => {
            ("已超期1个工作日2小时，逐级上报第2级", "over by 1 working day 2 h, escalated, rung 2")
        }
        ("standing", _) => ("已超期工作时间3小时20分钟", "over by 3 h 20 min of working time"),
        ("reason", NoticeKind::PayoutHeld) => ("尚未收到诚信承诺书", "the integrity commitment is not signed"),
        ("action", NoticeKind::PayoutHeld) => {
            ("请在申报平台签署，签署后自动拨付", "Please sign it online; payment follows by itself")
        }
        ("reason", NoticeKind::PayoutLate) => ("已提交银行，银行正在处理", "the bank is processing it"),
        ("action", NoticeKind::PayoutRefused | NoticeKind::PayoutReturned) => {
            ("请核对后在申报平台更正收款账户", "Please check and correct it online")
        }
        ("action", _) => ("请尽快作出审核决定", "Please decide this step"),
        (_, _) => ("收款账号有误", "the account number is not valid"),
    }
}
