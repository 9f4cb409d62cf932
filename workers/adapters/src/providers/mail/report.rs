//! What one mail that came back says about one of ours: reports of RFC 3464, the plain ones of qmail, and those that only return our
//! mail with a text. It reads no folder.
//!
//! Ours is what returns a `Message-ID` of our domain. Whom the bounce speaks of is read from the returned `To`, which names the
//! address we wrote to, even when somebody forwarded it elsewhere.

use super::letter::ATTEMPT;
use super::smtp_codes::{self, Enhanced, Phase};
use mail_parser::{Message, MessageParser, PartType};
use zhida_core::ports::sms::{DeliveryWord, Receipt, RefusalClass};

/// qmail's words before the copy of what it returns.
const QMAIL_COPY: &str = "--- Below this line is a copy of the message.";

/// Reads a mail. None: it is no bounce of a mail of `domain` (an answer of somebody's, a bounce of another sender's mail).
pub(super) fn read(bytes: &[u8], domain: &str) -> Option<Receipt> {
    // Strangers write what comes in here, and the library stumbles over some of it where debug assertions are on: then one mail
    // cannot be read, and the others of its folder can.
    std::panic::catch_unwind(|| read_whole(bytes, domain)).unwrap_or(None)
}

fn read_whole(bytes: &[u8], domain: &str) -> Option<Receipt> {
    let mail = MessageParser::default().parse(bytes)?;
    if let Some(status) = part(&mail, "message", "delivery-status") {
        let returned = returned(&mail);
        let fields = Fields::of(&status);
        return receipt(&returned?, &fields.word(), domain);
    }
    // Without a report only a mail system's own word counts; an answer of a person or of their holiday quotes our mail as well.
    if !is_from_a_mail_system(&mail) {
        return None;
    }
    let text = text(&mail);
    let (said, returned) = match text.split_once(QMAIL_COPY) {
        Some((said, copy)) => (said.to_owned(), Some(Returned::of(copy.trim_start().as_bytes())?)),
        None => (text.clone(), returned(&mail)),
    };
    receipt(&returned?, &undelivered(said_code(&said)), domain)
}

fn receipt(returned: &Returned, word: &DeliveryWord, domain: &str) -> Option<Receipt> {
    let (id, at) = returned.message_id.rsplit_once('@')?;
    if !at.eq_ignore_ascii_case(domain) || !is_id(id) {
        return None;
    }
    let named = returned.attempt.clone().filter(|attempt| is_id(attempt) && attempt.starts_with(id));
    let out_id = named.unwrap_or_else(|| format!("{id}-m1"));
    Some(Receipt { out_id, provider_id: None, to: returned.to.clone(), word: word.clone() })
}

/// The headers of our mail as they came back.
struct Returned {
    message_id: String,
    attempt: Option<String>,
    to: Option<String>,
}

impl Returned {
    fn of(bytes: &[u8]) -> Option<Self> {
        Self::in_headers(&MessageParser::default().parse_headers(bytes)?)
    }

    fn in_headers(mail: &Message<'_>) -> Option<Self> {
        let to = mail.to().and_then(|to| to.first()).and_then(|one| one.address());
        Some(Self {
            message_id: mail.message_id()?.to_owned(),
            attempt: mail.header_raw(ATTEMPT).map(|attempt| attempt.trim().to_owned()),
            to: to.map(str::to_owned),
        })
    }
}

/// Our mail within a bounce: whole, or its headers.
fn returned(mail: &Message<'_>) -> Option<Returned> {
    mail.parts.iter().find_map(|part| match &part.body {
        PartType::Message(within) => Returned::in_headers(within),
        PartType::Text(_)
        | PartType::Html(_)
        | PartType::Binary(_)
        | PartType::InlineBinary(_)
        | PartType::Multipart(_) => {
            let kind = mail_parser::MimeHeaders::content_type(part)?;
            let headers = kind.subtype().is_some_and(|name| name.eq_ignore_ascii_case("rfc822-headers"));
            if headers { Returned::of(part.contents()) } else { None }
        }
    })
}

fn part(mail: &Message<'_>, kind: &str, subtype: &str) -> Option<Vec<u8>> {
    let found = mail.parts.iter().find(|part| {
        mail_parser::MimeHeaders::content_type(*part).is_some_and(|read| {
            read.ctype().eq_ignore_ascii_case(kind)
                && read.subtype().is_some_and(|name| name.eq_ignore_ascii_case(subtype))
        })
    })?;
    Some(found.contents().to_vec())
}

