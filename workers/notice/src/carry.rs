//! One errand: the call that it asks for, or the reason why none was made. Nothing here calls twice for one errand, and nothing is
//! decided: what follows from an end is the core's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};
use zhida_core::ports::mail::{Mail, MailProvider};
use zhida_core::ports::notices::{Errand, ErrandEnd};
use zhida_core::ports::sms::{AskOutcome, Question, RefusalClass, SendOutcome, Sms, SmsProvider};
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;
use zhida_monitoring::metrics::NoticeCall;

/// The name of the mail server among the providers.
pub const MAIL: &str = "mail";

/// What a provider gets beyond its own time limit before its call counts as hung.
const GRACE: Duration = Duration::from_secs(2);

/// What errands are carried out with.
#[derive(Clone)]
pub struct Hands {
    /// Providers of SMS by their names in the settings.
    pub sms: BTreeMap<String, Arc<dyn SmsProvider>>,
    /// The mail server; its name is [`MAIL`].
    pub mail: Option<Arc<dyn MailProvider>>,
    /// Stopwatch and time limits.
    pub time: Arc<dyn Time>,
    /// How long a claim gives the right to call (`notices.claim_lease_seconds`).
    pub lease: Duration,
    /// What a lease must leave beyond the provider's time limit for a call to begin.
    pub margin: Duration,
    /// What operations watch.
    pub metrics: Arc<Metrics>,
}

impl Hands {
    /// Every provider's name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sms.keys().map(String::as_str).chain(self.mail.as_ref().map(|_| MAIL))
    }

    /// Carries out an errand that was taken not before `taken_at` (by the stopwatch), so that what is left of its lease is never
    /// overestimated.
    pub async fn carry(&self, errand: Errand, taken_at: Duration) -> ErrandEnd {
        match errand {
            Errand::SendSms { provider, notice_id, sms, waited } => {
                let Some(link) = self.sms.get(&provider) else {
                    return self.not_made(&provider, notice_id, sms.out_id, "is not in the settings of this process");
                };
                if let Err(why) = self.has_time(link.timeout(), taken_at) {
                    return self.not_made(&provider, notice_id, sms.out_id, why);
                }
                let began_at = self.time.elapsed();
                let outcome = self.send_sms(link, &sms).await;
                if let SendOutcome::Refused { class: RefusalClass::Template, code, .. } = &outcome {
                    let template_code = sms.template_code.as_deref().unwrap_or("-");
                    warn!(notice_id, provider, template_code, code, "the vendor refuses the code, or the signature");
                }
                self.sent(
                    &provider,
                    notice_id,
                    sms.out_id,
                    outcome,
                    Took { taken_at, began_at, waited: positive(waited) },
                )
            }
            Errand::SendMail { provider, notice_id, mail, waited } => {
                let Some(link) = self.mail.as_ref().filter(|_| provider == MAIL) else {
                    return self.not_made(&provider, notice_id, mail.out_id, "is not in the settings of this process");
                };
                if let Err(why) = self.has_time(link.timeout(), taken_at) {
                    return self.not_made(&provider, notice_id, mail.out_id, why);
                }
                let began_at = self.time.elapsed();
                let outcome = self.send_mail(link, &mail).await;
                self.sent(
                    &provider,
                    notice_id,
                    mail.out_id,
                    outcome,
                    Took { taken_at, began_at, waited: positive(waited) },
                )
            }
            Errand::Ask { provider, notice_id, question, begun_at } => {
                let outcome = self.ask(&provider, &question).await;
                ErrandEnd::Asked { notice_id, out_id: question.out_id, begun_at, outcome }
            }
        }
    }

    /// The end of an errand that is not begun; `why` completes the sentence "provider …".
    #[must_use]
    pub fn leave(&self, errand: Errand, why: &str) -> ErrandEnd {
        match errand {
            Errand::SendSms { provider, notice_id, sms, .. } => self.not_made(&provider, notice_id, sms.out_id, why),
            Errand::SendMail { provider, notice_id, mail, .. } => self.not_made(&provider, notice_id, mail.out_id, why),
            Errand::Ask { notice_id, question, begun_at, .. } => {
                let outcome = AskOutcome::NoAnswer { why: why.to_owned() };
                ErrandEnd::Asked { notice_id, out_id: question.out_id, begun_at, outcome }
            }
        }
    }

    /// Asks a provider for one message.
    pub async fn ask(&self, provider: &str, question: &Question) -> AskOutcome {
        let outcome = match self.sms.get(provider) {
            // A mail server answers no questions.
            None if provider == MAIL => AskOutcome::NotOffered,
            None => AskOutcome::NoAnswer { why: format!("{provider} is not in the settings of this process") },
            Some(link) => {
                let late = || AskOutcome::NoAnswer { why: "the call did not end within its time limit".to_owned() };
                self.within(link.timeout(), link.ask(question), late).await
            }
        };
        self.metrics.notice_call(provider, of_question(&outcome));
        outcome
    }

    async fn send_sms(&self, link: &Arc<dyn SmsProvider>, sms: &Sms) -> SendOutcome {
        self.within(link.timeout(), link.send(sms), hung).await
    }

    async fn send_mail(&self, link: &Arc<dyn MailProvider>, mail: &Mail) -> SendOutcome {
        self.within(link.timeout(), link.send(mail), hung).await
    }

    /// Providers end their calls themselves; one that does not must not keep a place here for ever.
    async fn within<T>(&self, limit: Duration, call: impl Future<Output = T>, late: impl FnOnce() -> T) -> T {
        tokio::select! {
            biased;
            outcome = call => outcome,
            () = self.time.pause(limit + GRACE) => late(),
        }
    }

    fn has_time(&self, limit: Duration, taken_at: Duration) -> Result<(), &'static str> {
        let left = self.lease.saturating_sub(self.time.elapsed().saturating_sub(taken_at));
        if left <= limit + self.margin { Err("is not called: too little is left of the claim's lease") } else { Ok(()) }
    }

    fn not_made(&self, provider: &str, notice_id: String, out_id: String, why: &str) -> ErrandEnd {
        warn!(notice_id, out_id, provider, "provider {why}");
        self.metrics.notice_call(provider, NoticeCall::NotMade);
        ErrandEnd::NotMade { notice_id, out_id }
    }

    fn sent(&self, provider: &str, notice_id: String, out_id: String, outcome: SendOutcome, took: Took) -> ErrandEnd {
        let call = of_sending(&outcome);
        self.metrics.notice_call(provider, call);
        let now = self.time.elapsed();
        if call == NoticeCall::Accepted {
            self.metrics.notice_sent(took.waited + now.saturating_sub(took.taken_at));
        }
        let took_ms = now.saturating_sub(took.began_at).as_millis();
        info!(notice_id, out_id, provider, outcome = call.label(), took_ms, "message handed to a provider");
        ErrandEnd::Sent { notice_id, out_id, outcome }
    }
}

