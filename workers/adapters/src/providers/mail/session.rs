//! One mail's conversation with a server, step by step, so that it is always known how far it came. Until the last byte of the
//! content was written nothing can have been taken in; from then on, only an answer says.

use super::letter::Letter;
use super::smtp_codes::{self, Phase};
use super::wire::Wire;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Response, Severity};
use std::error::Error as _;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use zhida_core::ports::sms::{RefusalClass, SendOutcome};

/// A connection, kept where it does not have to be moved about.
pub(super) type Connection = Box<AsyncSmtpConnection>;

/// Where the server is and who we are to it.
pub(super) struct Link {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) hello: ClientId,
    pub(super) credentials: Option<Credentials>,
}

/// How the way there is protected.
pub(super) enum Tls {
    /// By STARTTLS, or not at all.
    Required(TlsParameters),
    /// From the first byte.
    FromTheStart(TlsParameters),
    /// Not.
    None,
}

/// Which connection a mail is handed in on.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    /// One that was opened for it.
    Fresh,
    /// One that was used before: until then its silence is waited for before it counts as gone.
    Kept {
        /// Until when.
        patience: Instant,
    },
}

/// How handing in ended.
pub(super) enum End {
    /// A kept connection was of no use any more, before anything was handed in.
    Gone,
    /// As it says; the connection comes back if it can be used again.
    Over { outcome: SendOutcome, connection: Option<Connection> },
}

/// What stopped a step.
enum Trouble {
    /// The server said no.
    Answered { reply: u16, text: String },
    /// No answer, none in time, or none that can be read.
    Broken { why: String },
}

/// Connects, protects the way, signs in.
pub(super) async fn open(link: &Link, deadline: Instant) -> Result<Connection, SendOutcome> {
    let mut connection = Box::new(connect(link, deadline).await?);
    if let Some(credentials) = &link.credentials {
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        match timeout_at(deadline, connection.auth(&mechanisms, credentials)).await {
            Ok(Err(error)) if error.is_client() => {
                let text = "the server offers no sign-in by PLAIN or LOGIN".to_owned();
                return Err(SendOutcome::Refused {
                    class: RefusalClass::Account,
                    code: "auth_not_offered".to_owned(),
                    text,
                });
            }
            answer => {
                step(Phase::SigningIn, answer).map_err(|trouble| before_content(Phase::SigningIn, trouble))?;
            }
        }
    }
    Ok(connection)
}

async fn connect(link: &Link, deadline: Instant) -> Result<AsyncSmtpConnection, SendOutcome> {
    let in_time = |seen: Result<Result<AsyncSmtpConnection, Error>, _>| match seen {
        Ok(Err(error)) if is_about_tls(&error) => Err(not_trusted(&error)),
        seen => of_time(Phase::Greeting, seen).map_err(|trouble| before_content(Phase::Greeting, trouble)),
    };
    let address = (link.host.as_str(), link.port);
    if let Tls::FromTheStart(tls) = &link.tls {
        let connecting = AsyncSmtpConnection::connect_tokio1(address, None, &link.hello, Some(tls.clone()), None);
        return in_time(timeout_at(deadline, connecting).await);
    }
    let stream = match timeout_at(deadline, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(SendOutcome::NotConnected { why: error.kind().to_string() }),
        Err(_) => return Err(SendOutcome::NotConnected { why: "no connection in time".to_owned() }),
    };
    // Commands are small and waited for. Without it everything works, only slower.
    let _ = stream.set_nodelay(true);
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(Wire::new(stream)), &link.hello);
    let mut connection = in_time(timeout_at(deadline, greeting).await)?;
    if let Tls::Required(tls) = &link.tls {
        if !connection.can_starttls() {
            // Whether the server has none, or somebody between us takes the offer away: nothing is said in clear, and people look.
            let text = "the server offers no STARTTLS; nothing was sent in clear".to_owned();
            return Err(SendOutcome::Refused { class: RefusalClass::Account, code: "no_starttls".to_owned(), text });
        }
        let upgrade = async {
            connection.starttls(tls.clone(), &link.hello).await?;
            Ok(connection)
        };
        return in_time(timeout_at(deadline, upgrade).await);
    }
    Ok(connection)
}

