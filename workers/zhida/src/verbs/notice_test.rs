//! `zhida notices test`: a message of no consequence is asked for, made, handed in and asked after in this process, by the same
//! functions as in `serve`, and every step is shown. It is on record like any other notice.

use super::notice_view::proof_json;
use super::notice_words::{asked_words, attempt_words, cost_words, state_word, waits_words};
use super::out::Out;
use super::{Form, Usage, local, notices};
use crate::notice_wiring;
use crate::wiring::{Context, RealTime};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zhida_config::Settings;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::number::masked;
use zhida_core::notice::{Attempt, Channel, Course, NoticeKind, NoticeRequest, NoticeState, Number};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter, NoticeView};
use zhida_core::ports::sms::Question;
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;
use zhida_notice::{Hands, MAIL};

/// A provider's receipt is asked for so often, with this pause before each time.
const QUESTIONS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// Providers are at most so many.
const TURNS_MAX: usize = 20;

/// Sends one, and says what became of it.
pub(super) async fn run(context: &Context, to: &str, provider: Option<&str>, form: Form) -> anyhow::Result<ExitCode> {
    let (channel, address) = read_address(to)?;
    let settings = with_provider(&context.settings, channel, provider)?;
    let context = Context::open(settings).await?;
    let hands = notice_wiring::hands(&context.settings, Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"))?))?;
    let subject = format!("T-{}", uuid::Uuid::new_v4().simple());
    let trial = Trial { context: &context, hands, subject, form, steps: Mutex::default() };
    trial.say(&format!("测试通知 a test notice to {}", masked(channel, &address)))?;
    let Some(view) = trial.send(channel, address).await? else {
        anyhow::bail!(
            "没有生成通知 no notice was made: the address cannot be used, or was flagged because nothing arrives there"
        );
    };
    let view = if channel == Channel::Sms { trial.wait_for_receipt(view).await? } else { view };
    trial.conclude(&view).await
}

/// What is written to, in the form in which it is.
fn read_address(to: &str) -> Result<(Channel, String), Usage> {
    if to.contains('@') {
        let address = zhida_schemas::identifiers::Email::parse(to.trim()).map_err(|fault| {
            Usage(format!("--to {to:?} is no mail address: it {}; write one such as wang@example.com", fault.reason))
        })?;
        return Ok((Channel::Mail, address.as_str().to_owned()));
    }
    let number = Number::parse(to).map_err(|refused| {
        Usage(format!(
            "--to {to:?} is no mobile number: {refused}; write one such as 13800000000 or +85298765432, or a mail address"
        ))
    })?;
    Ok((Channel::Sms, number.e164().to_owned()))
}

/// The settings with the providers that are to be tried, alone.
fn with_provider(settings: &Settings, channel: Channel, provider: Option<&str>) -> anyhow::Result<Settings> {
    let mut settings = settings.clone();
    if let Some(name) = provider {
        let others = match (channel, name == MAIL, settings.sms.contains_key(name)) {
            (Channel::Sms, false, true) | (Channel::Mail, true, _) => None,
            (Channel::Sms, true, _) => Some(
                "is the mail server, and --to is a number: write a mail address after --to, or choose a provider of SMS",
            ),
            (Channel::Mail, false, true) => {
                Some("carries SMS, and --to is a mail address: write a number after --to, or choose mail")
            }
            (Channel::Sms | Channel::Mail, false, false) => {
                Some("is no provider of the settings: choose one of them, or add it")
            }
        };
        if let Some(why) = others {
            let known = notice_wiring::channels(&settings);
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Usage(format!("--provider {name:?} {why}; there are: {known}")).into());
        }
        settings.sms.retain(|known, _| known == name);
    }
    let configured = match channel {
        Channel::Sms => !settings.sms.is_empty(),
        Channel::Mail => settings.mail.host.is_some(),
    };
    if !configured {
        let missing = match channel {
            Channel::Sms => "没有配置短信渠道 no provider of SMS is set (notices.sms.<name>)",
            Channel::Mail => "没有配置邮件服务器 no mail server is set (notices.mail.host)",
        };
        anyhow::bail!("{missing}");
    }
    Ok(settings)
}

struct Trial<'a> {
    context: &'a Context,
    hands: Hands,
    subject: String,
    form: Form,
    /// What was said, for programs: they read it in the end.
    steps: Mutex<Vec<String>>,
}

