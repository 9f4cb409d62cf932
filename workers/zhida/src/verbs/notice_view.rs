//! One notice with everything that is known of it, for people and for programs. Addresses are masked.

use super::local;
use super::notice_words::{
    asked_words, attempt_words, because_words, channel_word, cost_words, ended_words, kind_word, look_words,
    state_word, waits_words, word_words,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zhida_config::Settings;
use zhida_core::notice::making::FLAG_DAYS;
use zhida_core::notice::number::masked;
use zhida_core::notice::{Attempt, Channel, Look, Message, Notice, WordFrom};
use zhida_core::ports::notices::{AddressFacts, Content, NoticeView};
use zhida_core::ports::sms::Trust;
use zhida_core::view::micros;

/// How providers stand to each message that waits for one of them, by its channel.
pub(super) type Looks = BTreeMap<Channel, Vec<(String, Look)>>;

/// The proof, line by line.
pub(super) fn proof(settings: &Settings, view: &NoticeView, looks: &Looks, to: &str) -> Vec<String> {
    let notice = &view.notice;
    let state = notice.state();
    let mut lines = vec![
        format!("通知 notice   {}  {} {}", notice.id, kind_word(notice.kind), notice.kind.code()),
        format!("状态 state    {} {}", state_word(state), state.code()),
        format!("收件人 to     {to}"),
        format!("申请 about    {}", notice.application_id),
        format!(
            "生成 made     {}  (模板 templates {}, {})",
            local(settings, notice.created_at),
            notice.template_version,
            notice.locale
        ),
        format!("失效 expires  {}", local(settings, notice.expires_at)),
    ];
    if notice.covers > 1 {
        lines.push(format!("合并 covers   {} 项 requests", notice.covers));
    }
    for request in &view.requests {
        lines.push(format!("  事由 asked   {} ({})", request.subject, request.occasion));
    }
    for message in &notice.messages {
        lines.push(String::new());
        let content = view.contents.iter().find(|one| one.channel == message.channel);
        let known = view.addresses.get(&message.channel);
        let looks = looks.get(&message.channel).map_or(&[][..], |all| all);
        lines.extend(message_lines(settings, message, content, known, looks));
    }
    if !view.receipts.is_empty() {
        lines.push(String::new());
        lines.push("回执 receipts".to_owned());
    }
    for (at, provider, receipt, trust) in &view.receipts {
        let (word, signed) = (word_words(&receipt.word, &|at| local(settings, at)), trust_text(*trust));
        let theirs = receipt.provider_id.as_ref().map(|id| format!("  渠道编号 vendor's id {id}")).unwrap_or_default();
        let ours = if receipt.out_id.is_empty() { "—" } else { &receipt.out_id };
        lines.push(format!("  {}  {provider}  {ours}  {word}  ({signed}){theirs}", local(settings, *at)));
    }
    lines
}

fn message_lines(
    settings: &Settings,
    message: &Message,
    content: Option<&Content>,
    known: Option<&AddressFacts>,
    looks: &[(String, Look)],
) -> Vec<String> {
    let state =
        message.state().map_or("备用 standby".to_owned(), |state| format!("{} {}", state_word(state), state.code()));
    let segments = if message.segments > 0 { format!("  {} 条 segments", message.segments) } else { String::new() };
    let mut lines = vec![format!("{} {}  {state}{segments}", channel_word(message.channel), message.channel.code())];
    match content {
        Some(content) => {
            let known = address_words(settings, content.channel, known);
            lines.push(format!("  至 to        {}  {known}", masked(content.channel, &content.to)));
            lines.extend(content.subject.as_ref().map(|subject| format!("  主题 subject {subject}")));
            lines.extend(content.text.lines().map(|line| format!("  | {line}")));
        }
        None => lines.push("  内容已清除或不可见 its words were erased, or are not for these eyes".to_owned()),
    }
    for attempt in &message.attempts {
        lines.extend(attempt_lines(settings, attempt));
        lines.extend(last_word(message, attempt).map(|word| format!("    {word}")));
    }
    if let Some(ended) = message.ended {
        let because = message.because.as_deref().map(because_words).unwrap_or_default();
        lines.push(format!("  结束 ended     {}{because}", ended_words(ended)));
    }
    if let Some((what, until)) = message.waits_for.zip(message.next_at) {
        let next = local(settings, until);
        lines.push(format!("  等待 waits for {}; 下次处理 looked at again {next}", waits_words(what)));
        let line =
            |(name, look): &(String, Look)| format!("    {name}: {}", look_words(look, &|at| local(settings, at)));
        lines.extend(looks.iter().map(line));
    }
    lines
}

/// What stands open about an attempt, or will be open for good.
fn last_word(message: &Message, attempt: &Attempt) -> Option<&'static str> {
    if message.is_said_lost(attempt) {
        return Some(
            "未签名的退信称未送达,待人工判断 an unsigned bounce says that it did not arrive: a person decides",
        );
    }
    if attempt.open_hint().is_some() {
        return Some("有未签名回执,正向渠道求证 an unsigned receipt came: the provider is being asked about it");
    }
    if attempt.hint.is_some() {
        return Some(
            "有未签名回执,渠道未予证实,不再询问 an unsigned receipt came, the provider did not confirm it, and is not asked any more",
        );
    }
    let silent = message.channel == Channel::Sms && message.is_asked_no_more(attempt);
    silent.then_some(
        "没有回执,不再询问 no receipt came, and the provider is not asked any more; one that comes still counts",
    )
}

