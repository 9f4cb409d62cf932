//! Phrases that stand in notices as values: why something waits, what to do about it, how long it is over. Chinese and English;
//! each is short enough for a variable of an SMS, which a test holds.

use super::template::Locale;
use crate::case_file::ClockKind;
use crate::payout::{Hold, HoldCode, Payout, PayoutState};
use crate::rails::LargeValueRail;
use crate::supervision::{Cleared, Level};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A phrase in Chinese and in English.
pub(super) type Phrase = (&'static str, &'static str);

/// What is the matter, and what the recipient can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    /// What is the matter.
    pub(super) reason: Phrase,
    /// What to do; or that nothing is needed.
    pub(super) action: Phrase,
}

const NOTHING_NEEDED: Phrase = ("无需贵单位操作，核实后尽快拨付", "Nothing is needed from you");

const fn advice(reason: Phrase, action: Phrase) -> Advice {
    Advice { reason, action }
}

/// What an enterprise is told of a hold; none: it is not told of it.
pub(super) fn of_hold(code: HoldCode) -> Option<Advice> {
    Some(match code {
        HoldCode::AccountName => advice(
            ("收款户名与企业登记名称不一致", "account is not in your name"),
            ("请在申报平台更正为本企业对公账户", "Please give your own account online"),
        ),
        HoldCode::CommitmentMissing => advice(
            ("尚未收到诚信承诺书", "the commitment is not signed yet"),
            ("请在申报平台签署，签署后自动拨付", "Please sign it online; then we pay"),
        ),
        HoldCode::PayeeChanged => advice(
            ("收款账户与上次拨付的不同", "account differs from the last"),
            ("为保障资金安全，请留意经办部门的核实联系", "The department will call to confirm"),
        ),
        HoldCode::PublicityOpen => advice(
            ("公示期尚未结束", "the public notice has not ended"),
            ("无需贵单位操作，公示期满后自动拨付", "Nothing to do; paid when it ends"),
        ),
        HoldCode::ObjectionOpen => advice(
            ("公示期间收到异议，正在核实", "an objection is being looked into"),
            ("如需说明情况，请联系经办部门", "To comment, ask the department"),
        ),
        HoldCode::CapPerApplication | HoldCode::CapPerEnterprise => {
            advice(("金额超过政策上限，正在复核", "amount above the cap, under review"), NOTHING_NEEDED)
        }
        HoldCode::PolicyNotOpen => {
            advice(("审定日期不在政策有效期内，正在复核", "outside the term, under review"), NOTHING_NEEDED)
        }
        HoldCode::ApplicationEnded => advice(
            ("该申请此前已撤回或终止，正在核实", "it was withdrawn before approval"),
            ("如有疑问，请联系经办部门", "If in doubt, ask the department"),
        ),
        HoldCode::Operator => advice(("经办部门正在核实", "the department is checking it"), NOTHING_NEEDED),
        HoldCode::PolicyUnknown
        | HoldCode::FundUnknown
        | HoldCode::CurrencyNotFunds
        | HoldCode::FundShort
        | HoldCode::OfficersMissing
        | HoldCode::TooOld
        | HoldCode::KeyRevoked
        | HoldCode::SignatureMismatch
        | HoldCode::BankFunds
        | HoldCode::BankWindow
        | HoldCode::FormatRefused => return None,
    })
}

/// The holds of a payout.
type Holds = BTreeMap<HoldCode, Hold>;

/// Those that the enterprise can do something about.
const THEIRS: [HoldCode; 5] = [
    HoldCode::AccountName,
    HoldCode::CommitmentMissing,
    HoldCode::PayeeChanged,
    HoldCode::ObjectionOpen,
    HoldCode::ApplicationEnded,
];

