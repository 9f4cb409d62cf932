//! A mail server and the mailbox behind it: takes mails on the loopback, keeps them, shows them, and fails on demand. Not a mail server
//! for anything else: no encryption, no sign-in, no queue, no delivery; everybody's mail lies in one box, and a restart empties it.

mod bounce;
mod faults;
mod pages;
mod reading;
mod server;

pub use faults::{MailFault, MailStage};
pub(crate) use pages::of_mail;

use data_encoding::BASE64;
use faults::Script;
use jiff::Timestamp;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Older mails make room for newer ones.
const MAX_KEPT: usize = 5_000;

/// How the mail server is set up.
#[derive(Clone, Debug)]
pub struct MailboxSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// A Maildir to which it reports mails that bounce; without one they do not.
    pub bounces_dir: Option<PathBuf>,
    /// User and password of who may hand in; none: everybody, and no sign-in is offered.
    pub sign_in: Option<(String, String)>,
}

impl Default for MailboxSettings {
    /// A free port of the loopback, no bounces, open to everybody.
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), bounces_dir: None, sign_in: None }
    }
}

/// One mail as it was taken in. Personal: it prints no more than its number.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptMail {
    /// From 1, in the order of arrival.
    pub id: u64,
    /// When its content was complete.
    pub at: Timestamp,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The content, dots undone.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for KeptMail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "(mail {})", self.id)
    }
}

/// A running mail server. Clones are the same one.
#[derive(Clone)]
pub struct MailHandle(Arc<Running>);

struct Running {
    address: SocketAddr,
    bounces_dir: Option<PathBuf>,
    /// The one answer to AUTH PLAIN that is right (RFC 4616), in base64.
    sign_in: Option<String>,
    mailbox: Mutex<Mailbox>,
    changes: watch::Sender<u64>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

/// What it holds.
#[derive(Default)]
struct Mailbox {
    kept: Vec<KeptMail>,
    taken: u64,
    connections: u64,
    heard: Vec<(u64, String)>,
    script: Script,
}

impl MailHandle {
    /// Starts to listen.
    pub(crate) async fn open(settings: MailboxSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let running = Running {
            address: listener.local_addr()?,
            bounces_dir: settings.bounces_dir,
            sign_in: settings.sign_in.map(|(user, password)| BASE64.encode(format!("\0{user}\0{password}").as_bytes())),
            mailbox: Mutex::default(),
            changes: watch::Sender::new(0),
            accepting: Mutex::default(),
        };
        let handle = Self(Arc::new(running));
        let accepting = tokio::spawn(server::accept(listener, handle.clone()));
        *handle.0.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
        Ok(handle)
    }

    /// Where it listens: what `notices.mail.host` and `port` are set to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The mails, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<KeptMail> {
        self.mailbox().kept.clone()
    }

    /// One mail.
    #[must_use]
    pub fn mail(&self, id: u64) -> Option<KeptMail> {
        self.mailbox().kept.iter().find(|mail| mail.id == id).cloned()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.mailbox().connections
    }

    /// Every line that was not content, in order, with the connection it came on (from 1).
    #[must_use]
    pub fn heard(&self) -> Vec<(u64, String)> {
        self.mailbox().heard.clone()
    }

    /// Adds steps to the script, one for each mail (or connection, at [`MailStage::Connect`]); `None` is "as it should".
    pub fn script(&self, steps: impl IntoIterator<Item = Option<MailFault>>) {
        self.mailbox().script.add(steps);
    }

    /// Refuses every mail to this address from now on.
    pub fn refuse(&self, address: &str, code: u16, text: &str) {
        self.mailbox().script.refuse(address, code, text);
    }

    /// Waits until `reached` is true; it is looked at after every change.
    pub async fn until(&self, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.0.changes.subscribe();
        while !reached(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Listens no more and breaks every connection.
    pub async fn down(&self) {
        let accepting = self.0.accepting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // Cancelled is what it shall be; afterwards the listener is gone.
            let _ = accepting.await;
        }
    }

    /// Listens again, at the same address.
    ///
    /// # Errors
    /// The address was taken by somebody else meanwhile.
    pub async fn up(&self) -> io::Result<()> {
        self.down().await;
        let listener = TcpListener::bind(self.0.address).await?;
        let accepting = tokio::spawn(server::accept(listener, self.clone()));
        *self.0.accepting.lock().unwrap_or_else(PoisonError::into_inner) = Some(accepting);
        Ok(())
    }

    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.0.mailbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what it holds, and says so.
    fn change<T>(&self, act: impl FnOnce(&mut Mailbox) -> T) -> T {
        let done = act(&mut self.mailbox());
        self.0.changes.send_modify(|count| *count += 1);
        done
    }

    fn keep(&self, from: &str, to: &[String], bytes: Vec<u8>) -> KeptMail {
        self.change(|mailbox| {
            mailbox.taken += 1;
            let mail =
                KeptMail { id: mailbox.taken, at: Timestamp::now(), from: from.to_owned(), to: to.to_vec(), bytes };
            if mailbox.kept.len() == MAX_KEPT {
                mailbox.kept.remove(0);
            }
            mailbox.kept.push(mail.clone());
            mail
        })
    }
}
