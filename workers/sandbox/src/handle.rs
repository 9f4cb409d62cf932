//! The bank as tests and the demo hold it within one process: to look at its ledger, arrange faults, and close its door.

use crate::bank::{Bank, Decision};
use crate::faults::{Chance, Fault, Target};
use crate::ledger::Ledger;
use crate::routes;
use crate::wire::Door;
use axum::Router;
use std::io;
use std::sync::{Arc, OnceLock};

/// A running bank. Clones are the same bank.
#[derive(Clone)]
pub struct BankHandle(Arc<Running>);

struct Running {
    bank: Arc<Bank>,
    token: Option<String>,
    /// Filled once, at the start: the routes need the handle before the door is there.
    door: OnceLock<Door>,
    /// What others serve behind the same door.
    beside: OnceLock<Router>,
}

impl BankHandle {
    /// A bank whose door is not yet open.
    pub(crate) fn new(bank: Bank, token: Option<String>) -> Self {
        Self(Arc::new(Running { bank: Arc::new(bank), token, door: OnceLock::new(), beside: OnceLock::new() }))
    }

    /// Opens the door, for these routes beside the bank's as well.
    pub(crate) async fn open(&self, listen: std::net::SocketAddr, beside: Router) -> io::Result<()> {
        // Opened once only, by `Sandbox::start`.
        let _ = self.0.beside.set(beside);
        let door = Door::open(listen, self.routes()).await?;
        let _ = self.0.door.set(door);
        Ok(())
    }

    fn routes(&self) -> Router {
        let beside = self.0.beside.get().cloned().unwrap_or_default();
        routes::of_bank(self.clone()).merge(beside)
    }

    pub(crate) fn bank(&self) -> Arc<Bank> {
        Arc::clone(&self.0.bank)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.0.token.as_deref()
    }

    /// Where it listens: what `bank.url` is set to.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.door.get().map_or_else(String::new, |door| format!("http://{}", door.address()))
    }

    /// The ledger as it is now.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.0.bank.books().ledger.clone()
    }

    /// Looks at the ledger without copying it.
    pub fn with_ledger<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.0.bank.books().ledger)
    }

    /// Every `MsgId` of `POST /payments` that could be read, in order, resends included.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.0.bank.books().calls.clone()
    }

    /// How many enquiries there were.
    #[must_use]
    pub fn enquiries(&self) -> u64 {
        self.0.bank.books().enquiries
    }

    /// What the client did that it must never do: other bytes under an old `MsgId`, other content under an
    /// old `EndToEndId`, a wrong `Idempotency-Key`.
    #[must_use]
    pub fn reproaches(&self) -> Vec<String> {
        self.0.bank.books().reproaches.clone()
    }

    /// Waits until `reached` is true of the bank; it is looked at after every call and every change of the ledger.
    pub async fn until(&self, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.0.bank.changes();
        while !reached(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Adds steps to the script of `target`; `None` is "as it should".
    pub fn script(&self, target: Target, steps: impl IntoIterator<Item = Option<Fault>>) {
        self.0.bank.books().faults.script(target, steps.into_iter().collect());
    }

    /// Replaces the faults by chance.
    pub fn set_chances(&self, chances: Vec<Chance>) {
        self.0.bank.books().faults.set_chances(chances);
    }

    /// Credits a pending order. Returns how many it was, 0 or 1.
    pub async fn settle(&self, end_to_end_id: &str) -> usize {
        self.0.bank.decide(|entry| (entry.end_to_end_id == end_to_end_id).then_some(Decision::Settle)).await
    }

    /// Credits every pending order. Returns how many.
    pub async fn settle_all(&self) -> usize {
        self.0.bank.decide(|_| Some(Decision::Settle)).await
    }

    /// Refuses a pending order. Returns how many it was, 0 or 1.
    pub async fn refuse(&self, end_to_end_id: &str, reason: &str) -> usize {
        let refuse = || Decision::Refuse { reason: reason.to_owned() };
        self.0.bank.decide(|entry| (entry.end_to_end_id == end_to_end_id).then(refuse)).await
    }

    /// Lets every slow and late call go that has arrived.
    pub fn release(&self) {
        self.0.bank.release();
    }

    /// Refuses connections from now on, and breaks those there are.
    pub async fn down(&self) {
        if let Some(door) = self.0.door.get() {
            door.close().await;
        }
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The address was taken by somebody else meanwhile.
    pub async fn up(&self) -> io::Result<()> {
        match self.0.door.get() {
            Some(door) => door.reopen(self.routes()).await,
            None => Ok(()),
        }
    }
}