/// What an enterprise is told of one of the holds of a payout. Beside others the end of one brings no money, and that nothing is needed
/// holds for that one alone.
pub(super) fn of_hold_among(code: HoldCode, holds: &Holds) -> Option<Advice> {
    let alone = of_hold(code)?;
    if holds.keys().all(|other| *other == code) {
        return Some(alone);
    }
    let action = if code == HoldCode::CommitmentMissing {
        ("请在申报平台签署，全部事项办结后拨付", "Please sign it online")
    } else if code == HoldCode::PublicityOpen {
        ("公示期满且全部事项办结后拨付", "Paid when all points are settled")
    } else if alone.action == NOTHING_NEEDED {
        ("此项无需贵单位操作，全部事项办结后拨付", "Nothing to do for this point")
    } else {
        alone.action
    };
    Some(Advice { action, ..alone })
}

/// The first of these that an enterprise is told of; one that it can do something about comes before the others.
pub(super) fn first_told(holds: &Holds) -> Option<HoldCode> {
    let told = || holds.keys().copied().filter(|code| code.concerns_enterprise());
    told().find(|code| THEIRS.contains(code)).or_else(|| told().next())
}

/// Why it is on hold; of an account with its last characters, for the corrected one may be as wrong as the first.
pub(super) fn reason_of_hold(code: HoldCode, advice: Advice, account: &str, locale: Locale) -> String {
    let reason = locale.of(advice.reason);
    if ![HoldCode::AccountName, HoldCode::PayeeChanged].contains(&code) {
        return reason.to_owned();
    }
    match locale {
        Locale::Chinese => format!("{reason}（尾号{account}）"),
        Locale::English => reason.replacen("account", &format!("account {account}"), 1),
    }
}

/// What to correct after the bank refused a payment, or sent it back, with an ISO 20022 reason.
pub(super) fn of_bank_reason(reason: &str) -> Advice {
    let correct = ("请核对后在申报平台更正收款账户", "Please check and correct it online");
    let another = ("请在申报平台改为可用的本企业对公账户", "Please give another account online");
    match reason {
        "AC01" | "AC02" | "AC03" => advice(("收款账号有误", "the account number is not valid"), correct),
        "AC04" | "AC05" | "AC07" => advice(("收款账户已销户", "the account is closed"), another),
        "AC06" => advice(
            ("收款账户被冻结或停止支付", "the account is blocked"),
            ("请联系开户银行，或在申报平台更换账户", "Ask your bank, or change it online"),
        ),
        _ if reason.starts_with("BE") => advice(
            ("收款户名与银行登记的不一致", "account name is not as the bank's"),
            ("请核对户名后在申报平台更正", "Please check and correct it online"),
        ),
        _ if reason.starts_with("RC") => advice(
            ("开户银行行号有误", "the bank code is not valid"),
            ("请向开户银行核对12位行号后在申报平台更正", "Ask your bank, then mend it online"),
        ),
        _ if reason.starts_with("AC") => advice(("收款账户无法入账", "the account cannot be credited"), correct),
        _ => advice(("收款银行未予入账", "the bank did not credit it"), correct),
    }
}

