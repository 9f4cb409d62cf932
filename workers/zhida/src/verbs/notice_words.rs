//! Kinds, states and courses of notices in words, Chinese first; and money below a fen.

use jiff::Timestamp;
use zhida_core::notice::{Attempt, Channel, Course, Ended, Look, NoticeKind, NoticeState, WaitsFor};
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, RefusalClass, SendOutcome};

/// A kind in Chinese.
pub(crate) fn kind_word(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::PayoutReceived => "已审定",
        NoticeKind::PayoutHeld => "暂缓",
        NoticeKind::PayoutCredited => "到账",
        NoticeKind::PayoutRefused => "银行拒付",
        NoticeKind::PayoutReturned => "退汇",
        NoticeKind::PayoutLate => "迟付",
        NoticeKind::ReviewDueSoon => "临期",
        NoticeKind::ReviewOverdue => "超期",
        NoticeKind::ReviewEscalated => "逐级预警",
        NoticeKind::ReviewCleared => "预警消除",
        NoticeKind::OrderIssued => "督办签发",
        NoticeKind::OrderReplied => "督办回复",
        NoticeKind::OrderReturned => "督办退回",
        NoticeKind::OrderClosed => "督办销号",
        NoticeKind::Digest => "日报",
        NoticeKind::IntegrityNotified => "失信告知",
        NoticeKind::IntegrityDecided => "失信认定",
        NoticeKind::IntegrityRepaired => "信用修复",
        NoticeKind::Test => "测试",
    }
}

/// A state in Chinese.
pub(crate) fn state_word(state: NoticeState) -> &'static str {
    match state {
        NoticeState::Created => "待发",
        NoticeState::Sending => "发送中",
        NoticeState::Sent => "已发出",
        NoticeState::Delivered => "已送达",
        NoticeState::Failed => "失败",
        NoticeState::GaveUp => "放弃",
        NoticeState::Expired => "过时未发",
    }
}

/// Why a request became no notice, by [`zhida_core::notice::making::Outcome::code`]; a code of another version stands for itself.
pub(crate) fn not_made_words(code: &str) -> &str {
    match code {
        "turned_off" => "企业不需要 turned off",
        "no_address" => "无可用联系方式 no address",
        "lost_its_point" => "已过时 its point was lost",
        "not_told" => "与收件人无关 no concern of the recipient",
        "too_old" => "请求过久未生成 asked for too long ago",
        "before_notices" => "启用通知之前 asked for before there were notices",
        other => other,
    }
}

/// Why a channel reaches nobody, by the codes of the journal.
pub(crate) fn lack_words(code: &str) -> &str {
    match code {
        "no_provider" => "未配置渠道 no provider",
        "no_address" => "未提供 not given",
        "unusable" => "无法使用 not usable",
        "flagged" => "近期送不到 flagged",
        other => other,
    }
}

/// A channel in Chinese.
pub(crate) fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "短信",
        Channel::Mail => "邮件",
    }
}

/// What a message waits for.
pub(crate) fn waits_words(what: WaitsFor) -> &'static str {
    match what {
        WaitsFor::Call => "调用结束 the end of a call",
        WaitsFor::Word => "回执或答复 a receipt, or an answer",
        WaitsFor::Quiet => "免打扰时段结束 the end of quiet hours",
        WaitsFor::Ceiling => "总量上限 room under a ceiling",
        WaitsFor::Limit => "同一号码限额 what one address may be sent",
        WaitsFor::Provider => "可用渠道 a provider that takes it",
        WaitsFor::Switch => "恢复发送 that sending is resumed",
    }
}

/// How a message ended.
pub(crate) fn ended_words(ended: Ended) -> &'static str {
    match ended {
        Ended::Failed => "失败 failed for good",
        Ended::GaveUp => "放弃 gave up",
        Ended::Expired => "过时未发 lost its point",
        Ended::NotNeeded => "无需发送 not needed: the other channel brought it",
    }
}

/// Why it ended: what became of its subject, else a vendor's code as it stands.
pub(crate) fn because_words(code: &str) -> String {
    let words = match code {
        "expired" => "超过时效 its time was over",
        "payout_moved" => "款项状态已变化 the payout has moved on",
        "alert_cleared" => "预警已解除 the alert is over",
        "alert_climbed" => "预警已升级 the alert stands higher by now",
        "order_moved" => "督办单已有进展 the order has moved on",
        "erased" => "内容已清除 its words were erased",
        other => return format!(" [{other}]"),
    };
    format!("：{words} [{code}]")
}

