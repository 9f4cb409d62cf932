//! Notices made of requests, as the real stores do.

use super::notice_tables::AskedRow;
use super::noticing::fingerprint;
use super::{MemoryStore, Tables};
use std::collections::BTreeSet;
use zhida_core::case_file::policy_named;
use zhida_core::ids::{OfficerId, PolicyId};
use zhida_core::notice::making::{Addressee, Asked, Making, Subject, make};
use zhida_core::notice::template::TemplateSet;
use zhida_core::notice::{About, Audience, Channel, Grouping, NoticeKind, NoticeRequest, Number};
use zhida_core::ports::store::StoreError;
use zhida_core::supervision::{Alert, District};
use zhida_schemas::identifiers::{Email, Mobile};

impl MemoryStore {
    pub(super) fn make_due_notices(&self, max: u32) -> Result<u32, StoreError> {
        let mut tables = self.tables();
        loop {
            let waiting = tables.requests_waiting(self, max as usize);
            if waiting.is_empty() {
                return Ok(0);
            }
            let done = self.make_of(&mut tables, &waiting)?;
            if done > 0 {
                return Ok(done);
            }
        }
    }

    fn make_of(&self, tables: &mut Tables, waiting: &[NoticeRequest]) -> Result<u32, StoreError> {
        let rules = &self.protocol.rules;
        let (time, organisation, now) = (self.working_time(tables)?, tables.organisation.clone(), self.clock());
        let templates = tables.noticing.templates.last().unwrap_or(TemplateSet::embedded()).clone().filled();
        let making = Making {
            rules: &rules.notices,
            templates: &templates,
            rail: rules.large_value.as_ref(),
            district: District { rules: &rules.supervision, organisation: &organisation, time: &time, now },
        };
        let mut numbers = tables.noticing.notices.len();
        let mut new_id = || {
            numbers += 1;
            format!("n{numbers}")
        };
        let made = make(waiting.iter().map(|one| tables.asked(one)).collect(), making, &mut new_id);
        let done = made.outcomes.len() + made.troubles.len();
        for (request, outcome) in made.outcomes {
            tables.row(&request, |row| (row.outcome, row.made_at) = (Some(outcome), Some(now)));
        }
        for (request, _) in &made.troubles {
            tables.row(request, |row| row.look_at = now + jiff::SignedDuration::from_hours(1));
        }
        for request in waiting.iter().filter(|_| made.waits_until.is_some()) {
            tables.row(request, |row| {
                if let (None, Some(until), true) = (&row.outcome, made.waits_until, row.look_at <= now) {
                    row.look_at = until;
                }
            });
        }
        for one in made.notices {
            tables.noticing.contents.insert(one.notice.id.clone(), one.contents);
            tables.noticing.notices.insert(one.notice.id.clone(), one.notice);
        }
        self.write_effects(tables, made.effects);
        Ok(u32::try_from(done).unwrap_or(u32::MAX))
    }
}

impl Tables {
    fn row(&mut self, request: &NoticeRequest, change: impl FnOnce(&mut AskedRow)) {
        if let Some(row) = self.noticing.asked.get_mut(request) {
            change(row);
        }
    }

    /// Requests whose time has come, and of a kind that is grouped all that wait for the same recipient.
    fn requests_waiting(&self, store: &MemoryStore, max: usize) -> Vec<NoticeRequest> {
        let open = || self.noticing.asked.iter().filter(|(_, row)| row.outcome.is_none());
        let mut due: Vec<_> = open().filter(|(_, row)| row.look_at <= store.clock()).collect();
        due.sort_by_key(|(one, row)| (row.look_at, *one));
        due.truncate(max);
        let mut found: BTreeSet<NoticeRequest> = BTreeSet::new();
        for (one, _) in due {
            match one.kind.traits().grouping {
                Grouping::Alone => drop(found.insert(one.clone())),
                Grouping::Together => {
                    let company =
                        open().filter(|(other, _)| (other.kind, &other.recipient) == (one.kind, &one.recipient));
                    found.extend(company.map(|(other, _)| other.clone()));
                }
            }
        }
        found.into_iter().collect()
    }