/// Why a payout is late, and when it will be there: in the words of the moment at which it is told. `account`: its last characters.
pub(super) fn of_lateness(
    (payout, account): (&Payout, &str),
    rail: Option<&LargeValueRail>,
    now: Timestamp,
    time: impl Fn(Timestamp) -> String,
    locale: Locale,
) -> (String, String) {
    let at_once = ("到账后立即告知，无需来电询问", "You are told when it is credited");
    // Where more than the hour stands in the way, the next opening brings nothing.
    let rail = rail.filter(|_| payout.holds.keys().all(|code| *code == HoldCode::BankWindow));
    let opening = rail.filter(|one| one.carries(payout.amount)).and_then(|one| one.next_opening(now).ok());
    if let Some(opening) = opening.filter(|opening| *opening > now) {
        let reason = ("大额支付系统已关闭，开放后继续办理", "large-value payments are closed");
        let at = time(opening);
        let expected = match locale {
            Locale::Chinese => format!("预计{at}后到账，届时告知"),
            Locale::English => format!("Expected after {at}"),
        };
        return (locale.of(reason).to_owned(), expected);
    }
    let held = first_told(&payout.holds).and_then(|code| Some((code, of_hold_among(code, &payout.holds)?)));
    let (reason, expected) = match (payout.state(), held) {
        (PayoutState::Held, Some((code, advice))) => {
            return (reason_of_hold(code, advice, account, locale), locale.of(advice.action).to_owned());
        }
        (PayoutState::Held, None) => (("拨付手续正在办理", "the payment is being prepared"), at_once),
        (PayoutState::Sending | PayoutState::Unknown | PayoutState::Pending, _) => {
            (("已提交银行，银行正在处理", "the bank is processing it"), at_once)
        }
        (PayoutState::Refused | PayoutState::Returned, _) => {
            (("银行未入账，正在核实原因", "not credited; the bank is asked why"), at_once)
        }
        (PayoutState::Ready | PayoutState::Settled | PayoutState::Cancelled, _) => {
            (("拨付正在排队办理", "the payment is queued"), at_once)
        }
    };
    (locale.of(reason).to_owned(), locale.of(expected).to_owned())
}

/// What an official does next about a clock.
pub(super) fn next_step(kind: ClockKind, level: Level) -> Phrase {
    let own = match kind {
        ClockKind::Acceptance => ("请尽快作出受理或不予受理决定", "Please accept it, or decline it with a reason"),
        ClockKind::Step => ("请尽快作出审核决定", "Please decide this step"),
        ClockKind::Supplement => ("请提醒企业补正，或依规办结", "Please remind the enterprise, or end the request"),
        ClockKind::Review | ClockKind::Legal => ("请协调尚未办结的环节", "Please see to the steps that are still open"),
        ClockKind::Payout => ("请查看兑付状态并排除障碍", "Please clear what stands in the payout's way"),
        ClockKind::Order => ("请回复原因和整改措施", "Please answer with cause and measure"),
    };
    match level {
        Level::DueSoon | Level::Rung(0) => own,
        Level::Rung(_) => ("请督促责任单位办理，并在系统中确认知悉", "Please see that it is done, and acknowledge"),
    }
}

/// Which clock.
pub(super) fn of_clock(kind: ClockKind) -> Phrase {
    match kind {
        ClockKind::Acceptance => ("受理", "acceptance"),
        ClockKind::Step => ("部门审核", "department's step"),
        ClockKind::Supplement => ("企业补正", "supplement"),
        ClockKind::Review => ("全程审批（承诺时限）", "whole review (promised)"),
        ClockKind::Legal => ("全程审批（法定时限）", "whole review (by law)"),
        ClockKind::Payout => ("兑付到账", "payout"),
        ClockKind::Order => ("督办回复", "answer to the order"),
    }
}

/// Why the alert of a clock is over.
pub(super) fn of_cleared(kind: ClockKind, why: Option<Cleared>) -> Phrase {
    match why {
        Some(Cleared::Met) => ("已办结", "done"),
        Some(Cleared::Void) => of_void(kind),
        Some(Cleared::Moved) => ("时限已顺延", "its deadline has moved"),
        Some(Cleared::Gone) => ("经补充记录核实，该时限不存在", "there was no such deadline after all"),
        None => ("已解除", "cleared"),
    }
}

/// What ended a clock without what it waited for: a step, say, that an approval has overtaken has not come to nothing.
fn of_void(kind: ClockKind) -> Phrase {
    match kind {
        ClockKind::Step | ClockKind::Supplement => {
            ("申请已有结果或已撤回，本环节无需再办", "the application was decided without it, or has ended")
        }
        ClockKind::Acceptance | ClockKind::Review | ClockKind::Legal => {
            ("申请已撤回或撤销", "the application was withdrawn or revoked")
        }
        ClockKind::Payout => ("兑付已取消", "the payout was cancelled"),
        ClockKind::Order => ("督办单已销号", "the order is closed"),
    }
}

