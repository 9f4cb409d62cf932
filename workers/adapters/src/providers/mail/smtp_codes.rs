//! What a mail server's refusals mean: reply codes (RFC 5321 §4.2), enhanced codes (RFC 3463 and IANA's registry) and where in the
//! conversation they were said. The one table of mail; the same serves bounces. It sends nothing.

use zhida_core::ports::sms::{RefusalClass, SendOutcome};

/// Longer texts are cut.
const MAX_TEXT: usize = 200;

/// Where in a conversation a server refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// At the greeting, EHLO or STARTTLS: it does not want to speak to us.
    Greeting,
    /// At AUTH.
    SigningIn,
    /// At MAIL: our own address, or us.
    Sender,
    /// At RCPT: theirs.
    Recipient,
    /// At DATA, or after the last byte: what was written.
    Content,
}

impl Phase {
    /// The command, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::SigningIn => "AUTH",
            Self::Sender => "MAIL",
            Self::Recipient => "RCPT",
            Self::Content => "DATA",
        }
    }
}

/// An enhanced code, `5.1.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Enhanced(pub(super) u16, pub(super) u16, pub(super) u16);

impl Enhanced {
    /// The one that a text begins with.
    pub(super) fn leading(text: &str) -> Option<Self> {
        text.split_whitespace().next().and_then(Self::read)
    }

    /// Reads `5.1.1`, also in the brackets and with the mark that qmail puts around it, `(#5.1.1)`.
    pub(super) fn read(word: &str) -> Option<Self> {
        let word = word.trim_start_matches(['(', '[', '#']).trim_end_matches([')', ']', ',', ';', ':', '.']);
        let mut numbers = word.split('.').map(|number| number.parse::<u16>().ok().filter(|_| number.len() <= 3));
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && matches!(class, 2 | 4 | 5)).then_some(Self(class, subject, detail))
    }
}

/// What a refusal with this reply code, at this place, means.
pub(super) fn class_of(phase: Phase, reply: u16, enhanced: Option<Enhanced>) -> RefusalClass {
    if reply < 500 {
        return RefusalClass::Busy;
    }
    match phase {
        Phase::Greeting | Phase::SigningIn => RefusalClass::Account,
        Phase::Sender | Phase::Recipient | Phase::Content => match (reply, enhanced) {
            (530 | 534 | 535 | 538, _) => RefusalClass::Account,
            (_, Some(enhanced)) => class_of_enhanced(enhanced).unwrap_or_else(|| class_by_place(phase, reply)),
            (_, None) => class_by_place(phase, reply),
        },
    }
}

/// By the enhanced code alone. None: it says nothing of its own (`5.0.0`, `5.5.0`).
pub(super) fn class_of_enhanced(enhanced: Enhanced) -> Option<RefusalClass> {
    let class = match enhanced {
        // Temporary, whatever it is.
        Enhanced(2 | 4, _, _) => RefusalClass::Busy,
        // Our own address.
        Enhanced(_, 1, 7 | 8) => RefusalClass::Account,
        // Addresses: unknown, badly written, moved, without a mail server.
        Enhanced(_, 1, _) => RefusalClass::Recipient,
        // Mailboxes: full for now; too small for this one; there, and closed for now (RFC 3463: it may be for good, or not).
        Enhanced(_, 2, 2) => RefusalClass::Busy,
        Enhanced(_, 2, 3) => RefusalClass::Content,
        Enhanced(_, 2, _) => RefusalClass::Unreachable,
        // Their system: full; takes no mail; cannot take one so large.
        Enhanced(_, 3, 1) => RefusalClass::Busy,
        Enhanced(_, 3, 2) => RefusalClass::Account,
        Enhanced(_, 3, 3 | 4 | 6) => RefusalClass::Content,
        // The way, which is mended or not: nobody answers there (also Exchange's "access denied", whatever it was for); no way; a loop.
        Enhanced(_, 4, 1 | 2 | 4 | 6) => RefusalClass::Unreachable,
        // It was tried for as long as they try.
        Enhanced(_, 4, _) => RefusalClass::Busy,
        // Media.
        Enhanced(_, 6, _) => RefusalClass::Content,
        // Security: who we are; the mailbox has another owner; what we wrote, or may write.
        Enhanced(_, 7, 4 | 5 | 8 | 9 | 11 | 12 | 13 | 14 | 60) => RefusalClass::Account,
        Enhanced(_, 7, 17) => RefusalClass::Recipient,
        Enhanced(_, 7, _) => RefusalClass::Content,
        Enhanced(..) => return None,
    };
    Some(class)
}

fn class_by_place(phase: Phase, reply: u16) -> RefusalClass {
    match (phase, reply) {
        // Out of room for now (RFC 5321); 522 is what some write for a full mailbox.
        (_, 552 | 522 | 452) => RefusalClass::Busy,
        (Phase::Greeting | Phase::SigningIn | Phase::Sender, _) => RefusalClass::Account,
        // A mailbox that is not there, not local, not allowed as written; a server that takes no mail (RFC 7504).
        (Phase::Recipient, 501 | 510 | 511 | 521 | 550 | 551 | 553 | 556) => RefusalClass::Recipient,
        (Phase::Recipient | Phase::Content, _) => RefusalClass::Content,
    }
}