/// What is known of an address: whether anything ever arrived there, and whether it is left alone. No mail server says that somebody has
/// a mail, so that only a bounce says anything of a mailbox.
fn address_words(settings: &Settings, channel: Channel, known: Option<&AddressFacts>) -> String {
    let verified = known.and_then(|facts| facts.verified_at).map(|at| local(settings, at));
    let verified = match (verified, channel) {
        (Some(at), _) => format!("已验证 verified: something arrived at {at}"),
        (None, Channel::Sms) => "未验证 not verified: nothing is known to have arrived".to_owned(),
        (None, Channel::Mail) => String::new(),
    };
    let flagged = known.and_then(|facts| facts.flagged.as_ref()).map(|(at, code)| {
        let at = local(settings, *at);
        format!(
            "  已停用 left alone since {at} [{code}], for {FLAG_DAYS} days, until the contacts are sent again, or `zhida notices resend`"
        )
    });
    verified + &flagged.unwrap_or_default()
}

fn attempt_lines(settings: &Settings, attempt: &Attempt) -> Vec<String> {
    let cost = attempt.cost.map(|cost| format!("  费用 cost {}", cost_words(cost))).unwrap_or_default();
    let beside = if attempt.beside_doubt { "  (前次不确定,重发为宜 sent beside one in doubt)" } else { "" };
    let mut lines = vec![format!(
        "  {}  {}  {}  {}{cost}{beside}",
        local(settings, attempt.began_at),
        attempt.provider,
        attempt.out_id,
        attempt_words(attempt)
    )];
    if let Some(sent_as) = &attempt.sent_as {
        let code = sent_as.way.code.as_ref().map(|code| format!(", 模板 template {code}")).unwrap_or_default();
        let (signature, segments) = (sent_as.way.signature.as_deref().unwrap_or_default(), sent_as.segments);
        lines.push(format!("    签名 signature 【{signature}】{code}, {segments} 条 segments"));
    }
    if let Some(id) = attempt.provider_id() {
        lines.push(format!("    渠道编号 vendor's id {id}"));
    }
    if attempt.asked > 0 {
        let at = attempt.asked_at.map(|at| local(settings, at)).unwrap_or_default();
        let answer = attempt
            .answered
            .as_ref()
            .map(|one| format!(": {}", asked_words(one, &|at| local(settings, at))))
            .unwrap_or_default();
        lines.push(format!("    询问 asked {} 次 times, 最近 last {at}{answer}", attempt.asked));
    }
    if let Some((word, at)) = &attempt.word {
        let from = attempt.word_from.map(|from| format!(" ({})", from_text(from))).unwrap_or_default();
        let word = word_words(word, &|at| local(settings, at));
        lines.push(format!("    {} {word}{from}", local(settings, *at)));
    }
    lines
}

fn trust_text(trust: Trust) -> &'static str {
    match trust {
        Trust::Signed => "已签名 signed",
        Trust::Hint => "未签名 unsigned",
    }
}

