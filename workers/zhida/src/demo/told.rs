//! Who was told: what the phones and mailboxes of the sandbox hold, held against our records and the bank's ledger. A record that says
//! delivered proves nothing here, and a phone that shows the bank's reference does.

use super::notices::{VENDORS, yuan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use zhida_config::sample_district::Award;
use zhida_core::notice::{Channel, Course, Notice, NoticeKind, NoticeState};
use zhida_core::ports::notices::{NoticeFilter, NoticeStore};
use zhida_sandbox::{Entry, KeptMail, Sandbox, SmsEntry, Vendor};

/// What everybody has received.
pub(super) struct Received {
    /// What the vendors took in, whether or not it is on a phone.
    pub(super) sms: Vec<SmsEntry>,
    /// What lies in the mailboxes.
    pub(super) mails: Vec<Mail>,
}

/// A mail as far as it is looked at.
pub(super) struct Mail {
    to: String,
    text: String,
    attempt: String,
}

impl Mail {
    pub(super) fn of(kept: &KeptMail) -> Self {
        let attempt = kept.header("X-Zhida-Attempt").unwrap_or_default();
        Self { to: kept.to.join(","), text: kept.text(), attempt }
    }
}

/// A payment that the bank has credited, and how its enterprise is reached.
pub(super) struct Paid {
    /// The application.
    pub(super) application_id: String,
    /// The bank's reference.
    pub(super) reference: String,
    /// Of the enterprise, where it gave one.
    pub(super) mobile: Option<String>,
    /// Of the enterprise.
    pub(super) email: String,
}

/// Notices that are read at most: many more than the sample district has.
const NOTICES_MAX: u32 = 100_000;

/// Whether everybody was told, as far as they can be: no request waits, and nothing is done with any notice by itself.
pub(super) async fn everybody_is(store: &dyn NoticeStore) -> anyhow::Result<bool> {
    if store.count_requests().await?.waiting > 0 {
        return Ok(false);
    }
    for state in [NoticeState::Created, NoticeState::Sending, NoticeState::Sent] {
        let filter = NoticeFilter { state: Some(state), limit: NOTICES_MAX, ..NoticeFilter::default() };
        if store.notices(&filter).await?.iter().any(|notice| notice.next_at().is_some()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads our records, the phones, the mailboxes and the bank's ledger.
pub(super) async fn read(store: &dyn NoticeStore, sandbox: &Sandbox, awards: &[Award]) -> anyhow::Result<Told> {
    let asked = store.count_requests().await?.asked();
    let notices = store.notices(&NoticeFilter { limit: NOTICES_MAX, ..NoticeFilter::default() }).await?;
    let received = Received { sms: sandbox.sms.ledger(), mails: sandbox.mail.mails().iter().map(Mail::of).collect() };
    let ledger = sandbox.bank.ledger();
    let paid: Vec<Paid> = ledger.credits().filter_map(|entry| paid(entry, awards)).collect();
    Ok(Told::of(asked, &notices, &received, &paid))
}

/// Every enterprise of the district has an account of its own.
fn paid(entry: &Entry, awards: &[Award]) -> Option<Paid> {
    let award = awards.iter().find(|award| award.account_no == entry.account)?;
    Some(Paid {
        application_id: award.application_id.clone(),
        reference: entry.reference.clone(),
        mobile: award.mobile.clone(),
        email: award.email.clone(),
    })
}

/// The figures.
#[derive(Default)]
pub(super) struct Told {
    asked: u64,
    /// Requests that were answered together with another one, by one notice for both.
    gathered: u64,
    /// Requests of which no notice was made: their point was lost, or there was nobody to tell.
    not_made: u64,
    notices: u64,
    states: BTreeMap<NoticeState, u64>,
    by_kind: BTreeMap<NoticeKind, BTreeMap<NoticeState, u64>>,
    by_vendor: BTreeMap<&'static str, u64>,
    mails: usize,
    segments: u64,
    /// In 0.0001 yuan: ours, and what the vendors would ask for.
    cost: i64,
    bill: i64,
    paid_without_notice: u64,
    twice: u64,
    unexplained: u64,
}

impl Told {
    /// Compares. `asked` is how many requests there were.
    pub(super) fn of(asked: u64, notices: &[Notice], received: &Received, paid: &[Paid]) -> Self {
        let covered: u64 = notices.iter().map(|notice| u64::from(notice.covers)).sum();
        let mut told = Self {
            asked,
            gathered: covered.saturating_sub(notices.len() as u64),
            not_made: asked.saturating_sub(covered),
            notices: notices.len() as u64,
            mails: received.mails.len(),
            ..Self::default()
        };
        for notice in notices {
            *told.states.entry(notice.state()).or_default() += 1;
            *told.by_kind.entry(notice.kind).or_default().entry(notice.state()).or_default() += 1;
            told.cost += notice.messages.iter().flat_map(|one| &one.attempts).filter_map(|one| one.cost).sum::<i64>();
        }
        for entry in &received.sms {
            let Some((name, price)) = vendor(entry.vendor) else { continue };
            *told.by_vendor.entry(name).or_default() += 1;
            told.segments += u64::from(entry.segments);
            told.bill += price * i64::from(entry.segments);
        }
        told.paid_without_notice = paid.iter().filter(|one| !received.speaks_of(one)).count() as u64;
        told.twice = received.twice();
        told.unexplained = differences(notices, received);
        told
    }

    /// Whoever was paid was told of it, nobody was told anything twice, and phones, mailboxes and bills are as our records say.
    pub(super) fn is_sound(&self) -> bool {
        self.paid_without_notice == 0 && self.twice == 0 && self.unexplained == 0 && self.cost == self.bill
    }

    fn count(&self, state: NoticeState) -> u64 {
        self.states.get(&state).copied().unwrap_or_default()
    }

    /// The key `notices` of the contract. Each notice counts under the one state in which it is.
    pub(super) fn json(&self) -> Value {
        let states = |of: &BTreeMap<NoticeState, u64>| -> Value {
            of.iter()
                .map(|(state, count)| (state.code().to_owned(), json!(count)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let by_kind: serde_json::Map<_, _> =
            self.by_kind.iter().map(|(kind, of)| (kind.code().to_owned(), states(of))).collect();
        json!({
            "asked": self.asked, "gathered": self.gathered, "not_made": self.not_made, "notices": self.notices, "sent": self.count(NoticeState::Sent), "delivered": self.count(NoticeState::Delivered),
            "failed": self.count(NoticeState::Failed), "gave_up": self.count(NoticeState::GaveUp),
            "expired": self.count(NoticeState::Expired), "sms_segments": self.segments, "cost": yuan(self.cost),
            "by_kind": by_kind, "paid_without_notice": self.paid_without_notice, "twice": self.twice,
            "unexplained": self.unexplained, "billed": yuan(self.bill), "sms_by_provider": self.by_vendor,
            "mails": self.mails,
        })
    }

    /// For people.
    pub(super) fn print(&self) {
        println!("{}", self.headline());
        let by_vendor: Vec<String> = self.by_vendor.iter().map(|(name, count)| format!("{name} {count}")).collect();
        println!(
            "  短信 SMS: {}, 计费 segments {}, 费用 yuan {}; 邮件 mails {}",
            by_vendor.join(" + "),
            self.segments,
            yuan(self.cost),
            self.mails
        );
        println!(
            "  到账未告知 paid and not told {}, 重复 told twice {}, 差异 phones against records {}",
            self.paid_without_notice, self.twice, self.unexplained
        );
        println!(
            "  演示不设静默时段 no quiet hours here; 首选短信商中途停机 the first vendor went out of service on the way"
        );
    }

    /// What was asked for and what became of it, so that the figures add up.
    fn headline(&self) -> String {
        let under_way = self.count(NoticeState::Created) + self.count(NoticeState::Sending);
        let under_way = if under_way > 0 { format!(" + 未完 under way {under_way}") } else { String::new() };
        format!(
            "通知 Notices: 应告知 asked {} - 并入同一条 gathered {} - 未生成 not made {} = {} = 送达 delivered {} + 已交邮件 by mail alone {} + \
             过时 lost their point {} + 未达 failed {}{under_way}",
            self.asked,
            self.gathered,
            self.not_made,
            self.notices,
            self.count(NoticeState::Delivered),
            self.count(NoticeState::Sent),
            self.count(NoticeState::Expired),
            self.count(NoticeState::Failed) + self.count(NoticeState::GaveUp)
        )
    }
}

impl Received {
    /// Whether the enterprise holds the bank's reference in hands, by phone or by mail.
    fn speaks_of(&self, paid: &Paid) -> bool {
        let says = |text: &str| text.contains(&paid.application_id) && text.contains(&paid.reference);
        let on_phone = |entry: &&SmsEntry| Some(&entry.to) == paid.mobile.as_ref() && entry.is_on_phone();
        self.sms.iter().filter(on_phone).any(|entry| says(&entry.text))
            || self.mails.iter().any(|mail| mail.to == paid.email && says(&mail.text))
    }

    /// How often somebody was told in the same words what they had been told before.
    fn twice(&self) -> u64 {
        let shown = self.sms.iter().filter(|entry| entry.is_on_phone()).map(|entry| (&entry.to, &entry.text));
        let texts: Vec<_> = shown.chain(self.mails.iter().map(|mail| (&mail.to, &mail.text))).collect();
        let different: BTreeSet<_> = texts.iter().collect();
        (texts.len() - different.len()) as u64
    }
}

/// The name in the settings, and the price of a segment.
fn vendor(vendor: Vendor) -> Option<(&'static str, i64)> {
    VENDORS.iter().find(|(_, known, _)| *known == vendor).map(|(name, _, price)| (*name, *price))
}

/// Attempts that we hold for taken in and nobody took in, and the other way round.
fn differences(notices: &[Notice], received: &Received) -> u64 {
    let taken = |course: Course| match course {
        Course::TakenIn | Course::Arrived | Course::Undelivered => true,
        Course::UnderWay | Course::InDoubt | Course::NotSent => false,
    };
    let messages = notices.iter().flat_map(|notice| &notice.messages);
    let attempts = messages.flat_map(|message| message.attempts.iter().map(move |attempt| (message.channel, attempt)));
    let ours: BTreeSet<(Channel, &str, &str)> = attempts
        .filter(|(_, attempt)| taken(attempt.course()))
        .map(|(channel, attempt)| (channel, attempt.provider.as_str(), attempt.out_id.as_str()))
        .collect();
    let sms = received.sms.iter().map(|entry| {
        let name = vendor(entry.vendor).map_or("", |(name, _)| name);
        (Channel::Sms, name, entry.out_id.as_str())
    });
    let mails = received.mails.iter().map(|mail| (Channel::Mail, "mail", mail.attempt.as_str()));
    let theirs: BTreeSet<(Channel, &str, &str)> = sms.chain(mails).collect();
    ours.symmetric_difference(&theirs).count() as u64
}

#[cfg(test)]
#[path = "told_tests.rs"]
mod tests;