/// When what happened, by the stopwatch; and how long it had waited when it was taken.
struct Took {
    taken_at: Duration,
    began_at: Duration,
    waited: Duration,
}

fn positive(waited: jiff::SignedDuration) -> Duration {
    Duration::try_from(waited).unwrap_or_default()
}

fn hung() -> SendOutcome {
    SendOutcome::Doubtful { why: "the call did not end within its time limit".to_owned() }
}

fn of_sending(outcome: &SendOutcome) -> NoticeCall {
    match outcome {
        SendOutcome::Accepted { .. } => NoticeCall::Accepted,
        SendOutcome::Refused { class, .. } => match class {
            RefusalClass::Recipient => NoticeCall::RefusedRecipient,
            RefusalClass::Unreachable => NoticeCall::RefusedUnreachable,
            RefusalClass::Template => NoticeCall::RefusedTemplate,
            RefusalClass::Content => NoticeCall::RefusedContent,
            RefusalClass::Limit => NoticeCall::RefusedLimit,
            RefusalClass::Account => NoticeCall::RefusedAccount,
            RefusalClass::Busy => NoticeCall::RefusedBusy,
        },
        SendOutcome::NotConnected { .. } => NoticeCall::NotConnected,
        SendOutcome::Doubtful { .. } => NoticeCall::Doubtful,
    }
}

fn of_question(outcome: &AskOutcome) -> NoticeCall {
    match outcome {
        AskOutcome::Found { .. } => NoticeCall::Found,
        AskOutcome::NotFound => NoticeCall::NotFound,
        AskOutcome::NoAnswer { .. } => NoticeCall::NoAnswer,
        AskOutcome::NotOffered => NoticeCall::NotOffered,
    }
}