/// Which rung of the ladder.
pub(super) fn of_level(level: Level, locale: Locale) -> String {
    match (level, locale) {
        (Level::DueSoon, Locale::Chinese) => "黄牌".to_owned(),
        (Level::DueSoon, Locale::English) => "due soon".to_owned(),
        (Level::Rung(0), Locale::Chinese) => "红牌".to_owned(),
        (Level::Rung(0), Locale::English) => "overdue".to_owned(),
        (Level::Rung(rung), Locale::Chinese) => format!("上报第{rung}级"),
        (Level::Rung(rung), Locale::English) => format!("escalated, rung {rung}"),
    }
}

/// How long by the sun: `3小时20分钟`.
pub(super) fn natural(minutes: i64, locale: Locale) -> String {
    let (hours, rest) = (minutes / 60, minutes % 60);
    match (locale, hours) {
        (Locale::Chinese, 0) if rest == 0 => "不足1分钟".to_owned(),
        (Locale::English, 0) if rest == 0 => "less than 1 min".to_owned(),
        (Locale::Chinese, 0) => format!("{rest}分钟"),
        (Locale::Chinese, 1..48) if rest > 0 => format!("{hours}小时{rest}分钟"),
        (Locale::Chinese, _) => format!("{hours}小时"),
        (Locale::English, 0) => format!("{rest} min"),
        (Locale::English, 1..48) if rest > 0 => format!("{hours} h {rest} min"),
        (Locale::English, _) => format!("{hours} h"),
    }
}

