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
            (VariableType::Items, _) => values.items(&items(locale, sample)),
            (_, _) => values.text(one.name, &text(one, locale, sample)),
        }
    }
    values
}

fn items(locale: Locale, sample: Sample) -> Vec<BTreeMap<&'static str, String>> {
    let count = if sample == Sample::Usual { 3 } else { ITEMS_MAX };
    let item = || ITEM.iter().map(|one| (one.name, text(one, locale, sample))).collect();
    (0..count).map(|_| item()).collect()
}

/// What goes wrong in other people's systems.
const HOSTILE: &str = "=cmd|'/C calc'!A1\r\nBcc: x@example.com\u{0}\u{7}<script>alert(1)</script>{{ amount }}{% for x in items %}${x}{1}😀¥\u{202e}";

fn text(one: &Variable, locale: Locale, sample: Sample) -> String {
    match sample {
        Sample::Usual => usual(one, locale),
        Sample::Longest(channel) => {
            let letter = match (one.kind, locale) {
                (VariableType::Text { .. } | VariableType::Capitals, _) | (VariableType::Words, Locale::Chinese) => {
                    "长"
                }
                _ => "0",
            };
            letter.repeat(one.kind.longest(channel, locale))
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

fn usual(one: &Variable, locale: Locale) -> String {
    let chinese_first = |chinese: &str, english: &str| locale.of((chinese, english)).to_owned();
    match (one.kind, one.name) {
        (VariableType::Money, _) => chinese_first("1409.50元", "CNY 1409.50"),
        (VariableType::Capitals, _) => "人民币壹仟肆佰零玖元伍角".to_owned(),
        (VariableType::MaskedAccount, _) => "0001".to_owned(),
        (VariableType::Time, _) => "2026-11-23 09:30".to_owned(),
        (VariableType::Date, _) => "2026-11-23".to_owned(),
        (VariableType::Link, _) => "https://zhida.example.gov.cn/digest/2026-11-23".to_owned(),
        (_, "application" | "matter" | "first") => "A-2026-000123".to_owned(),
        (_, "order") => "SO-17".to_owned(),
        (_, "case") => "C-2026-0007".to_owned(),
        (_, "alert") => "AL-ABCDEFGHIJKLMNOP".to_owned(),
        (_, "reference") => "20261123093000123456".to_owned(),
        (_, "code") => "AC01".to_owned(),
        (_, "policy") => "高新技术企业认定奖励".to_owned(),
        (_, "enterprise") => "示例科技有限责任公司".to_owned(),
        (_, "department") => "区科技局".to_owned(),
        (_, "document") => "示区信〔2026〕7号".to_owned(),
        (_, "sender") => "鼓楼直达".to_owned(),
        (_, "clock") => chinese_first("部门审核", "department's step"),
        (_, "standing") => chinese_first("已超期工作时间3小时20分钟", "over by 3 h 20 min of working time"),
        (_, "action") => chinese_first("请核对后在申报平台更正收款账户", "Please check and correct it online"),
        (_, "expected") => chinese_first(
            "预计2026-11-24 09:00后到账，届时短信告知",
            "Expected after 2026-11-24 09:00; you are told then",
        ),
        (VariableType::Words, _) => chinese_first("收款账号有误", "the account number is not valid"),
        (VariableType::Text { .. }, _) => {
            chinese_first("请说明超期原因和整改措施。", "Please state the cause and the measure.")
        }
        (VariableType::Id, _) => "X-1".to_owned(),
        (VariableType::Count | VariableType::Items, _) => String::new(),
    }
}