/// How far what became of an attempt is to be trusted.
fn from_text(from: WordFrom) -> &'static str {
    match from {
        WordFrom::Signed => "据已签名回执 by a signed receipt",
        WordFrom::Enquiry => "经询问证实 confirmed by enquiry",
        WordFrom::Unsigned => "据未签名回执或退信 by an unsigned receipt or bounce",
    }
}

/// A notice without what was written, as lists have it.
pub(super) fn notice_json(notice: &Notice, to: &str) -> Value {
    json!({
        "notice_id": notice.id,
        "kind": notice.kind,
        "state": notice.state().code(),
        "recipient": to,
        "application_id": notice.application_id,
        "covers": notice.covers,
        "locale": notice.locale,
        "template_version": notice.template_version,
        "created_at": micros(Some(notice.created_at)),
        "expires_at": micros(Some(notice.expires_at)),
        "messages": notice.messages.iter().map(message_json).collect::<Vec<_>>(),
    })
}

fn message_json(message: &Message) -> Value {
    json!({
        "channel": message.channel.code(),
        "standby": message.standby,
        "state": message.state().map(|state| state.code()),
        "segments": message.segments,
        "ended": message.ended,
        "because": message.because,
        "waits_for": message.waits_for,
        "next_at": micros(message.next_at),
        "attempts": message.attempts.iter().map(|one| attempt_json(message, one)).collect::<Vec<_>>(),
    })
}

fn attempt_json(message: &Message, attempt: &Attempt) -> Value {
    let (word, word_at) = attempt.word.clone().unzip();
    json!({
        "out_id": attempt.out_id,
        "provider": attempt.provider,
        "provider_id": attempt.provider_id(),
        "began_at": micros(Some(attempt.began_at)),
        "ended_at": micros(attempt.ended_at),
        "outcome": attempt.outcome,
        "code": attempt.code(),
        "signature": attempt.sent_as.as_ref().and_then(|one| one.way.signature.as_ref()),
        "template_code": attempt.sent_as.as_ref().and_then(|one| one.way.code.as_ref()),
        "segments": attempt.sent_as.as_ref().map(|one| one.segments),
        "answered": attempt.answered,
        "beside_doubt": attempt.beside_doubt,
        "cost_yuan": attempt.cost.map(|cost| format!("{}.{:04}", cost / 10_000, cost % 10_000)),
        "asked": attempt.asked,
        "asked_at": micros(attempt.asked_at),
        "word": word,
        "word_at": micros(word_at),
        "word_from": attempt.word_from,
        "asked_no_more": message.is_asked_no_more(attempt),
        "hint": attempt.hint.as_ref().map(|hint| &hint.word),
    })
}

/// The proof.
pub(super) fn proof_json(view: &NoticeView, looks: &Looks, to: &str) -> Value {
    let mut whole = notice_json(&view.notice, to);
    let request = |one: &zhida_core::notice::NoticeRequest| json!({"subject": one.subject, "occasion": one.occasion, "application_id": one.application_id});
    whole["requests"] = view.requests.iter().map(request).collect();
    let content = |one: &Content| {
        let known = view.addresses.get(&one.channel);
        let flagged = known.and_then(|facts| facts.flagged.as_ref());
        json!({"channel": one.channel.code(), "to": masked(one.channel, &one.to), "subject": one.subject, "text": one.text,
            "verified_at": micros(known.and_then(|facts| facts.verified_at)),
            "flagged_at": micros(flagged.map(|(at, _)| *at)), "flagged_code": flagged.map(|(_, code)| code)})
    };
    whole["contents"] = view.contents.iter().map(content).collect();
    let receipts = view.receipts.iter().map(|(at, provider, receipt, trust)| {
        json!({"at": micros(Some(*at)), "provider": provider, "out_id": receipt.out_id,
            "provider_id": receipt.provider_id, "word": receipt.word, "signed": *trust == Trust::Signed})
    });
    whole["receipts"] = receipts.collect();
    let look =
        |(name, one): &(String, Look)| json!({"provider": name, "why": look_words(one, &|at| format!("{at:.0}"))});
    let looks = looks.iter().map(|(channel, all)| {
        let all: Vec<Value> = all.iter().map(look).collect();
        (channel.code().to_owned(), Value::from(all))
    });
    whole["providers"] = Value::Object(looks.collect());
    whole
}
