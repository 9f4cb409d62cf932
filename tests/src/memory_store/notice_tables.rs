//! What the store in memory keeps of notices.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::making::Outcome;
use zhida_core::notice::template::TemplateSet;
use zhida_core::notice::{
    Audience, Channel, Counters, Desk, Kin, Notice, NoticeKind, NoticeRequest, ProviderHealth, Received, Switch,
    WaitsFor, possible_ids,
};
use zhida_core::ports::notices::{AddressFacts, Content, ErrandEnd};
use zhida_core::ports::sms::{Receipt, Trust};

/// What is stored of notices.
#[derive(Clone, Default)]
pub struct NoticeTables {
    /// Who is to be told what.
    pub asked: BTreeMap<NoticeRequest, AskedRow>,
    /// Notices by id.
    pub notices: BTreeMap<String, Notice>,
    /// What was written to whom, by notice.
    pub contents: BTreeMap<String, Vec<Content>>,
    /// Receipts in the order in which they came.
    pub receipts: Vec<ReceiptRow>,
    /// How providers call what they took in: of which notice.
    pub provider_ids: BTreeMap<(String, String), String>,
    /// How providers fare.
    pub health: BTreeMap<String, ProviderHealth>,
    /// Whom tries of a channel go to, by their subjects.
    pub trials: BTreeMap<String, String>,
    /// What was sent.
    pub counters: Counters,
    /// The stop switch.
    pub switch: Switch,
    /// What is known of addresses, by fingerprint.
    pub addresses: BTreeMap<String, AddressFacts>,
    /// What is to be looked at before its time: a ceiling was raised, a provider is open again.
    pub looked_at_again: BTreeSet<String>,
    /// What recipients do not want.
    pub turned_off: BTreeSet<(String, NoticeKind)>,
    /// Imported sets of templates, oldest first.
    pub templates: Vec<TemplateSet>,
}

/// Contents print themselves nowhere.
impl fmt::Debug for NoticeTables {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("NoticeTables")
            .field("asked", &self.asked)
            .field("notices", &self.notices)
            .finish_non_exhaustive()
    }
}

/// A request as stored.
#[derive(Clone, Debug)]
pub struct AskedRow {
    /// When it was asked for.
    pub at: Timestamp,
    /// When its time comes.
    pub look_at: Timestamp,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// When.
    pub made_at: Option<Timestamp>,
}

/// A receipt as stored.
#[derive(Clone, Debug)]
pub struct ReceiptRow {
    /// When it came.
    pub at: Timestamp,
    /// From whom.
    pub provider: String,
    /// How far it is trusted.
    pub trust: Trust,
    /// As it came.
    pub receipt: Receipt,
    /// Of which notice it spoke.
    pub notice_id: Option<String>,
}

impl NoticeTables {
    pub(super) fn due(&self, now: Timestamp, max: usize) -> Vec<String> {
        let due = |one: &Notice| {
            let resumed = one.waits_for_switch() && self.switch.stopped.is_none();
            one.next_at().filter(|at| *at <= now || resumed || self.looked_at_again.contains(&one.id))
        };
        let mut found: Vec<_> =
            self.notices.values().filter_map(|one| Some((one.priority(), due(one)?, one.id.clone()))).collect();
        found.sort();
        found.into_iter().take(max).map(|(_, _, id)| id).collect()
    }

    /// What waits for that is looked at by whoever takes next.
    pub(super) fn look_again_at(&mut self, what: WaitsFor) {
        let held = self.notices.values().filter(|one| one.waits_for() == Some(what));
        self.looked_at_again.extend(held.map(|one| one.id.clone()));
    }

    /// What reached nobody waits again, where it is of that audience and `concerned`: an address came.
    pub(super) fn look_again(
        &mut self,
        audience: Audience,
        concerned: impl Fn(&NoticeRequest) -> bool,
        now: Timestamp,
    ) {
        for (request, row) in &mut self.asked {
            let too_old = row.at <= now.checked_sub(request.kind.expires_after()).unwrap_or(Timestamp::MIN);
            let reached_nobody = row.outcome == Some(Outcome::NoAddress) && !too_old;
            if reached_nobody && request.kind.traits().audience == audience && concerned(request) {
                *row = AskedRow { look_at: now, outcome: None, made_at: None, ..row.clone() };
            }
        }
    }