    fn asked(&self, request: &NoticeRequest) -> Asked {
        let asked_at = self.noticing.asked[request].at;
        let addressee = self.addressee(request);
        Asked { request: request.clone(), asked_at, subject: self.subject_of(request), addressee }
    }

    /// How the recipient of a request is reached.
    pub(super) fn addressee(&self, request: &NoticeRequest) -> Addressee {
        let mut addressee = self.reached(request);
        let number = addressee.mobile.as_deref().and_then(|mobile| Number::parse(mobile).ok());
        let marks = [
            number.map(|one| (Channel::Sms, fingerprint(Channel::Sms, one.e164()))),
            addressee.email.as_deref().map(|one| (Channel::Mail, fingerprint(Channel::Mail, one.trim()))),
        ];
        let flagged = |(channel, mark): (Channel, String)| {
            self.noticing.addresses.get(&mark)?.flagged.as_ref().map(|(at, _)| (channel, *at))
        };
        addressee.flagged = marks.into_iter().flatten().filter_map(flagged).collect();
        let off = self.noticing.turned_off.iter().filter(|(recipient, _)| *recipient == request.recipient);
        addressee.turned_off = off.map(|(_, kind)| *kind).collect();
        addressee
    }

    fn reached(&self, request: &NoticeRequest) -> Addressee {
        match request.kind.traits().audience {
            Audience::Enterprise => {
                let Some(contacts) = self.cases.contacts.get(&request.application_id) else {
                    return Addressee::default();
                };
                Addressee {
                    mobile: contacts.mobile().map(str::to_owned),
                    email: contacts.email().map(str::to_owned),
                    locale: contacts.locale().map(str::to_owned),
                    told_at: Some(contacts.at()),
                    ..Addressee::default()
                }
            }
            Audience::Official => {
                let imported = self.journal.iter().filter(|row| row.kind == "organisation.imported");
                let officer = self.organisation.officers.get(&OfficerId::from(request.recipient.as_str()));
                Addressee {
                    mobile: officer.and_then(|one| one.mobile.as_ref()).map(Mobile::as_str).map(str::to_owned),
                    email: officer.and_then(|one| one.email.as_ref()).map(Email::as_str).map(str::to_owned),
                    told_at: imported.map(|row| row.at).max(),
                    ..Addressee::default()
                }
            }
            Audience::Anybody => {
                let address = self.noticing.trials.get(&request.subject).unwrap_or(&request.recipient).clone();
                let (mobile, email) = if address.contains('@') { (None, Some(address)) } else { (Some(address), None) };
                Addressee { mobile, email, ..Addressee::default() }
            }
        }
    }

    fn subject_of(&self, request: &NoticeRequest) -> Subject {
        let title = |id: &PolicyId| self.policies.get(id).map(|policy| policy.title.clone());
        let found = match About::of(request.kind, &request.subject) {
            About::Payout(key) => self.payouts.get(&key).map(|payout| Subject::Payout {
                policy_title: title(&payout.policy_id),
                payout: Box::new(payout.clone()),
            }),
            About::Alert(id) => self.cases.alerts.get(&id).map(|alert| self.alert_of(alert)),
            About::Order(id) => self.cases.orders.get(&id).map(|order| Subject::Order(Box::new(order.clone()))),
            About::Digest(id) => {
                let digest = self.digesting.digests.values().find(|digest| digest.id == id);
                digest.map(|digest| Subject::Digest(Box::new(digest.clone())))
            }
            About::Case(_) => None,
            About::Nothing => (request.kind == NoticeKind::Test).then_some(Subject::Nothing),
        };
        found.unwrap_or(Subject::Gone)
    }

    fn alert_of(&self, alert: &Alert) -> Subject {
        let case = self.case(&alert.application_id);
        let policy = policy_named(&case.events).cloned();
        let order = alert.order_id().and_then(|id| self.cases.orders.get(&id));
        Subject::Alert {
            policy: policy.map(|id| (id.clone(), self.policies.get(&id).map(|policy| policy.title.clone()))),
            order: order.map(|order| Box::new(order.clone())),
            alert: Box::new(alert.clone()),
        }
    }
}