/// Hands in one mail.
pub(super) async fn hand_in(mut connection: Connection, letter: &Letter, turn: Turn, deadline: Instant) -> End {
    match announce(&mut connection, letter, turn, deadline).await {
        Ok(()) => {}
        Err((phase, trouble)) => {
            let gone = matches!(trouble, Trouble::Broken { .. } | Trouble::Answered { reply: 421, .. });
            if matches!(turn, Turn::Kept { .. }) && gone {
                return End::Gone;
            }
            let answered = matches!(trouble, Trouble::Answered { reply, .. } if reply != 421);
            let connection = if answered { reset(connection, deadline).await } else { None };
            return End::Over { outcome: before_content(phase, trouble), connection };
        }
    }
    let written = AtomicBool::new(false);
    // The client asks for the next part only after it has written the one before; then it writes the end.
    let end = std::iter::from_fn(|| {
        written.store(true, Ordering::Relaxed);
        None
    });
    let content = std::iter::once(letter.bytes.as_slice()).chain(end);
    let answer = timeout_at(deadline, connection.message_iter(content)).await;
    match step(Phase::Content, answer) {
        Ok(response) => {
            let said = smtp_codes::without_addresses(&response.message().collect::<Vec<_>>().join(" "));
            let provider_id = Some(said).filter(|said| !said.is_empty());
            let outcome = SendOutcome::Accepted { provider_id, segments: None };
            End::Over { outcome, connection: Some(connection) }
        }
        Err(Trouble::Answered { reply, text }) => {
            let connection = if reply == 421 { None } else { Some(connection) };
            End::Over { outcome: smtp_codes::refused(Phase::Content, reply, &text), connection }
        }
        Err(Trouble::Broken { why }) if written.load(Ordering::Relaxed) => {
            let why = format!("after the end of the content: {why}");
            End::Over { outcome: SendOutcome::Doubtful { why }, connection: None }
        }
        Err(trouble) => End::Over { outcome: before_content(Phase::Content, trouble), connection: None },
    }
}

/// Everything before the content: sender, recipient, and the server's "go ahead".
async fn announce(
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
    turn: Turn,
    deadline: Instant,
) -> Result<(), (Phase, Trouble)> {
    let until = match turn {
        Turn::Fresh => deadline,
        Turn::Kept { patience } => patience,
    };
    let sender = Mail::new(Some(letter.from.clone()), Vec::new());
    say(connection, Phase::Sender, sender, until).await?;
    say(connection, Phase::Recipient, Rcpt::new(letter.to.clone(), Vec::new()), until).await?;
    let answer = timeout_at(until, connection.command(Data)).await;
    let answer = of_time(Phase::Content, answer).map_err(|trouble| (Phase::Content, trouble))?;
    if answer.has_code(354) {
        return Ok(());
    }
    // Somewhere an answer too many was given, so none can be relied on.
    let why = format!("DATA was answered with {}", answer.code());
    Err((Phase::Content, Trouble::Broken { why }))
}

async fn say<C: Display>(
    connection: &mut AsyncSmtpConnection,
    phase: Phase,
    command: C,
    until: Instant,
) -> Result<Response, (Phase, Trouble)> {
    step(phase, timeout_at(until, connection.command(command)).await).map_err(|trouble| (phase, trouble))
}

/// After a refusal the connection is good for the next mail, unless it says otherwise.
async fn reset(mut connection: Connection, deadline: Instant) -> Option<Connection> {
    match timeout_at(deadline, connection.command(Rset)).await {
        Ok(Ok(_)) => Some(connection),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// A step is done by a positive answer, and by no other.
fn step<E>(phase: Phase, seen: Result<Result<Response, Error>, E>) -> Result<Response, Trouble> {
    let response = of_time(phase, seen)?;
    if response.code().severity == Severity::PositiveCompletion {
        return Ok(response);
    }
    Err(Trouble::Broken { why: format!("{} was answered with {}", phase.name(), response.code()) })
}

fn of_time<T, E>(phase: Phase, seen: Result<Result<T, Error>, E>) -> Result<T, Trouble> {
    match seen {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(trouble(&error)),
        Err(_) => Err(Trouble::Broken { why: format!("no answer to {} in time", phase.name()) }),
    }
}

fn trouble(error: &Error) -> Trouble {
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    match error.status() {
        Some(code) => Trouble::Answered { reply: code.into(), text: source },
        None => Trouble::Broken { why: smtp_codes::without_addresses(&format!("{error}")) },
    }
}

/// Nothing was handed in.
fn before_content(phase: Phase, trouble: Trouble) -> SendOutcome {
    match trouble {
        Trouble::Answered { reply, text } => smtp_codes::refused(phase, reply, &text),
        Trouble::Broken { why } => SendOutcome::NotConnected { why: format!("before the end of the content: {why}") },
    }
}

/// Whether the two ends do not trust each other: no matter of waiting, people have to look.
fn is_about_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(one) = cause {
        let within = one
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref())
            .is_some_and(|inner| inner.is::<rustls::Error>());
        if within || one.is::<rustls::Error>() {
            return true;
        }
        cause = one.source();
    }
    error.is_tls()
}

fn not_trusted(error: &Error) -> SendOutcome {
    SendOutcome::Refused {
        class: RefusalClass::Account,
        code: "tls".to_owned(),
        text: smtp_codes::without_addresses(&format!("TLS did not come about: {error}")),
    }
}
