//! What people do about notices, as far as it is written: the stop switch, asking again, and what a recipient does not want. Whether
//! they may is decided before.

use super::fault::Fault;
use super::link::{Lock, MAKING_NOTICES, TAKING_NOTICES, Tx};
use super::notice_rows::Read;
use super::notice_taking::Subjects;
use super::supervising::About;
use super::value::Value;
use super::{SqlStore, notice_addressees, notice_requests, notice_rows, notice_surroundings, patterns};
use serde_json::json;
use std::collections::BTreeSet;
use zhida_core::notice::{
    self as notice, Deed, Loaded, LoadedNotice, Notice, NoticeAct, NoticeKind, Preference, RecipientKnown, Stopped,
    Switch, WaitsFor, act, unsubscribes,
};
use zhida_core::ports::notices::Wish;
use zhida_core::ports::store::SignedAct;
use zhida_core::steps::{ActOutcome, ActRefused, Changes, JournalRow, Operator};
use zhida_core::supervision::Audience;

impl SqlStore {
    /// Decides an act, and does it where it may be done.
    pub(super) async fn act_on_notices(
        &self,
        tx: &mut Tx,
        operator: &Operator,
        what: &NoticeAct,
        signed: &SignedAct,
    ) -> Result<(About, Result<(ActOutcome, Changes), ActRefused>), Fault> {
        let loaded = self.load_for(tx, what).await?;
        let about = About {
            subject: what.subject(&loaded),
            application_id: loaded.application_id().cloned(),
            tranche: None,
            audience: Audience::Supervision,
        };
        let said = (signed.reason.as_str(), signed.event_id.as_str());
        let Deed { journal, notices, changed } = match act(operator, what, said, &loaded, &self.protocol.rules.notices)
        {
            Ok(deed) => deed,
            Err(refused) => return Ok((about, Err(refused.into()))),
        };
        let by = operator.id.as_str();
        match what {
            NoticeAct::Stop => {
                let stopped = Stopped { by: by.to_owned(), at: tx.now, reason: signed.reason.clone() };
                let switch = Switch { stopped: Some(stopped), ..loaded.switch };
                self.turn_switch(tx, switch, by, &signed.reason).await?;
            }
            NoticeAct::Resume => {
                let switch = Switch { stopped: None, ..loaded.switch };
                self.turn_switch(tx, switch, by, &signed.reason).await?;
            }
            NoticeAct::Resend { .. } => {
                tx.update("notices", 1, changed.iter().map(notice_rows::changed).collect()).await?;
            }
            NoticeAct::Prefer(Preference { recipient, kind, wish }) => {
                self.put_preference(tx, recipient, *kind, *wish, by).await?;
            }
        }
        Ok((about, Ok((ActOutcome::Done, Changes { journal: vec![journal], notices, ..Changes::default() }))))
    }

    /// Turns the switch, which is locked since it was loaded.
    async fn turn_switch(&self, tx: &mut Tx, switch: Switch, by: &str, reason: &str) -> Result<(), Fault> {
        notice_surroundings::write_switch(tx, &switch).await?;
        let kind = match switch.stopped {
            Some(_) => "notices.stopped",
            None => {
                notice_rows::look_again_at(tx, WaitsFor::Switch).await?;
                "notices.resumed"
            }
        };
        self.note(tx, kind, "notices", by, json!({"reason": reason})).await
    }

    async fn put_preference(
        &self,
        tx: &mut Tx,
        recipient: &str,
        kind: NoticeKind,
        wish: Wish,
        by: &str,
    ) -> Result<(), Fault> {
        let (key, now) = ([Value::from(recipient), kind.code().into()], tx.now);
        let changed = match wish {
            Wish::NotTold => {
                let [recipient, kind] = key;
                let row =
                    vec![("recipient", recipient), ("kind", kind), ("turned_off_at", now.into()), ("by", by.into())];
                let tail = "on conflict (recipient, kind) do update set turned_off_at = excluded.turned_off_at, \
                    by = excluded.by where notice_preferences.turned_off_at is null";
                tx.insert_counted("notice_preferences", vec![row], tail).await?
            }
            Wish::Told => {
                let sql = "update notice_preferences set turned_off_at = null, by = $3 \
                    where recipient = $1 and kind = $2 and turned_off_at is not null";
                tx.execute(sql, key.into_iter().chain([by.into()]).collect()).await?
            }
        };
        if changed == 0 {
            return Ok(());
        }
        let told = wish == Wish::Told;
        self.note(tx, "notices.preference", recipient, by, json!({"kind": kind.code(), "told": told})).await
    }

