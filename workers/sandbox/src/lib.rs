//! The counterparties of zhida simulated over real sockets, with faults on demand: a bank, vendors of SMS with the phones they send to,
//! and a mail server. Not part of the path of real money, and not a model: what it says was paid, or sent, is what its ledger holds.

mod bank;
mod faults;
mod handle;
mod iso;
mod ledger;
mod log;
mod mail;
mod reply;
mod routes;
mod sms;
mod wire;

pub use faults::{AnswerFault, CallFault, Chance, Fault, FaultSettings, MagicAmounts, Target, TransferFault, magic};
pub use handle::BankHandle;
pub use ledger::{Entry, Ledger, LedgerError, Plan, State};
pub use mail::{KeptMail, MailFault, MailHandle, MailStage, MailboxSettings};
pub use sms::{Pushed, SmsChance, SmsEntry, SmsFault, SmsHandle, SmsSettings, SmsTarget, SmsWord, Vendor};

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use thiserror::Error;

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct SandboxSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The ledger's file, synced before every answer; without one the ledger lives in memory.
    pub ledger: Option<PathBuf>,
    /// The bearer token the bank wants; none: everybody is let in.
    pub token: Option<String>,
    /// What the bank calls a credited transfer, `ACSC` or `ACCC`.
    pub settled_code: String,
    /// What is to go wrong at the bank.
    pub faults: FaultSettings,
    /// The vendors of SMS.
    pub sms: SmsSettings,
    /// The mail server.
    pub mail: MailboxSettings,
}

impl Default for SandboxSettings {
    /// A free port of the loopback, memory only, nothing goes wrong.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ledger: None,
            token: None,
            settled_code: "ACSC".to_owned(),
            faults: FaultSettings::default(),
            sms: SmsSettings::default(),
            mail: MailboxSettings::default(),
        }
    }
}

/// The sandbox cannot start.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// Its ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Its address.
    #[error("the sandbox cannot listen at {listen}: {source}; choose another address or end the program that holds it")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// The running counterparties.
pub struct Sandbox {
    /// The bank.
    pub bank: BankHandle,
    /// The vendors of SMS. They share the bank's door: when it is down, so are they.
    pub sms: SmsHandle,
    /// The mail server. Its pages share the bank's door.
    pub mail: MailHandle,
}

impl Sandbox {
    /// Starts them; the ledger is reloaded from its file.
    ///
    /// # Errors
    /// A ledger that cannot be read, an address that is taken.
    pub async fn start(settings: SandboxSettings) -> Result<Self, SandboxError> {
        let bank = bank::Bank::open(settings.ledger.as_deref(), &settings.settled_code, settings.faults)?;
        let bank = BankHandle::new(bank, settings.token);
        let sms = SmsHandle::new(settings.sms);
        let listen = settings.mail.listen;
        let mail = MailHandle::open(settings.mail).await.map_err(|source| SandboxError::Listen { listen, source })?;
        let listen = settings.listen;
        let pages = sms::of_sms(sms.clone()).merge(mail::of_mail(mail.clone()));
        bank.open(listen, pages).await.map_err(|source| SandboxError::Listen { listen, source })?;
        sms.opened_at(bank.url());
        Ok(Self { bank, sms, mail })
    }

    /// Where the bank listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.bank.url()
    }

    /// Stops listening and breaks every connection. What was answered is in the ledger's file.
    pub async fn stop(self) {
        self.bank.release();
        self.bank.down().await;
        self.mail.down().await;
    }
}