/// A refusal as the core wants it.
pub(super) fn refused(phase: Phase, reply: u16, text: &str) -> SendOutcome {
    let enhanced = Enhanced::leading(text);
    let code = match enhanced {
        Some(Enhanced(class, subject, detail)) => format!("{reply} {class}.{subject}.{detail}"),
        None => reply.to_string(),
    };
    SendOutcome::Refused {
        class: class_of(phase, reply, enhanced),
        code,
        text: format!("{}: {}", phase.name(), without_addresses(text)),
    }
}

/// A server's words in one line, without what looks like an address, and not too many.
pub(super) fn without_addresses(text: &str) -> String {
    let words = text.split(|one: char| one.is_whitespace() || one.is_control()).filter(|word| !word.is_empty());
    let kept: Vec<&str> = words.map(|word| if word.contains(['@', '＠']) { "…" } else { word }).collect();
    kept.join(" ").chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::{Enhanced, Phase, class_of, refused, without_addresses};
    use zhida_core::ports::sms::{RefusalClass, SendOutcome};

    #[test]
    fn every_refusal_has_its_class() {
        use Phase::{Content, Greeting, Recipient, Sender, SigningIn};
        use RefusalClass as Class;
        let table: [(Phase, u16, &str, Class); 39] = [
            (Greeting, 421, "4.7.0 too many connections", Class::Busy),
            (Greeting, 554, "5.7.1 no service for you", Class::Account),
            (SigningIn, 535, "5.7.8 Error: authentication failed", Class::Account),
            (SigningIn, 535, "Error: authentication failed", Class::Account),
            (SigningIn, 454, "4.7.0 Temporary authentication failure", Class::Busy),
            (Sender, 530, "5.7.0 Must issue a STARTTLS command first", Class::Account),
            (Sender, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", Class::Account),
            (Sender, 553, "Mail from must equal authorized user", Class::Account),
            (Sender, 553, "5.1.8 sender rejected", Class::Account),
            (Sender, 552, "5.3.4 Message size exceeds fixed limit", Class::Content),
            (Sender, 451, "4.3.0 try later", Class::Busy),
            (Recipient, 550, "5.1.1 User unknown", Class::Recipient),
            (Recipient, 550, "User not found: somebody", Class::Recipient),
            (Recipient, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", Class::Recipient),
            (Recipient, 550, "5.4.1 Recipient address rejected: Access denied", Class::Unreachable),
            (Recipient, 554, "5.4.4 unable to route", Class::Unreachable),
            (Recipient, 556, "5.1.10 nullMX", Class::Recipient),
            (Recipient, 550, "5.2.1 mailbox disabled", Class::Unreachable),
            (Recipient, 553, "5.1.3 bad address syntax", Class::Recipient),
            (Recipient, 551, "user not local", Class::Recipient),
            (Recipient, 550, "5.7.17 owner changed", Class::Recipient),
            (Recipient, 552, "5.2.2 mailbox full", Class::Busy),
            (Recipient, 522, "mailbox full", Class::Busy),
            (Recipient, 552, "mailbox full", Class::Busy),
            (Recipient, 450, "4.2.0 greylisted", Class::Busy),
            (Recipient, 450, "4.1.1 cannot be verified now", Class::Busy),
            (Recipient, 452, "4.5.3 too many recipients", Class::Busy),
            (Recipient, 554, "5.7.1 Relay access denied", Class::Content),
            (Recipient, 530, "5.7.0 authentication required", Class::Account),
            (Content, 554, "5.7.1 spam", Class::Content),
            (Content, 554, "DT:SPM", Class::Content),
            (Content, 550, "Mail content denied", Class::Content),
            (Content, 550, "5.7.26 unauthenticated mail is prohibited", Class::Content),
            (Content, 554, "5.6.0 malformed", Class::Content),
            (Content, 552, "5.2.3 longer than the mailbox takes", Class::Content),
            (Content, 552, "storage exceeded", Class::Busy),
            (Content, 451, "4.3.0 queue file write error", Class::Busy),
            (Content, 554, "5.0.0 unclear", Class::Content),
            (Content, 550, "5.1.1 told late", Class::Recipient),
        ];
        for (phase, reply, text, class) in table {
            assert_eq!(class_of(phase, reply, Enhanced::leading(text)), class, "{phase:?} {reply} {text}");
        }
    }

    #[test]
    fn a_refusal_names_its_code_and_no_address() {
        let outcome = refused(Phase::Recipient, 550, "5.1.1 <a.b@example.com>: Recipient\r\naddress rejected");
        let (class, code) = (RefusalClass::Recipient, "550 5.1.1".to_owned());
        let text = "RCPT: 5.1.1 … Recipient address rejected".to_owned();
        assert_eq!(outcome, SendOutcome::Refused { class, code, text });
        assert_eq!(without_addresses(&"字".repeat(500)).chars().count(), 200);
        assert_eq!(Enhanced::read("(#5.1.1)"), Some(Enhanced(5, 1, 1)), "as qmail writes it");
        for word in ["10.1.1", "5.1", "5.1.1.1", "127.0.0.1", "5.x.1", "5.1.1111"] {
            assert_eq!(Enhanced::read(word), None, "{word}");
        }
    }
}
