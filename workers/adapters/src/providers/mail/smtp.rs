//! A mail server spoken to over SMTP. Mails go one after the other over connections that are kept for a while. A kept connection that the
//! server has closed meanwhile is replaced once, as long as the mail's content was not begun; nothing else is tried twice. What an
//! outcome leads to is decided in the core.

use super::dkim_key::DkimKeyError;
use super::letter::Writer;
use super::session::{self, Connection, Link, Turn};
use async_trait::async_trait;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::time::Instant;
use zhida_core::ports::mail::{Mail, MailProvider};
use zhida_core::ports::sms::SendOutcome;

/// Connections beyond these are closed after use.
const MAX_KEPT: usize = 4;
/// A connection that was idle for longer is not used again: servers close theirs after a minute or five.
const MAX_IDLE: Duration = Duration::from_secs(30);

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// By STARTTLS; a server that does not offer it gets nothing, not even an address.
    StartTls,
    /// By TLS from the first byte.
    Tls,
    /// Not at all.
    None(ClearText),
}

/// To whom one may speak without protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearText {
    /// To this machine only (`127.0.0.1`, `::1`, `localhost`).
    ToThisMachine,
    /// To any; for the environment `sandbox`.
    Anywhere,
}

/// How mails are signed.
#[derive(Clone)]
pub struct Dkim {
    /// `notices.mail.dkim_domain`.
    pub domain: String,
    /// `notices.mail.dkim_selector`.
    pub selector: String,
    /// What `notices.mail.dkim_key_file` holds, PEM.
    pub key_pem: Vec<u8>,
}

/// What is agreed with the mail server. Holds secrets: it is not printable.
#[derive(Clone)]
pub struct MailSettings {
    /// `notices.mail.host`, a name or an address.
    pub host: String,
    /// `notices.mail.port`.
    pub port: u16,
    /// `notices.mail.security`.
    pub security: Security,
    /// `notices.mail.user` and `password`.
    pub credentials: Option<(String, String)>,
    /// `notices.mail.from`, `直达 <notice@district.example>` or an address alone. Bounces come back to it.
    pub from: String,
    /// `notices.mail.reply_to`.
    pub reply_to: Option<String>,
    /// How mails are signed; none: they are not.
    pub dkim: Option<Dkim>,
    /// Roots that alone are trusted, as PEM; without them those of the operating system.
    pub ca_pem: Option<Vec<u8>>,
    /// `notices.mail.timeout_seconds`: every call ends within it, a second connection included.
    pub timeout: Duration,
}

/// Settings that cannot be honoured.
#[derive(Debug, Error)]
pub enum MailSettingsError {
    /// Not an address.
    #[error("notices.mail.{name} {value:?} is no mail address; write one like 直达 <notice@district.example>")]
    Address {
        /// Of the setting.
        name: &'static str,
        /// As it stands there.
        value: String,
    },
    /// In clear, to somebody else.
    #[error(
        "notices.mail.security = \"none\" would send mails in clear to {host:?}; use \"starttls\" or \"tls\" (none is for this machine, and for the environment sandbox)"
    )]
    InClear {
        /// To whom.
        host: String,
    },
    /// Not names.
    #[error("notices.mail.dkim_domain and dkim_selector must be names of letters, digits, dots and hyphens")]
    DkimName,
    /// Not a key.
    #[error("notices.mail.dkim_key_file cannot be used: {0}")]
    DkimKey(#[source] DkimKeyError),
    /// Not certificates.
    #[error(
        "notices.mail.ca_file holds no certificates in PEM form; leave it out to trust the authorities of the operating system"
    )]
    Roots,
    /// The TLS client could not be built.
    #[error("TLS to the mail server could not be set up: {0}")]
    Tls(String),
}

/// A mail server that is spoken to over SMTP.
pub struct SmtpMail {
    link: Link,
    writer: Writer,
    timeout: Duration,
    kept: Mutex<Vec<(Instant, Connection)>>,
}

impl SmtpMail {
    /// Sets the link up. Nothing is sent.
    ///
    /// # Errors
    /// A setting that cannot be honoured.
    pub fn new(settings: &MailSettings) -> Result<Self, MailSettingsError> {
        let local = matches!(settings.host.as_str(), "127.0.0.1" | "::1" | "localhost");
        if settings.security == Security::None(ClearText::ToThisMachine) && !local {
            return Err(MailSettingsError::InClear { host: settings.host.clone() });
        }
        let writer = Writer::new(settings)?;
        let link = Link {
            host: settings.host.clone(),
            port: settings.port,
            tls: match settings.security {
                Security::StartTls => session::Tls::Required(tls(settings)?),
                Security::Tls => session::Tls::FromTheStart(tls(settings)?),
                Security::None(_) => session::Tls::None,
            },
            hello: ClientId::Domain(writer.domain().to_owned()),
            credentials: settings.credentials.clone().map(|(user, password)| Credentials::new(user, password)),
        };
        Ok(Self { link, writer, timeout: settings.timeout, kept: Mutex::default() })
    }

    /// The freshest of the kept ones; those that were idle for too long go.
    fn take_kept(&self) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(since, _)| since.elapsed() < MAX_IDLE);
        kept.pop().map(|(_, connection)| connection)
    }

    fn keep(&self, connection: Option<Connection>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = connection
            && kept.len() < MAX_KEPT
        {
            kept.push((Instant::now(), connection));
        }
    }
}

#[async_trait]
impl MailProvider for SmtpMail {
    async fn send(&self, mail: &Mail) -> SendOutcome {
        let letter = match self.writer.write(mail, SystemTime::now()) {
            Ok(letter) => letter,
            Err(refused) => return refused,
        };
        let begun = Instant::now();
        let deadline = begun + self.timeout;
        if let Some(connection) = self.take_kept() {
            // A third of the time: a kept connection that is dead without saying so must leave enough for a fresh one.
            let turn = Turn::Kept { patience: begun + self.timeout / 3 };
            match session::hand_in(connection, &letter, turn, deadline).await {
                session::End::Gone => {}
                session::End::Over { outcome, connection } => {
                    self.keep(connection);
                    return outcome;
                }
            }
        }
        let connection = match session::open(&self.link, deadline).await {
            Ok(connection) => connection,
            Err(outcome) => return outcome,
        };
        match session::hand_in(connection, &letter, Turn::Fresh, deadline).await {
            session::End::Over { outcome, connection } => {
                self.keep(connection);
                outcome
            }
            // Only a kept one can turn out to be gone.
            session::End::Gone => SendOutcome::NotConnected { why: "the connection was gone".to_owned() },
        }
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

fn tls(settings: &MailSettings) -> Result<TlsParameters, MailSettingsError> {
    // Another part of the process may have installed it already; it is the only one compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        let holds_one = pem.windows(27).any(|part| part == b"-----BEGIN CERTIFICATE-----");
        let roots = Certificate::from_pem(pem).ok().filter(|_| holds_one).ok_or(MailSettingsError::Roots)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(roots);
    }
    builder.build().map_err(|error| MailSettingsError::Tls(error.to_string()))
}