    pub(super) async fn unsubscribe_by(&self, tx: &mut Tx, notice_id: &str, key: &str) -> Result<bool, Fault> {
        let Some(Notice { recipient, kind, .. }) = unsubscribed_by(tx, notice_id, key).await? else { return Ok(false) };
        self.put_preference(tx, &recipient, kind, Wish::NotTold, &recipient).await?;
        Ok(true)
    }

    async fn load_for(&self, tx: &mut Tx, what: &NoticeAct) -> Result<Loaded, Fault> {
        let (mut notice, mut known) = (None, RecipientKnown::No);
        match what {
            // Whoever takes notices has the switch for so long.
            NoticeAct::Stop | NoticeAct::Resume => tx.lock_turn(TAKING_NOTICES).await?,
            NoticeAct::Resend { notice_id } => {
                // Nobody makes one more, or asks for one, as long as this is decided.
                tx.lock_turn(MAKING_NOTICES).await?;
                notice = self.loaded(tx, notice_id).await?;
            }
            NoticeAct::Prefer(preference) => known = recipient(tx, preference.kind, &preference.recipient).await?,
        }
        Ok(Loaded { switch: notice_surroundings::switch(tx).await?, notice, recipient: known })
    }

    /// What an act has to know of a notice; it and its kin are locked.
    async fn loaded(&self, tx: &mut Tx, id: &str) -> Result<Option<LoadedNotice>, Fault> {
        let requests = notice_rows::requests(tx, vec![id.to_owned()]).await?.remove(id).unwrap_or_default();
        let kin = notice_requests::of_the_same(tx, &requests).await?;
        let made = kin.iter().filter_map(|(_, became)| became.notice_id().map(str::to_owned));
        let ids: BTreeSet<String> = made.chain([id.to_owned()]).collect();
        let Read { notices, unreadable } = notice_rows::locked(tx, ids.into_iter().collect(), Lock::Wait).await?;
        if let Some(fault) = unreadable.into_values().next() {
            return Err(fault);
        }
        let Some(notice) = notices.iter().find(|one| one.id == id).cloned() else { return Ok(None) };
        let standing = Subjects::load(tx, requests.iter()).await?.standing(&requests);
        let by = self.by(tx).await?;
        let addressee =
            notice_addressees::addressees(tx, &by, requests.iter().take(1)).await?.pop().unwrap_or_default();
        let kin = kin.into_iter().map(|(request, became)| (request, became.kin(&notices))).collect();
        Ok(Some(LoadedNotice { notice, requests, kin, standing, addressee }))
    }

    async fn note(
        &self,
        tx: &mut Tx,
        kind: &str,
        subject: &str,
        by: &str,
        detail: serde_json::Value,
    ) -> Result<(), Fault> {
        let row = JournalRow { kind: kind.to_owned(), subject: subject.to_owned(), by: by.to_owned(), detail };
        self.write(tx, Changes { journal: vec![row], ..Changes::default() }).await
    }
}

/// The notice that this key unsubscribes from.
pub(super) async fn unsubscribed_by(tx: &mut Tx, notice_id: &str, key: &str) -> Result<Option<Notice>, Fault> {
    let seal = patterns::seal(tx).await?;
    let read = notice_rows::locked(tx, vec![notice_id.to_owned()], Lock::None).await?;
    Ok(read.notices.into_iter().find(|notice| unsubscribes(notice, key, &seal)))
}

/// Whether anything was ever heard of a recipient of this kind.
async fn recipient(tx: &mut Tx, kind: NoticeKind, recipient: &str) -> Result<RecipientKnown, Fault> {
    let sql = match kind.traits().audience {
        notice::Audience::Enterprise => {
            "select uscc as id from enterprises where uscc = $1 union all select uscc from case_files where uscc = $1 limit 1"
        }
        notice::Audience::Official => "select id from officers where id = $1",
        notice::Audience::Anybody => return Ok(RecipientKnown::No),
    };
    let rows = tx.rows(sql, vec![recipient.into()]).await?;
    Ok(if rows.is_empty() { RecipientKnown::No } else { RecipientKnown::Yes })
}