/// How long in working time: `2个工作日3小时`; `per_day` is how many minutes a day is worked.
pub(super) fn worked(minutes: i64, per_day: i64, locale: Locale) -> String {
    let (days, rest) = if per_day > 0 { (minutes / per_day, minutes % per_day) } else { (0, minutes) };
    let hours = rest / 60;
    match (locale, days, hours) {
        (Locale::Chinese, 0, _) => format!("工作时间{}", natural(rest, locale)),
        (Locale::English, 0, _) => format!("{} of working time", natural(rest, locale)),
        (Locale::Chinese, _, 0) => format!("{days}个工作日"),
        (Locale::Chinese, _, _) => format!("{days}个工作日{hours}小时"),
        (Locale::English, 1, 0) => "1 working day".to_owned(),
        (Locale::English, _, 0) => format!("{days} working days"),
        (Locale::English, 1, _) => format!("1 working day {hours} h"),
        (Locale::English, _, _) => format!("{days} working days {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{
        Holds, Phrase, first_told, natural, next_step, of_bank_reason, of_cleared, of_clock, of_hold, of_hold_among,
        reason_of_hold, worked,
    };
    use crate::case_file::ClockKind;
    use crate::notice::Channel;
    use crate::notice::template::Locale;
    use crate::notice::template::variables::VariableType;
    use crate::payout::{Hold, HoldCode};
    use crate::supervision::{Cleared, Level};
    use jiff::Timestamp;

    #[test]
    fn whatever_concerns_an_enterprise_has_words_and_nothing_else_has() {
        for code in HoldCode::ALL {
            assert_eq!(of_hold(*code).is_some(), code.concerns_enterprise(), "{code:?}");
        }
        assert_eq!(first_told(&holds([HoldCode::FundShort])), None);
    }

    fn holds<const N: usize>(codes: [HoldCode; N]) -> Holds {
        let hold =
            |code| (code, Hold { since: Timestamp::UNIX_EPOCH, until: None, detail: String::new(), released_by: None });
        codes.map(hold).into()
    }

    #[test]
    fn beside_other_holds_nothing_is_promised_for_the_end_of_one() {
        use HoldCode::{AccountName, CommitmentMissing, FundShort, ObjectionOpen, Operator, PublicityOpen};
        for (codes, first) in [
            ([Operator, CommitmentMissing], CommitmentMissing),
            ([PublicityOpen, ObjectionOpen], ObjectionOpen),
            ([PublicityOpen, FundShort], PublicityOpen),
        ] {
            assert_eq!(first_told(&holds(codes)), Some(first), "what they can do comes first");
        }
        for code in HoldCode::ALL.iter().filter(|code| code.concerns_enterprise()) {
            assert_eq!(of_hold_among(*code, &holds([*code])), of_hold(*code), "{code:?} alone");
            let (chinese, english) = of_hold_among(*code, &holds([*code, FundShort])).map(|one| one.action).unwrap();
            for promise in ["自动", "后尽快"] {
                assert!(!chinese.contains(promise), "{chinese}");
            }
            assert!(
                !chinese.starts_with("无需") && !english.contains("from you") && !english.contains("we pay"),
                "{english}"
            );
        }
        let advice = of_hold(AccountName).unwrap();
        assert_eq!(reason_of_hold(AccountName, advice, "0001", Locale::English), "account 0001 is not in your name");
    }

    #[test]
    fn every_phrase_fits_into_a_variable_of_an_sms() {
        let mut phrases: Vec<Phrase> = Vec::new();
        let longest = VariableType::Words.longest(Channel::Sms);
        let told = HoldCode::ALL.iter().filter_map(|code| of_hold(*code));
        let reasons = ["AC01", "AC04", "AC06", "AC13", "BE01", "RC04", "FOCR"].map(of_bank_reason);
        for advice in told.chain(reasons) {
            phrases.extend([advice.reason, advice.action]);
        }
        for code in HoldCode::ALL.iter().filter(|code| code.concerns_enterprise()) {
            let advice = of_hold_among(*code, &holds([*code, HoldCode::FundShort])).unwrap();
            phrases.push(advice.action);
            for locale in [Locale::Chinese, Locale::English] {
                let reason = reason_of_hold(*code, advice, "0001", locale);
                assert!(reason.chars().count() <= longest, "{reason}");
            }
        }
        for phrase in &phrases {
            assert!(phrase.1.chars().count() <= longest, "{}", phrase.1);
        }
        // An official's SMS is always Chinese.
        for kind in ClockKind::ALL {
            phrases.extend([of_clock(kind), next_step(kind, Level::DueSoon), next_step(kind, Level::Rung(2))]);
        }
        let cleared = [Cleared::Met, Cleared::Void, Cleared::Moved, Cleared::Gone].map(Some);
        phrases.extend(ClockKind::ALL.iter().flat_map(|kind| cleared.map(|why| of_cleared(*kind, why))));
        for phrase in phrases {
            assert!(phrase.0.chars().count() <= longest, "{}", phrase.0);
            for text in [phrase.0, phrase.1] {
                assert!(!text.ends_with(['。', '.']), "templates end sentences: {text}");
            }
        }
    }

    #[test]
    fn lengths_of_time_are_read_at_a_glance() {
        for (minutes, chinese, english) in [
            (0, "工作时间不足1分钟", "less than 1 min of working time"),
            (20, "工作时间20分钟", "20 min of working time"),
            (200, "工作时间3小时20分钟", "3 h 20 min of working time"),
            (390, "1个工作日", "1 working day"),
            (390 * 2 + 60, "2个工作日1小时", "2 working days 1 h"),
        ] {
            assert_eq!(worked(minutes, 390, Locale::Chinese), chinese);
            assert_eq!(worked(minutes, 390, Locale::English), english);
        }
        assert_eq!(natural(25 * 60 + 5, Locale::Chinese), "25小时5分钟");
        assert_eq!(natural(60, Locale::English), "1 h");
        assert_eq!(natural(0, Locale::Chinese), "不足1分钟");
        assert_eq!(natural(72 * 60 + 5, Locale::English), "72 h");
    }
}