impl Trial<'_> {
    /// People see each step when it happens.
    fn say(&self, line: &str) -> anyhow::Result<()> {
        if self.form == Form::Programs {
            self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
            return Ok(());
        }
        let mut out = Out::new();
        out.line(line)?;
        out.flush()?;
        Ok(())
    }

    /// Asks, makes and hands in, to one provider after the other while they refuse.
    async fn send(&self, channel: Channel, address: String) -> anyhow::Result<Option<NoticeView>> {
        let store = &self.context.store;
        let request = NoticeRequest {
            kind: NoticeKind::Test,
            subject: self.subject.clone(),
            recipient: masked(channel, &address),
            occasion: "command line".to_owned(),
            application_id: ApplicationId(self.subject.clone()),
        };
        let mut taken_at = self.hands.time.elapsed();
        let mut errands = store.try_notice(&request, &address).await?;
        for _ in 0..TURNS_MAX {
            if errands.is_empty() {
                break;
            }
            let mut ends = Vec::new();
            for errand in errands {
                ends.push(self.carry(errand, taken_at).await?);
            }
            store.book_errands(&ends).await?;
            let Some(view) = self.view().await? else { break };
            if !is_due_at_once(&view) {
                break;
            }
            // This notice and no other: what else is due is not this process's affair, which may know one provider alone.
            taken_at = self.hands.time.elapsed();
            errands = store.try_notice(&request, &address).await?;
        }
        self.view().await
    }

    async fn carry(&self, errand: Errand, taken_at: Duration) -> anyhow::Result<ErrandEnd> {
        let (provider, what) = match &errand {
            Errand::SendSms { provider, .. } | Errand::SendMail { provider, .. } => {
                (provider.clone(), "提交 handing in")
            }
            Errand::Ask { provider, .. } => (provider.clone(), "询问 asking"),
        };
        self.say(&format!("→ {provider} {what} …"))?;
        let end = self.hands.carry(errand, taken_at).await;
        let became = match &end {
            ErrandEnd::Sent { outcome, .. } => {
                let words = super::notice_words::outcome_words(outcome);
                if words.is_empty() { "渠道已收 taken in".to_owned() } else { words }
            }
            ErrandEnd::NotMade { .. } => "未调用 not called".to_owned(),
            ErrandEnd::Asked { outcome, .. } => asked_words(outcome, &|at| local(&self.context.settings, at)),
        };
        self.say(&format!("← {provider} {became}"))?;
        Ok(end)
    }

    async fn view(&self) -> anyhow::Result<Option<NoticeView>> {
        let filter = NoticeFilter { application_id: Some(self.subject.clone()), limit: 1, ..NoticeFilter::default() };
        let Some(notice) = self.context.store.notices(&filter).await?.into_iter().next() else { return Ok(None) };
        Ok(self.context.store.notice(&notice.id).await?)
    }

    /// Asks for the receipt of what a provider has taken in, for about half a minute.
    async fn wait_for_receipt(&self, mut view: NoticeView) -> anyhow::Result<NoticeView> {
        let store = &self.context.store;
        for turn in 1..=QUESTIONS {
            let Some((attempt, to)) = asked_for(&view) else { return Ok(view) };
            self.say(&format!("… 等待回执 waiting for the receipt ({turn}/{QUESTIONS})"))?;
            RealTime::new().pause(PAUSE).await;
            let question = Question {
                out_id: attempt.out_id.clone(),
                provider_id: attempt.provider_id().map(str::to_owned),
                to,
                sent_at: attempt.began_at,
            };
            let begun_at = store.now().await?;
            let outcome = self.hands.ask(&attempt.provider, &question).await;
            self.say(&format!(
                "← {} {}",
                attempt.provider,
                asked_words(&outcome, &|at| local(&self.context.settings, at))
            ))?;
            let (notice_id, out_id) = (view.notice.id.clone(), attempt.out_id.clone());
            store.book_errands(&[ErrandEnd::Asked { notice_id, out_id, begun_at, outcome }]).await?;
            let Some(now) = self.view().await? else { return Ok(view) };
            view = now;
        }
        Ok(view)
    }

    async fn conclude(&self, view: &NoticeView) -> anyhow::Result<ExitCode> {
        let notice = &view.notice;
        let state = notice.state();
        let to = notice.recipient.clone();
        if self.form == Form::Programs {
            let looks = notices::looks_of(self.context, view).await?;
            let mut proof = proof_json(view, &looks, &to);
            proof["steps"] = self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone().into();
            let mut out = Out::new();
            out.json(&proof)?;
            out.flush()?;
        } else {
            notices::print(self.context, view, &to, self.form).await?;
        }
        let cost: i64 = notice.messages.iter().flat_map(|one| &one.attempts).filter_map(|one| one.cost).sum();
        let cost = if cost > 0 { format!(", 费用 cost {}", cost_words(cost)) } else { String::new() };
        self.say(&format!("结果 outcome: {} {}{cost}", state_word(state), state.code()))?;
        match state {
            NoticeState::Delivered | NoticeState::Sent => Ok(ExitCode::SUCCESS),
            NoticeState::Created | NoticeState::Sending => {
                for message in &notice.messages {
                    let waits = message.waits_for.map(waits_words).unwrap_or_default();
                    let next = message.next_at.map(|at| local(&self.context.settings, at)).unwrap_or_default();
                    eprintln!("zhida: 尚未发出 not sent yet; it waits for {waits}; 下次处理 looked at again {next}");
                }
                Ok(ExitCode::FAILURE)
            }
            NoticeState::Failed | NoticeState::GaveUp | NoticeState::Expired => {
                let last = notice.messages.iter().flat_map(|one| &one.attempts).next_back();
                eprintln!(
                    "zhida: 未送达 not delivered{}",
                    last.map(|one| format!(": {}", attempt_words(one))).unwrap_or_default()
                );
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// Another provider is to be tried; it waits for nothing.
fn is_due_at_once(view: &NoticeView) -> bool {
    view.notice.messages.iter().any(|one| one.next_at.is_some() && one.waits_for.is_none())
}

/// The attempt whose receipt is awaited, and the number.
fn asked_for(view: &NoticeView) -> Option<(Attempt, String)> {
    let message = view.notice.messages.iter().find(|one| one.channel == Channel::Sms)?;
    if message.attempts.iter().any(|one| one.course() == Course::Arrived) {
        return None;
    }
    let attempt = message.attempts.iter().rev().find(|one| one.may_arrive())?;
    let content = view.contents.iter().find(|one| one.channel == Channel::Sms)?;
    Some((attempt.clone(), content.to.clone()))
}
