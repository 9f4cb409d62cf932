//! A kept mail, read: what tests and the demo look for in a mailbox.

use super::KeptMail;
use mail_parser::{Addr, HeaderValue, MessageParser};

impl KeptMail {
    /// The first header of that name, decoded; none where there is none, or it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let read = MessageParser::default().parse(&self.bytes)?;
        match read.header(name)? {
            HeaderValue::Text(text) => Some(text.trim().to_owned()),
            _ => None,
        }
    }

    /// The first header of that name on one line, as a mail program shows it: encoded words are read, everything else stands as it came.
    /// None where there is none.
    #[must_use]
    pub fn header_line(&self, name: &str) -> Option<String> {
        let read = MessageParser::default().parse(&self.bytes)?;
        let raw = read.header_raw(name)?;
        let words = match read.header(name)? {
            HeaderValue::Text(text) if is_encoded(raw) => text.to_string(),
            HeaderValue::Address(address) if is_encoded(raw) => {
                address.iter().map(shown).collect::<Vec<_>>().join(", ")
            }
            _ => raw.to_owned(),
        };
        Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Its plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let read = MessageParser::default().parse(&self.bytes);
        read.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default().into_owned()
    }
}

/// It holds encoded words (RFC 2047).
fn is_encoded(raw: &str) -> bool {
    raw.contains("=?")
}

/// `name <address>`, as far as there is either.
fn shown(one: &Addr<'_>) -> String {
    match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::KeptMail;

    #[test]
    fn headers_and_text_are_read() {
        let bytes = "From: a@example.com\r\nMessage-ID: <n-1@example.com>\r\nSubject: =?utf-8?b?5Yiw6LSm?=\r\n\
            X-Zhida-Attempt: n-1-m1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n到账\r\n";
        let mail = KeptMail {
            id: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            from: String::new(),
            to: Vec::new(),
            bytes: bytes.as_bytes().to_vec(),
        };
        assert_eq!(mail.header("X-Zhida-Attempt").as_deref(), Some("n-1-m1"));
        assert_eq!(mail.header("Message-ID").as_deref(), Some("n-1@example.com"));
        assert_eq!(mail.header("Subject").as_deref(), Some("到账"));
        assert_eq!(mail.header("X-Nothing"), None);
        assert_eq!(mail.text().trim(), "到账");
    }

    #[test]
    fn a_header_is_shown_on_one_line_with_its_words_read() {
        let bytes = "From: =?utf-8?b?5LqR5bKr?= <zhida@example.com>\r\nTo: a@example.com,\r\n b@example.com\r\n\
            Subject: =?utf-8?b?5Yiw?=\r\n =?utf-8?b?6LSm?=\r\nDate: Thu, 26 Nov 2026 08:30:00 +0800\r\n\
            List-Unsubscribe:\r\n <https://zhida.example/u/n-1/KEY>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
            DKIM-Signature: v=1; d=example.com;\r\n\tb=abc\r\nAuto-Submitted: auto-generated\r\n\r\nText\r\n";
        let mail = KeptMail {
            id: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            from: String::new(),
            to: Vec::new(),
            bytes: bytes.as_bytes().to_vec(),
        };
        for (name, value) in [
            ("From", Some("云岫 <zhida@example.com>")),
            ("To", Some("a@example.com, b@example.com")),
            ("Subject", Some("到账")),
            ("Date", Some("Thu, 26 Nov 2026 08:30:00 +0800")),
            ("List-Unsubscribe", Some("<https://zhida.example/u/n-1/KEY>")),
            ("List-Unsubscribe-Post", Some("List-Unsubscribe=One-Click")),
            ("DKIM-Signature", Some("v=1; d=example.com; b=abc")),
            ("Auto-Submitted", Some("auto-generated")),
            ("Reply-To", None),
        ] {
            assert_eq!(mail.header_line(name).as_deref(), value, "{name}");
        }
    }
}
