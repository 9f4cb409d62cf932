//! `zhida notices`: the list, and one notice with its whole proof. Addresses are masked, and whom notices about orders for discipline
//! inspection alone went to is for inspectors' eyes. What people do about notices is [`super::notice_acts`], the try of a channel
//! [`super::notice_test`], how sending stands [`super::notice_status`].

use super::notice_status::{self, switch_lines};
use super::notice_view::{Looks, notice_json, proof, proof_json};
use super::notice_words::{channel_word, kind_word, lack_words, not_made_words, state_word, waits_words};
use super::out::{JsonList, Out};
use super::table::{Column, Table};
use super::{Form, Usage, local, notice_acts, notice_templates, notice_test, period, reader, typed_application};
use crate::cli::{EyesArgs, NoticesVerb};
use crate::notice_rules::notice_rules;
use crate::wiring::Context;
use std::collections::BTreeSet;
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::ids::{ApplicationId, OrderId};
use zhida_core::notice::number::masked;
use zhida_core::notice::{
    About, Audience, Channel, Message, Notice, NoticeKind, NoticeState, WaitsFor, looks, with_codes_in_force,
};
use zhida_core::ports::notices::{NoticeFilter, NoticeView};
use zhida_core::ports::store::JournalEntry;
use zhida_core::supervision::{self, sees};

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &NoticesVerb) -> anyhow::Result<ExitCode> {
    match verb {
        NoticesVerb::List { application, kind, state, recipient, since, until, limit, eyes, json } => {
            let zone = &context.settings.calendar.timezone;
            let filter = NoticeFilter {
                application_id: application.as_deref().map(typed_application).transpose()?.map(|id| id.0),
                kind: kind.as_deref().map(known_kind).transpose()?,
                state: state.as_deref().map(known_state).transpose()?,
                recipient: recipient.clone(),
                asked_from: since.as_deref().map(|text| period::beginning("--since", text, zone)).transpose()?,
                asked_before: until.as_deref().map(|text| period::end("--until", text, zone)).transpose()?,
                limit: *limit,
            };
            if let (Some(from), Some(before)) = (filter.asked_from, filter.asked_before)
                && from >= before
            {
                return Err(Usage(
                    "--until 早于 --since，此区间为空 --until is before --since: no day lies between them".to_owned(),
                )
                .into());
            }
            list(context, &filter, eyes, Form::from(*json)).await
        }
        NoticesVerb::Show { id, eyes, json } => show(context, id, eyes, Form::from(*json)).await,
        NoticesVerb::Status { json } => notice_status::status(context, Form::from(*json)).await,
        NoticesVerb::Resend { .. }
        | NoticesVerb::Stop { .. }
        | NoticesVerb::Resume { .. }
        | NoticesVerb::Preference { .. } => notice_acts::run(context, verb).await,
        NoticesVerb::Test { to, provider, json } => {
            notice_test::run(context, to, provider.as_deref(), Form::from(*json)).await
        }
        NoticesVerb::Templates(verb) => notice_templates::run(context, verb).await,
    }
}

/// Reads the name of a kind that was typed.
pub(super) fn known_kind(code: &str) -> Result<NoticeKind, Usage> {
    NoticeKind::from_code(code).ok_or_else(|| {
        let all: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
        Usage(format!("{code:?} is no kind of notice; use one of {}", all.join(", ")))
    })
}

fn known_state(code: &str) -> Result<NoticeState, Usage> {
    NoticeState::from_code(code).ok_or_else(|| {
        let all: Vec<&str> = NoticeState::ALL.iter().map(|state| state.code()).collect();
        Usage(format!("--state {code:?} is no state of a notice; use one of {}", all.join(", ")))
    })
}

