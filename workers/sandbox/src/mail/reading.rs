//! A kept mail, read: what tests and the demo look for in a mailbox.

use super::KeptMail;
use mail_parser::{HeaderValue, MessageParser};

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

    /// Its plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let read = MessageParser::default().parse(&self.bytes);
        read.as_ref().and_then(|mail| mail.body_text(0)).unwrap_or_default().into_owned()
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
}
