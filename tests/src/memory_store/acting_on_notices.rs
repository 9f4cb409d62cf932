//! Acts about notices, and what they write.

use super::{MemoryStore, Tables};
use serde_json::json;
use zhida_core::ids::OfficerId;
use zhida_core::notice::{
    Audience, Deed, Loaded, LoadedNotice, NoticeAct, NoticeKind, Preference, RecipientKnown, Stopped, act,
};
use zhida_core::ports::notices::Wish;
use zhida_core::ports::store::SignedAct;
use zhida_core::steps::{ActOutcome, ActRefused, Changes, Operator};

impl MemoryStore {
    pub(super) fn act_on_notices(
        &self,
        tables: &mut Tables,
        operator: &Operator,
        what: &NoticeAct,
        signed: &SignedAct,
    ) -> (String, Result<(ActOutcome, Changes), ActRefused>) {
        let loaded = tables.loaded_for(what);
        let subject = what.subject(&loaded);
        let said = (signed.reason.as_str(), signed.event_id.as_str());
        let Deed { journal, notices, changed } = match act(operator, what, said, &loaded, &self.protocol.rules.notices)
        {
            Ok(deed) => deed,
            Err(refused) => return (subject, Err(refused.into())),
        };
        let by = operator.id.as_str();
        match what {
            NoticeAct::Stop => {
                let stopped = Stopped { by: by.to_owned(), at: self.clock(), reason: signed.reason.clone() };
                self.turn_switch(tables, Some(stopped), by, &signed.reason);
            }
            NoticeAct::Resume => self.turn_switch(tables, None, by, &signed.reason),
            NoticeAct::Resend { .. } => {
                tables.noticing.notices.extend(changed.into_iter().map(|one| (one.id.clone(), one)));
            }
            NoticeAct::Prefer(Preference { recipient, kind, wish }) => {
                self.put_preference(tables, recipient, *kind, *wish, by);
            }
        }
        (subject, Ok((ActOutcome::Done, Changes { journal: vec![journal], notices, ..Changes::default() })))
    }

    fn turn_switch(&self, tables: &mut Tables, stopped: Option<Stopped>, by: &str, reason: &str) {
        let kind = if stopped.is_some() { "notices.stopped" } else { "notices.resumed" };
        tables.noticing.switch.stopped = stopped;
        self.note_of_notices(tables, kind, "notices", by, json!({"reason": reason}));
    }

    pub(super) fn put_preference(&self, tables: &mut Tables, recipient: &str, kind: NoticeKind, wish: Wish, by: &str) {
        let key = (recipient.to_owned(), kind);
        let (changed, told) = match wish {
            Wish::Told => (tables.noticing.turned_off.remove(&key), true),
            Wish::NotTold => (tables.noticing.turned_off.insert(key), false),
        };
        if changed {
            let detail = json!({"kind": kind.code(), "told": told});
            self.note_of_notices(tables, "notices.preference", recipient, by, detail);
        }
    }
}

impl Tables {
    fn loaded_for(&self, what: &NoticeAct) -> Loaded {
        let (notice, recipient) = match what {
            NoticeAct::Resend { notice_id } => (self.noticing.notices.get(notice_id).cloned(), RecipientKnown::No),
            NoticeAct::Prefer(preference) => (None, self.recipient(preference)),
            NoticeAct::Stop | NoticeAct::Resume => (None, RecipientKnown::No),
        };
        let notice = notice.map(|one| {
            let requests = self.noticing.requests_of(&one.id);
            let standing = self.standing(&requests);
            let kin = self.noticing.of_the_same(&requests);
            let addressee = requests.first().map(|one| self.addressee(one)).unwrap_or_default();
            LoadedNotice { notice: one, requests, kin, standing, addressee }
        });
        Loaded { switch: self.noticing.switch.clone(), notice, recipient }
    }

    fn recipient(&self, preference: &Preference) -> RecipientKnown {
        let Preference { recipient, kind, .. } = preference;
        let found = match kind.traits().audience {
            Audience::Enterprise => self.payouts.values().any(|payout| payout.enterprise.uscc == *recipient),
            Audience::Official => self.organisation.officers.contains_key(&OfficerId::from(recipient.as_str())),
            Audience::Anybody => false,
        };
        if found { RecipientKnown::Yes } else { RecipientKnown::No }
    }
}