/// What came of an attempt.
pub(crate) fn attempt_words(attempt: &Attempt) -> String {
    let code = attempt.code().map(|code| format!(" [{code}]")).unwrap_or_default();
    let course = match attempt.course() {
        Course::UnderWay => "调用中 the call is under way",
        Course::InDoubt => "不确定是否发出 it may have been sent",
        Course::TakenIn => "渠道已收 taken in",
        Course::Arrived => "已送达 arrived",
        Course::Undelivered => "未送达 did not arrive",
        Course::NotSent => "未发出 certainly not sent",
    };
    let why = match (&attempt.word, &attempt.outcome) {
        (Some((DeliveryWord::Undelivered { text, .. }, _)), _) => text.clone(),
        (Some((DeliveryWord::Delivered { .. } | DeliveryWord::OnTheWay, _)), _) | (None, None) => String::new(),
        (None, Some(outcome)) => outcome_words(outcome),
    };
    let why = if why.is_empty() { why } else { format!(": {why}") };
    format!("{course}{code}{why}")
}

/// What the provider said when it was asked.
pub(crate) fn asked_words(outcome: &AskOutcome, time: &dyn Fn(Timestamp) -> String) -> String {
    match outcome {
        AskOutcome::Found { word, .. } => format!("渠道有此消息 the provider has it: {}", word_words(word, time)),
        AskOutcome::NotFound => "渠道查无此消息 the provider knows nothing of it".to_owned(),
        AskOutcome::NoAnswer { why } => format!("无有效答复 no usable answer: {why}"),
        AskOutcome::NotOffered => "该渠道不提供查询 this provider answers no questions".to_owned(),
    }
}

/// What became of a message.
pub(crate) fn word_words(word: &DeliveryWord, time: &dyn Fn(Timestamp) -> String) -> String {
    match word {
        DeliveryWord::OnTheWay => "在途 on the way".to_owned(),
        DeliveryWord::Delivered { at } => {
            let at = at.map(|at| format!(" (渠道时间 by the vendor's clock {})", time(at))).unwrap_or_default();
            format!("送达 delivered{at}")
        }
        DeliveryWord::Undelivered { code, text, .. } => {
            format!("未送达 undelivered [{code}] {text}").trim_end().to_owned()
        }
    }
}

/// How a provider stands to a message that waits.
pub(crate) fn look_words(look: &Look, time: &dyn Fn(Timestamp) -> String) -> String {
    match look {
        Look::Free => "可用，将再试 usable: it is tried".to_owned(),
        Look::NoCode => {
            "此模板在该渠道没有代码 its template has no code there; `zhida notices templates import` brings one"
                .to_owned()
        }
        Look::NoSignature => "没有签名 no signature is set: notices.signature, or the provider's own".to_owned(),
        Look::Shut(until, why) => format!(
            "因故障暂停至 shut after failures until {}{}",
            time(*until),
            why.as_ref().map(|why| format!(" [{why}]")).unwrap_or_default()
        ),
        Look::Pause(until) => format!("未收，稍后再试 it did not take it; tried again after {}", time(*until)),
        Look::Limit => "同一号码已达限额 this address has had as many as it allows".to_owned(),
        Look::Refused(code) => format!("拒收此内容 it refused this content [{code}]"),
    }
}

/// How a call ended.
pub(crate) fn outcome_words(outcome: &SendOutcome) -> String {
    match outcome {
        SendOutcome::Accepted { .. } => String::new(),
        // Where the vendor says nothing beyond its code, that stands beside it already.
        SendOutcome::Refused { class, code, text } if text.is_empty() || text == code => class_words(*class).to_owned(),
        SendOutcome::Refused { class, text, .. } => format!("{}; {text}", class_words(*class)),
        SendOutcome::NotConnected { why } | SendOutcome::Doubtful { why } => why.clone(),
    }
}

fn class_words(class: RefusalClass) -> &'static str {
    match class {
        RefusalClass::Recipient => "号码或地址无效 the address",
        RefusalClass::Unreachable => "暂时无法送达 the address cannot be reached now",
        RefusalClass::Template => "模板或签名未通过 the vendor's code or signature",
        RefusalClass::Content => "内容不符 the content",
        RefusalClass::Limit => "超出频次 too many to this address",
        RefusalClass::Account => "账户问题 our account there",
        RefusalClass::Busy => "暂不可用 not now",
    }
}

/// In yuan with four decimals.
pub(crate) fn cost_words(ten_thousandths: i64) -> String {
    format!("{}.{:04}元", ten_thousandths / 10_000, ten_thousandths % 10_000)
}
