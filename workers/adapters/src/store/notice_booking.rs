//! Booking what came of errands, and receipts: each notice on its own, in whatever order they come, before or after our own record.

use super::fault::Fault;
use super::link::{Lock, TAKING_NOTICES, Tx};
use super::notice_rows::Read;
use super::value::{Record, Value, json};
use super::{SqlStore, notice_rows, notice_surroundings, patterns, transact};
use std::collections::{BTreeMap, BTreeSet};
use tracing::error;
use zhida_core::notice::health::{is_told_of, some_opened};
use zhida_core::notice::{Channel, Counters, Desk, Notice, Received, Switch, WaitsFor, possible_ids};
use zhida_core::patterns::Seal;
use zhida_core::ports::notices::{Content, ErrandEnd, ReceiptsBooked};
use zhida_core::ports::sms::{Receipt, Trust};
use zhida_core::ports::store::StoreError;

/// So many receipts are booked by one transaction at most.
const RECEIPTS_AT_ONCE: usize = 200;

impl SqlStore {
    /// Books ends; those of a notice that cannot be booked hold up none of the others.
    pub(super) async fn book_ends(&self, ends: &[ErrandEnd]) -> Result<(), StoreError> {
        if ends.is_empty() {
            return Ok(());
        }
        match transact!(self, WritingByKeys, |tx| self.book_ends_within(&mut tx, ends)) {
            Err(error) if error.is_of_a_row() && ends.len() > 1 => {}
            done => return self.look_again_after(done?).await,
        }
        for end in ends {
            match transact!(self, WritingByKeys, |tx| self.book_ends_within(&mut tx, std::slice::from_ref(end))) {
                Ok(learnt) => self.look_again_after(learnt).await?,
                Err(error) if error.is_of_a_row() => {
                    error!(notice = end.notice_id(), %error, "what came of a notice cannot be booked; its lease runs out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What waits for a provider is due when one is open again. Apart, for whoever takes meanwhile has locks that this one waits for;
    /// where it comes to nothing, they wait until the provider would have been tried.
    async fn look_again_after(&self, learnt: Learnt) -> Result<(), StoreError> {
        match learnt {
            Learnt::ProviderOpened => transact!(self, Writing, |tx| look_again_at(&mut tx, WaitsFor::Provider)),
            Learnt::Nothing => Ok(()),
        }
    }

    async fn book_ends_within(&self, tx: &mut Tx, ends: &[ErrandEnd]) -> Result<Learnt, Fault> {
        let rules = &self.protocol.rules.notices;
        let mut counters = Counters::default();
        if ends.iter().any(ErrandEnd::gives_back) {
            // Whoever takes notices counts meanwhile; locked before every row, as he does.
            tx.lock_turn(TAKING_NOTICES).await?;
            counters = notice_surroundings::counters(tx, BTreeSet::new()).await?;
        }
        lock_names(tx, ends.iter().filter_map(|end| end.told_name()).map(|(_, name)| name)).await?;
        let ids: BTreeSet<String> = ends.iter().map(|end| end.notice_id().to_owned()).collect();
        let mut books = self.open_books(tx, ids).await?;
        let mut health = notice_surroundings::health(tx, rules, Lock::None).await?;
        if is_told_of(&health, rules, ends) {
            health = notice_surroundings::health(tx, rules, Lock::Wait).await?;
        }
        let mut desk = Desk::new(rules, tx.now, Switch::default(), health.clone(), counters.clone());
        for end in ends {
            if let Some(notice) = books.notices.get(end.notice_id()).cloned() {
                books.put(desk.book(notice, end));
            }
        }
        let told = told_ids(&books, ends);
        if !told.is_empty() {
            receive_kept(tx, &mut books, &mut desk, &told).await?;
        }
        notice_surroundings::write_counters(tx, &counters, &desk.counters).await?;
        notice_surroundings::write_health(tx, &health, &desk.health).await?;
        let learnt = if some_opened(&health, &desk.health) { Learnt::ProviderOpened } else { Learnt::Nothing };
        self.close_books(tx, books, desk).await?;
        Ok(learnt)
    }

    /// Books receipts, some at a time: a push may hold very many, and each needs locks.
    pub(super) async fn book_receipts_of(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError> {
        let mut booked = ReceiptsBooked::default();
        for some in receipts.chunks(RECEIPTS_AT_ONCE) {
            match transact!(self, WritingByKeys, |tx| self.receive(&mut tx, provider, trust, some)) {
                Ok(more) => booked += more,
                Err(error) if error.is_of_a_row() => {
                    booked += self.book_receipts_one_by_one(provider, trust, some).await?
                }
                Err(error) => return Err(error),
            }
        }
        Ok(booked)
    }

    /// One of them is in the way: the others are booked without it.
    async fn book_receipts_one_by_one(
        &self,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, StoreError> {
        let mut booked = ReceiptsBooked::default();
        for receipt in receipts {
            let one = std::slice::from_ref(receipt);
            match transact!(self, WritingByKeys, |tx| self.receive(&mut tx, provider, trust, one)) {
                Ok(more) => booked += more,
                Err(error) if error.is_of_a_row() => {
                    error!(provider, out_id = receipt.out_id, %error, "a receipt cannot be booked");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(booked)
    }

    async fn receive(
        &self,
        tx: &mut Tx,
        provider: &str,
        trust: Trust,
        receipts: &[Receipt],
    ) -> Result<ReceiptsBooked, Fault> {
        let mut counted = ReceiptsBooked::default();
        let seal = patterns::seal(tx).await?;
        let mut new: BTreeMap<String, &Receipt> =
            receipts.iter().map(|receipt| (digest(&seal, receipt), receipt)).collect();
        let known = known(tx, provider, new.keys().cloned().collect()).await?;
        new.retain(|digest, _| !known.contains(digest));
        counted.repeated = count(receipts.len() - new.len());
        if new.is_empty() {
            return Ok(counted);
        }
        let nameless = new.values().filter(|receipt| receipt.out_id.is_empty());
        lock_names(tx, nameless.filter_map(|receipt| receipt.provider_id.as_deref())).await?;
        let by_provider_id = self.notices_of_provider(tx, provider, new.values().copied()).await?;
        let candidates = |receipt: &Receipt| -> Vec<String> {
            if !receipt.out_id.is_empty() {
                return possible_ids(&receipt.out_id).into_iter().map(str::to_owned).collect();
            }
            receipt.provider_id.as_ref().and_then(|id| by_provider_id.get(id)).cloned().into_iter().collect()
        };
        let ids: BTreeSet<String> = new.values().flat_map(|receipt| candidates(receipt)).collect();
        let mut books = self.open_books(tx, ids).await?;
        books.load_contents(tx).await?;
        let rules = &self.protocol.rules.notices;
        let mut desk = Desk::new(rules, tx.now, Switch::default(), BTreeMap::new(), Counters::default());
        let mut records = Vec::new();
        for (digest, receipt) in new {
            let found =
                candidates(receipt).into_iter().find(|id| books.receive(&mut desk, id, provider, trust, receipt));
            match found {
                Some(_) => counted.booked += 1,
                None => counted.unmatched += 1,
            }
            records.push(record(provider, digest, trust, receipt, found, tx.now));
        }
        // Whoever books the same at the same time books the same.
        tx.insert("notice_receipts", records, "on conflict (provider, digest) do nothing").await?;
        self.close_books(tx, books, desk).await?;
        Ok(counted)
    }

    /// Which notices a provider's own names stand for.
    async fn notices_of_provider(
        &self,
        tx: &mut Tx,
        provider: &str,
        receipts: impl Iterator<Item = &Receipt>,
    ) -> Result<BTreeMap<String, String>, Fault> {
        let nameless = receipts.filter(|receipt| receipt.out_id.is_empty());
        let ids: Vec<String> = nameless.filter_map(|receipt| receipt.provider_id.clone()).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "select provider_id, notice_id from notice_provider_ids where provider = $1 and provider_id {}",
            tx.among(2)
        );
        let rows = tx.rows(sql, vec![provider.into(), ids.into()]).await?;
        rows.iter().map(|row| Ok((row.get("provider_id")?, row.get("notice_id")?))).collect()
    }

    /// Notices by id, locked. One that cannot be read is left as it is: whoever takes it next sets it aside.
    async fn open_books(&self, tx: &mut Tx, ids: BTreeSet<String>) -> Result<Books, Fault> {
        let Read { notices, unreadable } = notice_rows::locked(tx, ids.into_iter().collect(), Lock::Wait).await?;
        for (id, fault) in unreadable {
            let place = fault.place();
            error!(notice = id, place, "a notice cannot be read: what is learnt of it is not booked");
        }
        let notices = notices.into_iter().map(|notice| (notice.id.clone(), notice)).collect();
        Ok(Books { notices, changed: BTreeSet::new(), contents: None })
    }

    async fn close_books(&self, tx: &mut Tx, mut books: Books, desk: Desk<'_>) -> Result<(), Fault> {
        let changed = books.changed.iter().filter_map(|id| books.notices.get(id)).map(notice_rows::changed).collect();
        tx.update("notices", 1, changed).await?;
        let effects = desk.effects;
        if !effects.addresses.is_empty() {
            let seal = patterns::seal(tx).await?;
            books.load_contents(tx).await?;
            let contents = books.contents.unwrap_or_default();
            notice_surroundings::write_addresses(tx, &effects.addresses, &contents, &seal).await?;
        }
        self.write_effects(tx, effects).await
    }
}

/// What concerns others than the notices of a booking.
enum Learnt {
    /// A provider that was shut is open again.
    ProviderOpened,
    Nothing,
}

/// What waits for that is due now; it is locked out who is taking, for he may be about to put some of it back.
pub(super) async fn look_again_at(tx: &mut Tx, what: WaitsFor) -> Result<(), Fault> {
    tx.lock_turn(TAKING_NOTICES).await?;
    notice_rows::look_again_at(tx, what).await
}

/// Notices while something is booked of them.
struct Books {
    notices: BTreeMap<String, Notice>,
    changed: BTreeSet<String>,
    contents: Option<BTreeMap<String, Vec<Content>>>,
}

impl Books {
    fn put(&mut self, notice: Notice) {
        if self.notices.get(&notice.id) != Some(&notice) {
            self.changed.insert(notice.id.clone());
            self.notices.insert(notice.id.clone(), notice);
        }
    }

    async fn load_contents(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        if self.contents.is_none() {
            let ids = self.notices.keys().cloned().collect();
            // What cannot be read of them is missing here as if it were erased.
            self.contents = Some(notice_rows::contents(tx, ids).await?.0);
        }
        Ok(())
    }

    /// Whether the receipt was this notice's.
    fn receive(&mut self, desk: &mut Desk<'_>, id: &str, provider: &str, trust: Trust, receipt: &Receipt) -> bool {
        let Some(notice) = self.notices.get(id) else { return false };
        let written = self.contents.as_ref().and_then(|contents| contents.get(id));
        let to = |channel: Channel| {
            let content = written.into_iter().flatten().find(|content| content.channel == channel);
            content.map(|content| content.to.clone())
        };
        match desk.receive(notice, provider, receipt, trust, to) {
            Received::Booked(notice) => {
                self.put(*notice);
                true
            }
            Received::NotOurs => false,
        }
    }
}

/// Whoever learns a provider's name of an attempt and whoever brings a receipt that only this name speaks for wait for each other, before
/// either looks: otherwise neither would see what the other has not committed yet. Locked before every row.
async fn lock_names(tx: &mut Tx, names: impl Iterator<Item = &str>) -> Result<(), Fault> {
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    tx.lock_texts(names.into_iter().collect()).await
}

/// Names that providers gave to attempts: of which notice, by provider and name.
fn told_ids(books: &Books, ends: &[ErrandEnd]) -> BTreeMap<(String, String), String> {
    let mut told = BTreeMap::new();
    for end in ends {
        let Some((out_id, name)) = end.told_name() else { continue };
        let attempts = books.notices.get(end.notice_id()).into_iter().flat_map(|notice| &notice.messages);
        let attempt = attempts.flat_map(|message| &message.attempts).find(|attempt| attempt.out_id == out_id);
        if let Some(attempt) = attempt {
            told.insert((attempt.provider.clone(), name.to_owned()), end.notice_id().to_owned());
        }
    }
    told
}

/// Keeps the providers' names, and books the receipts that came under them before they were known.
async fn receive_kept(
    tx: &mut Tx,
    books: &mut Books,
    desk: &mut Desk<'_>,
    told: &BTreeMap<(String, String), String>,
) -> Result<(), Fault> {
    let record = |((provider, name), notice_id): (&(String, String), &String)| -> Record {
        vec![("provider", provider.into()), ("provider_id", name.into()), ("notice_id", notice_id.into())]
    };
    let records = told.iter().map(record).collect();
    tx.insert("notice_provider_ids", records, "on conflict (provider, provider_id) do nothing").await?;
    let (providers, names): (Vec<String>, Vec<String>) = told.keys().cloned().unzip();
    let sql = format!(
        "select provider, digest, trust, out_id, provider_id, address, word from notice_receipts \
         where notice_id is null and (provider, provider_id) {} order by at, digest",
        tx.pairs_among(1)
    );
    let rows = tx.rows(sql, vec![providers.into(), names.into()]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    books.load_contents(tx).await?;
    let mut found: Vec<Record> = Vec::new();
    for row in &rows {
        let (provider, digest): (String, String) = (row.get("provider")?, row.get("digest")?);
        let receipt = notice_rows::receipt(row)?;
        let name = (provider.clone(), receipt.provider_id.clone().unwrap_or_default());
        let Some(notice_id) = told.get(&name) else { continue };
        if books.receive(desk, notice_id, &provider, notice_rows::trust(row)?, &receipt) {
            let (provider, digest) = (Value::from(provider), Value::from(digest));
            found.push(vec![("provider", provider), ("digest", digest), ("notice_id", notice_id.into())]);
        }
    }
    tx.update("notice_receipts", 2, found).await
}

/// Tells the same receipt from another one. Keyed, for a number can be tried out.
fn digest(seal: &Seal, receipt: &Receipt) -> String {
    seal.mark("receipt", &json(receipt))
}

async fn known(tx: &mut Tx, provider: &str, digests: Vec<String>) -> Result<BTreeSet<String>, Fault> {
    let sql = format!("select digest from notice_receipts where provider = $1 and digest {}", tx.among(2));
    let rows = tx.rows(sql, vec![provider.into(), digests.into()]).await?;
    rows.iter().map(|row| row.get("digest")).collect()
}

fn record(
    provider: &str,
    digest: String,
    trust: Trust,
    receipt: &Receipt,
    notice_id: Option<String>,
    now: jiff::Timestamp,
) -> Record {
    let trust = match trust {
        Trust::Signed => notice_rows::SIGNED,
        Trust::Hint => notice_rows::HINT,
    };
    vec![
        ("provider", provider.into()),
        ("digest", digest.into()),
        ("at", now.into()),
        ("trust", trust.into()),
        ("out_id", (&receipt.out_id).into()),
        ("provider_id", receipt.provider_id.clone().into()),
        ("address", receipt.to.clone().into()),
        ("word", json(&receipt.word).into()),
        ("notice_id", notice_id.into()),
    ]
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