async fn list(context: &Context, filter: &NoticeFilter, eyes: &EyesArgs, form: Form) -> anyhow::Result<ExitCode> {
    let seen = seen_by(context, eyes).await?;
    let notices = context.store.notices(filter).await?;
    let hidden = hidden(context, &notices, &seen).await?;
    let settings = &context.settings;
    let mut out = Out::new();
    match form {
        Form::Programs => {
            let mut list = JsonList::new(&mut out);
            notices.iter().try_for_each(|one| list.member(&notice_json(one, &recipient(one, &hidden))))?;
            list.end()?;
        }
        Form::People => {
            let mut table = Table::new(&[
                ("时间 at", Column::Text),
                ("通知 notice", Column::Text),
                ("种类 kind", Column::Text),
                ("状态 state", Column::Text),
                ("收件人 recipient", Column::Text),
                ("申请 application", Column::Text),
                ("渠道 channels", Column::Text),
                ("等待 waits for", Column::Text),
            ]);
            for one in &notices {
                let (at, state) = (local(settings, one.created_at), one.state());
                let kind = format!("{} {}", kind_word(one.kind), one.kind.code());
                let state = format!("{} {}", state_word(state), state.code());
                let (to, application) = (recipient(one, &hidden), application(one));
                table.row(vec![at, one.id.clone(), kind, state, to, application, channels(one), waits(one)]);
            }
            out.lines(&table.lines())?;
            out.line(&format!("共 {} 条 notices", notices.len()))?;
            out.lines(&not_told(context, filter).await?)?;
            let switch = context.store.notice_switch().await?;
            if switch.stopped.is_some() {
                out.lines(&switch_lines(context, &switch))?;
            }
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// What was asked for of an application and told to nobody, and why: no notice stands for it.
async fn not_told(context: &Context, filter: &NoticeFilter) -> anyhow::Result<Vec<String>> {
    let Some(id) = &filter.application_id else { return Ok(Vec::new()) };
    let story = context.store.trace(&ApplicationId::from(id.as_str())).await?;
    let rows: Vec<&JournalEntry> = story.iter().filter(|row| row.kind == "notice.not_made").collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let all = NoticeFilter { application_id: Some(id.clone()), limit: u32::MAX, ..NoticeFilter::default() };
    let notices = context.store.notices(&all).await?;
    let rows = rows.into_iter().filter(|row| !is_told_since(row, &notices));
    Ok(rows.filter_map(|row| not_told_line(&context.settings, filter.kind, row)).collect())
}

/// An address came, and a notice of the kind was made for whom none could be made before.
fn is_told_since(row: &JournalEntry, notices: &[Notice]) -> bool {
    let same = |one: &&Notice| {
        let (kind, officer) = (row.detail["kind"].as_str(), row.detail["officer_id"].as_str());
        let to_same = match one.kind.traits().audience {
            Audience::Enterprise => true,
            // Whom it would have told about what is for inspectors alone stands in no row.
            Audience::Official | Audience::Anybody => officer == Some(&one.recipient),
        };
        kind == Some(one.kind.code()) && to_same
    };
    notices.iter().filter(same).any(|one| one.created_at > row.at)
}

/// None for other kinds than the one that is wanted.
fn not_told_line(settings: &Settings, wanted: Option<NoticeKind>, row: &JournalEntry) -> Option<String> {
    let said = |name: &str| row.detail[name].as_str().map(str::to_owned);
    let kind = said("kind").and_then(|code| NoticeKind::from_code(&code))?;
    if wanted.is_some_and(|wanted| wanted != kind) {
        return None;
    }
    let lacks = Channel::ALL
        .into_iter()
        .filter_map(|channel| Some((channel, said(channel.code())?)))
        .map(|(channel, lack)| format!("{} {}: {}", channel_word(channel), channel.code(), lack_words(&lack)));
    let lacks = lacks.collect::<Vec<_>>().join(", ");
    let lacks = if lacks.is_empty() { lacks } else { format!(" ({lacks})") };
    let whom = said("officer_id").map(|id| format!(" {}", officer_words(&id, said("role"), said("department_id"))));
    let whom = whom.unwrap_or_default();
    let (at, why) = (local(settings, row.at), said("outcome").unwrap_or_default());
    let why = not_made_words(&why);
    Some(format!("{at}  未通知 nobody told  {} {}{whom}: {why}{lacks}", kind_word(kind), kind.code()))
}

fn officer_words(id: &str, role: Option<String>, department: Option<String>) -> String {
    match role.zip(department) {
        Some((role, department)) => format!("{id} ({role}, {department})"),
        None => format!("{id} (机构文件未列此人 not in the organisation)"),
    }
}

/// Of a later tranche with its number, as the notice itself names it.
fn application(notice: &Notice) -> String {
    match notice.story() {
        Some(key) if key.tranche > 1 => key.to_string(),
        Some(_) | None => notice.application_id.0.clone(),
    }
}

fn channels(notice: &Notice) -> String {
    let of = |message: &Message| {
        let state = message.state().map_or("备用", state_word);
        format!("{}{state}", channel_word(message.channel))
    };
    notice.messages.iter().map(of).collect::<Vec<_>>().join(" ")
}

fn waits(notice: &Notice) -> String {
    notice.waits_for().map(waits_words).unwrap_or_default().to_owned()
}

/// Whom it went to, as these eyes may read it.
fn recipient(notice: &Notice, hidden: &BTreeSet<String>) -> String {
    if hidden.contains(&notice.id) {
        return "(纪检 inspection)".to_owned();
    }
    match notice.kind.traits().audience {
        Audience::Enterprise | Audience::Official => notice.recipient.clone(),
        // Masked already, unless it was asked for in another way than by hand.
        Audience::Anybody if notice.recipient.contains("***") => notice.recipient.clone(),
        Audience::Anybody => {
            let channel = if notice.recipient.contains('@') { Channel::Mail } else { Channel::Sms };
            masked(channel, &notice.recipient)
        }
    }
}

async fn show(context: &Context, id: &str, eyes: &EyesArgs, form: Form) -> anyhow::Result<ExitCode> {
    let seen = seen_by(context, eyes).await?;
    let Some(view) = context.store.notice(id).await? else {
        anyhow::bail!("没有这条通知 no notice {id} is known; `zhida notices list` shows them");
    };
    let hidden = hidden(context, std::slice::from_ref(&view.notice), &seen).await?;
    let to = recipient(&view.notice, &hidden);
    // What was written names whom it was written to.
    let view = if hidden.is_empty() { view } else { NoticeView { contents: Vec::new(), ..view } };
    print(context, &view, &to, form).await
}

/// Prints a notice.
pub(super) async fn print(context: &Context, view: &NoticeView, to: &str, form: Form) -> anyhow::Result<ExitCode> {
    let looks = looks_of(context, view).await?;
    let mut out = Out::new();
    match form {
        Form::Programs => out.json(&proof_json(view, &looks, to))?,
        Form::People => out.lines(&proof(&context.settings, view, &looks, to))?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// How providers stand to what waits for one of them.
pub(super) async fn looks_of(context: &Context, view: &NoticeView) -> anyhow::Result<Looks> {
    let waits = |message: &&Message| match message.waits_for {
        Some(WaitsFor::Provider | WaitsFor::Limit) => true,
        Some(WaitsFor::Call | WaitsFor::Word | WaitsFor::Quiet | WaitsFor::Ceiling | WaitsFor::Switch) | None => false,
    };
    let channels: Vec<Channel> = view.notice.messages.iter().filter(waits).map(|one| one.channel).collect();
    if channels.is_empty() {
        return Ok(Looks::new());
    }
    let (health, now) = (context.store.figures().await?.notices.providers, context.store.now().await?);
    let rules = notice_rules(&context.settings);
    let contents = with_codes_in_force(&view.notice, view.contents.clone(), &context.store.templates().await?);
    let view = NoticeView { contents, ..view.clone() };
    Ok(channels.into_iter().map(|channel| (channel, looks(&view, channel, &rules, &health, now))).collect())
}

/// What these eyes see of orders.
async fn seen_by(context: &Context, eyes: &EyesArgs) -> anyhow::Result<Vec<supervision::Audience>> {
    let reader = reader(&*context.store, eyes).await?;
    let sees = |one: &supervision::Audience| {
        *one == supervision::Audience::Supervision || reader.as_ref().is_some_and(|reader| sees(reader.role, *one))
    };
    Ok(supervision::Audience::ALL.into_iter().filter(sees).collect())
}

/// Those that are about an order which these eyes do not see.
async fn hidden(
    context: &Context,
    notices: &[Notice],
    seen: &[supervision::Audience],
) -> anyhow::Result<BTreeSet<String>> {
    let mut hidden = BTreeSet::new();
    for notice in notices {
        for id in orders_of(context, notice).await? {
            let order = context.store.order(id).await?;
            if order.is_some_and(|order| !seen.contains(&order.audience)) {
                hidden.insert(notice.id.clone());
            }
        }
    }
    Ok(hidden)
}

async fn orders_of(context: &Context, notice: &Notice) -> anyhow::Result<Vec<OrderId>> {
    match notice.kind {
        NoticeKind::OrderIssued | NoticeKind::OrderReplied | NoticeKind::OrderReturned | NoticeKind::OrderClosed => {
            let view = context.store.notice(&notice.id).await?;
            let requests = view.map(|view| view.requests).unwrap_or_default();
            let order = |subject: &str| match About::of(notice.kind, subject) {
                About::Order(id) => Some(id),
                About::Payout(_) | About::Alert(_) | About::Digest(_) | About::Case(_) | About::Nothing => None,
            };
            Ok(requests.iter().filter_map(|request| order(&request.subject)).collect())
        }
        NoticeKind::ReviewDueSoon
        | NoticeKind::ReviewOverdue
        | NoticeKind::ReviewEscalated
        | NoticeKind::ReviewCleared => Ok(OrderId::parse(notice.application_id.as_str()).into_iter().collect()),
        NoticeKind::PayoutReceived
        | NoticeKind::PayoutHeld
        | NoticeKind::PayoutCredited
        | NoticeKind::PayoutRefused
        | NoticeKind::PayoutReturned
        | NoticeKind::PayoutLate
        | NoticeKind::Digest
        | NoticeKind::IntegrityNotified
        | NoticeKind::IntegrityDecided
        | NoticeKind::IntegrityRepaired
        | NoticeKind::Test => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{JournalEntry, NoticeKind, Settings, not_told_line};
    use serde_json::json;

    #[test]
    fn who_could_not_be_told_is_named_where_the_record_names_them() {
        let settings = Settings::load(&[], std::iter::empty(), None).unwrap();
        let mut row = JournalEntry {
            sequence: 1,
            at: "2026-11-24T02:00:00Z".parse().unwrap(),
            kind: "notice.not_made".to_owned(),
            subject: "A-1".to_owned(),
            by: "system".to_owned(),
            detail: json!({"kind": "review_overdue", "outcome": "no_address", "sms": "flagged", "mail": "no_address",
                "officer_id": "O-7", "role": "head", "department_id": "D-SCI"}),
        };
        let line = |row: &JournalEntry| not_told_line(&settings, Some(NoticeKind::ReviewOverdue), row).unwrap();
        assert_eq!(
            line(&row),
            "2026-11-24 10:00:00  未通知 nobody told  超期 review_overdue O-7 (head, D-SCI): 无可用联系方式 no address (短信 sms: 近期送不到 \
             flagged, 邮件 mail: 未提供 not given)"
        );
        assert_eq!(not_told_line(&settings, Some(NoticeKind::PayoutCredited), &row), None);
        row.detail = json!({"kind": "review_overdue", "outcome": "no_address", "officer_id": "O-8"});
        assert!(line(&row).contains("O-8 (机构文件未列此人"), "{}", line(&row));
    }
}