/// One recipient's group of a delivery report. We write to one recipient a mail.
#[derive(Default)]
struct Fields {
    action: String,
    status: Option<Enhanced>,
    diagnostic: String,
}

impl Fields {
    /// The group that has an action; a failed one before any other.
    fn of(report: &[u8]) -> Self {
        let text = String::from_utf8_lossy(report).replace("\r\n", "\n");
        let mut groups: Vec<Self> =
            text.split("\n\n").map(Self::group).filter(|group| !group.action.is_empty()).collect();
        let failed = groups.iter().position(|group| group.action == "failed").unwrap_or(0);
        if groups.is_empty() { Self::default() } else { groups.swap_remove(failed) }
    }

    fn group(text: &str) -> Self {
        let mut fields = Self::default();
        // A line that begins with a blank goes on with the one before.
        for line in text.replace("\n ", " ").replace("\n\t", " ").lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "action" => fields.action = value.split_whitespace().next().unwrap_or_default().to_ascii_lowercase(),
                "status" => fields.status = value.split_whitespace().next().and_then(Enhanced::read),
                "diagnostic-code" => {
                    fields.diagnostic = value.split_once(';').map_or(value, |(_, said)| said).trim().to_owned()
                }
                _ => {}
            }
        }
        fields
    }

    fn word(&self) -> DeliveryWord {
        match self.action.as_str() {
            "failed" => {
                let said = said_code(&self.diagnostic);
                let status = self.status.filter(|Enhanced(_, subject, detail)| (*subject, *detail) != (0, 0));
                undelivered(Said { enhanced: status.or(said.enhanced).or(self.status), ..said })
            }
            // Delayed; handed on to where no reports come from; a word that we do not know. Or "delivered": anybody can write that, and a
            // mail is never more than sent.
            _ => DeliveryWord::OnTheWay,
        }
    }
}

/// What a mail system gave for a reason.
struct Said {
    reply: Option<u16>,
    enhanced: Option<Enhanced>,
    text: String,
}

/// The first reply code and the first enhanced code in a text.
fn said_code(text: &str) -> Said {
    let words = || text.split_whitespace();
    let reply = |word: &str| {
        let digits = word.trim_start_matches('#').split(['-', ':', ',']).next().unwrap_or_default();
        digits.parse::<u16>().ok().filter(|code| digits.len() == 3 && (400..600).contains(code))
    };
    let enhanced = |word: &str| {
        // `550-5.1.1` stands in one word.
        let word = word.split_once('-').filter(|(head, _)| head.len() == 3).map_or(word, |(_, rest)| rest);
        Enhanced::read(word).filter(|Enhanced(class, ..)| *class != 2)
    };
    Said {
        reply: words().find_map(reply),
        enhanced: words().find_map(enhanced),
        text: smtp_codes::without_addresses(text),
    }
}

fn undelivered(said: Said) -> DeliveryWord {
    let by_reply = |reply| smtp_codes::class_of(Phase::Recipient, reply, said.enhanced);
    let class = match (said.enhanced.and_then(smtp_codes::class_of_enhanced), said.reply) {
        (Some(class), _) => class,
        (None, Some(reply)) => by_reply(reply),
        // They gave up for a reason that nobody can read: people have to look.
        (None, None) => RefusalClass::Content,
    };
    let code = match (said.reply, said.enhanced) {
        (_, Some(Enhanced(class, subject, detail))) => format!("{class}.{subject}.{detail}"),
        (Some(reply), None) => reply.to_string(),
        (None, None) => "bounced".to_owned(),
    };
    DeliveryWord::Undelivered { class, code, text: said.text }
}

fn is_from_a_mail_system(mail: &Message<'_>) -> bool {
    let from = mail.from().and_then(|from| from.first()).and_then(|one| one.address()).unwrap_or_default();
    let local = from.split('@').next().unwrap_or_default().to_ascii_lowercase();
    matches!(local.as_str(), "mailer-daemon" | "postmaster" | "mail-daemon")
}

/// Every text that is not our own mail, as plain text.
fn text(mail: &Message<'_>) -> String {
    let pages = (0..mail.text_body_count()).filter_map(|page| mail.body_text(page));
    pages.map(|page| page.replace("\r\n", "\n")).collect::<Vec<_>>().join("\n")
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 96 && text.bytes().all(|one| one.is_ascii_alphanumeric() || b"._-".contains(&one))
}

#[cfg(test)]
mod tests;