    /// The notice that was made of a request.
    pub(super) fn made_of(&self, request: &NoticeRequest) -> Option<String> {
        match self.asked.get(request).and_then(|row| row.outcome.clone()) {
            Some(Outcome::Made { notice_id }) => Some(notice_id),
            Some(
                Outcome::TurnedOff
                | Outcome::NoAddress
                | Outcome::LostItsPoint
                | Outcome::TooOld
                | Outcome::NotTold
                | Outcome::BeforeNotices,
            )
            | None => None,
        }
    }

    pub(super) fn requests_of(&self, id: &str) -> Vec<NoticeRequest> {
        let of = |row: &AskedRow| matches!(&row.outcome, Some(Outcome::Made { notice_id }) if notice_id == id);
        let mut found: Vec<_> = self.asked.iter().filter(|(_, row)| of(row)).map(|(one, row)| (row.at, one)).collect();
        found.sort();
        found.into_iter().map(|(_, one)| one.clone()).collect()
    }

    /// All requests of the kinds, subjects and recipients of these, and what became of each.
    pub(super) fn of_the_same(&self, requests: &[NoticeRequest]) -> Vec<(NoticeRequest, Kin)> {
        let key = |one: &NoticeRequest| (one.kind, one.subject.clone(), one.recipient.clone());
        let same: BTreeSet<_> = requests.iter().map(key).collect();
        let became = |(one, row): (&NoticeRequest, &AskedRow)| {
            let made = self.made_of(one).and_then(|id| self.notices.get(&id).cloned());
            let kin = match (&row.outcome, made) {
                (None, _) => Kin::Waits,
                (Some(_), Some(notice)) => Kin::Made(Box::new(notice)),
                (Some(_), None) => Kin::NotMade,
            };
            (one.clone(), kin)
        };
        self.asked.iter().filter(|(one, _)| same.contains(&key(one))).map(became).collect()
    }

    /// Whether a notice is about that application, among others.
    pub(super) fn covers(&self, notice_id: &str, application_id: &ApplicationId) -> bool {
        self.requests_of(notice_id).iter().any(|one| one.application_id == *application_id)
    }

    pub(super) fn spoken_of(&self, provider: &str, receipt: &Receipt) -> Vec<String> {
        if !receipt.out_id.is_empty() {
            return possible_ids(&receipt.out_id).into_iter().map(str::to_owned).collect();
        }
        let name = receipt.provider_id.clone().map(|id| (provider.to_owned(), id));
        name.and_then(|name| self.provider_ids.get(&name)).cloned().into_iter().collect()
    }

    /// Whether the receipt was this notice's.
    pub(super) fn receive(
        &mut self,
        desk: &mut Desk<'_>,
        id: &str,
        provider: &str,
        trust: Trust,
        receipt: &Receipt,
    ) -> bool {
        let Some(notice) = self.notices.get(id) else { return false };
        let to = |channel: Channel| {
            let written = self.contents.get(id).into_iter().flatten();
            written.into_iter().find(|content| content.channel == channel).map(|content| content.to.clone())
        };
        match desk.receive(notice, provider, receipt, trust, to) {
            Received::Booked(notice) => {
                self.notices.insert(id.to_owned(), *notice);
                true
            }
            Received::NotOurs => false,
        }
    }

    pub(super) fn note_provider_id(&mut self, notice: &Notice, end: &ErrandEnd) {
        let Some((out_id, name)) = end.told_name() else { return };
        let attempts = notice.messages.iter().flat_map(|message| &message.attempts);
        for attempt in attempts.filter(|attempt| attempt.out_id == out_id) {
            self.provider_ids.entry((attempt.provider.clone(), name.to_owned())).or_insert_with(|| notice.id.clone());
        }
    }

    /// Receipts that came under a provider's name before it was known.
    pub(super) fn receive_kept(&mut self, desk: &mut Desk<'_>, ends: &[ErrandEnd]) {
        let named: BTreeSet<&str> = ends.iter().map(ErrandEnd::notice_id).collect();
        for place in 0..self.receipts.len() {
            let row = self.receipts[place].clone();
            let name = row.receipt.provider_id.clone().map(|id| (row.provider.clone(), id));
            let Some(id) = name.and_then(|name| self.provider_ids.get(&name)).cloned() else { continue };
            let kept = row.notice_id.is_none() && named.contains(id.as_str());
            if kept && self.receive(desk, &id, &row.provider, row.trust, &row.receipt) {
                self.receipts[place].notice_id = Some(id);
            }
        }
    }
}
