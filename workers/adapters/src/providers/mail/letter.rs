//! A mail as it goes over the wire: envelope, headers, two forms of the text, signature. It is the last guard against text that would
//! become a header or a command: whatever comes in, only what is built here goes out.

use super::dkim_key;
use super::smtp::{Dkim, MailSettings, MailSettingsError};
use lettre::address::Address;
use lettre::message::dkim::{DkimCanonicalization, DkimCanonicalizationType, DkimConfig};
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0};
use lettre::message::{Body, Mailbox, Message, MultiPart};
use std::time::SystemTime;
use zhida_core::ports::mail::Mail;
use zhida_core::ports::sms::{RefusalClass, SendOutcome};

/// The header by which a bounce names the attempt it speaks of.
pub(super) const ATTEMPT: &str = "X-Zhida-Attempt";
/// RFC 5321 §4.5.3.1.
const MAX_ADDRESS: usize = 254;
/// Ids are ours: a notice's and its attempts'.
const MAX_ID: usize = 96;
/// What is signed. Those that a mail lacks are signed as absent, so that nobody adds one (RFC 6376 §5.4.2).
const SIGNED: [&str; 11] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// One mail, ready to be handed in.
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

/// Writes letters.
pub(super) struct Writer {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    dkim: Option<DkimConfig>,
}

impl Writer {
    /// Reads addresses and key.
    pub(super) fn new(settings: &MailSettings) -> Result<Self, MailSettingsError> {
        let mailbox = |name: &'static str, text: &str| {
            let plain = text.is_ascii() || text.rsplit('<').next().is_some_and(str::is_ascii);
            let read = if plain && !text.chars().any(char::is_control) { text.parse::<Mailbox>().ok() } else { None };
            read.ok_or_else(|| MailSettingsError::Address { name, value: text.to_owned() })
        };
        Ok(Self {
            from: mailbox("from", &settings.from)?,
            reply_to: settings.reply_to.as_deref().map(|text| mailbox("reply_to", text)).transpose()?,
            dkim: settings.dkim.as_ref().map(signature).transpose()?,
        })
    }

    /// The domain of our own address, in which the ids of our mails are.
    pub(super) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Writes one. What cannot be written safely is refused, as a server would.
    pub(super) fn write(&self, mail: &Mail, now: SystemTime) -> Result<Letter, SendOutcome> {
        let to = recipient(&mail.to)?;
        if !is_id(&mail.message_id) || !is_id(&mail.out_id) {
            return Err(refused(RefusalClass::Content, "id", "an id of ours has characters that no header may carry"));
        }
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(one_line(&mail.subject))
            .date(now)
            .message_id(Some(format!("<{}@{}>", mail.message_id, self.domain())))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header(ATTEMPT, &mail.out_id));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        if let Some(url) = &mail.unsubscribe {
            if !is_url(url) {
                return Err(refused(
                    RefusalClass::Content,
                    "unsubscribe",
                    "the address of unsubscribing is no plain URL",
                ));
            }
            // Whole, for a fold in it would be part of the address to some readers.
            let name = HeaderName::new_from_ascii_str("List-Unsubscribe");
            builder = builder
                .raw_header(HeaderValue::dangerous_new_pre_encoded(name, format!("<{url}>"), format!("<{url}>")))
                .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
        }
        let (kind, body) = both_forms(lines(&mail.text), lines(&mail.html))?;
        let mut message =
            builder.header(MIME_VERSION_1_0).header(kind).body(body).map_err(|error| unwritten(&error))?;
        if let Some(dkim) = &self.dkim {
            message.sign(dkim);
        }
        Ok(Letter { from: self.from.email.clone(), to, bytes: message.formatted() })
    }
}

/// Plain text and HTML as one body with its kind. Put together here, and not by the message's builder, which would keep the kind out of
/// the headers that can be signed; whoever changes where the parts begin would change what is read.
fn both_forms(text: String, html: String) -> Result<(ContentType, Body), SendOutcome> {
    let parts = MultiPart::alternative_plain_html(text, html);
    let kind = parts.headers().get::<ContentType>();
    let written = parts.formatted();
    let begin = written.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
    match (kind, begin) {
        (Some(kind), Some(begin)) => {
            let body = written.get(begin..).unwrap_or_default().to_vec();
            // Its parts are encoded so that everything is ASCII in short lines.
            Ok((kind, Body::dangerous_pre_encoded(body, ContentTransferEncoding::SevenBit)))
        }
        (None, _) | (_, None) => Err(refused(RefusalClass::Content, "form", "the mail could not be put together")),
    }
}

fn unwritten(error: &dyn std::error::Error) -> SendOutcome {
    refused(RefusalClass::Content, "form", &error.to_string())
}

/// Relaxed in both: servers on the way fold headers anew and trim lines.
fn signature(dkim: &Dkim) -> Result<DkimConfig, MailSettingsError> {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|one| one.is_ascii_alphanumeric() || matches!(one, b'.' | b'-' | b'_'))
    };
    if !plain(&dkim.domain) || !plain(&dkim.selector) {
        return Err(MailSettingsError::DkimName);
    }
    let relaxed =
        DkimCanonicalization { header: DkimCanonicalizationType::Relaxed, body: DkimCanonicalizationType::Relaxed };
    Ok(DkimConfig::new(
        dkim.selector.clone(),
        dkim.domain.clone(),
        dkim_key::read(&dkim.key_pem).map_err(MailSettingsError::DkimKey)?,
        SIGNED.iter().map(|name| HeaderName::new_from_ascii_str(name)).collect(),
        relaxed,
    ))
}

/// An address that is safe in a command and in a header: ASCII without blanks, quotes, brackets and commas, one `@`.
fn recipient(text: &str) -> Result<Address, SendOutcome> {
    let safe = |one: u8| one.is_ascii_graphic() && !br#"<>()[]\,;:""#.contains(&one);
    let plain = text.len() <= MAX_ADDRESS && text.bytes().all(safe) && text.matches('@').count() == 1;
    let read = if plain { text.parse::<Address>().ok() } else { None };
    read.ok_or_else(|| refused(RefusalClass::Recipient, "address", "the address is not one that can be written to"))
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|one| one.is_ascii_alphanumeric() || b"._-".contains(&one))
}

fn is_url(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    web && text.len() <= 900 && text.bytes().all(|one| one.is_ascii_graphic() && !b"<>\"\\,".contains(&one))
}

/// A subject is one line of text: control characters, those that end lines among them, are blanks.
fn one_line(text: &str) -> String {
    let blanks =
        text.chars().map(|one| if one.is_control() || matches!(one, '\u{2028}' | '\u{2029}') { ' ' } else { one });
    blanks.collect::<String>().trim().to_owned()
}

/// Lines end one way, and control characters that are no line ends or tabs go: a lone CR or a NUL is read differently by
/// different servers.
fn lines(text: &str) -> String {
    let ended = text.replace("\r\n", "\n").replace('\r', "\n");
    ended.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\t')).collect()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn refused(class: RefusalClass, code: &str, text: &str) -> SendOutcome {
    SendOutcome::Refused { class, code: code.to_owned(), text: text.to_owned() }
}

#[cfg(test)]
mod tests;
