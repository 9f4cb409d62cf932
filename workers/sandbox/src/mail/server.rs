//! The conversation of the mail server: as much of RFC 5321 as a careful client needs, one task a connection.

use super::faults::{MailFault, MailStage};
use super::{MailHandle, bounce};
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A longer line or mail ends the connection.
const MAX_MAIL: usize = 10 * 1024 * 1024;

/// Takes connections until it is aborted, and they with it.
pub(super) async fn accept(listener: TcpListener, handle: MailHandle) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let number = handle.change(|mailbox| { mailbox.connections += 1; mailbox.connections });
                    sessions.spawn(Session::new(stream, number, handle.clone()).hold());
                }
                Err(error) => tracing::warn!(%error, "the sandbox's mail server could not take a connection"),
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

/// What follows an answer.
enum Next {
    GoOn,
    Close,
    Cut,
}

struct Session {
    stream: BufReader<TcpStream>,
    number: u64,
    handle: MailHandle,
    signed_in: bool,
    from: Option<String>,
    to: Vec<String>,
    fault: Option<MailFault>,
}

impl Session {
    fn new(stream: TcpStream, number: u64, handle: MailHandle) -> Self {
        Self {
            stream: BufReader::new(stream),
            number,
            handle,
            signed_in: false,
            from: None,
            to: Vec::new(),
            fault: None,
        }
    }

    async fn hold(mut self) {
        // A client that goes away in the middle is what it is.
        let ended = self.converse().await;
        if let Ok(Next::Cut) = ended {
            // A reset, as from a machine that dies.
            let _ = self.stream.get_ref().set_zero_linger();
        }
    }

    async fn converse(&mut self) -> io::Result<Next> {
        self.fault = self.handle.mailbox().script.for_connection();
        match self.meet(MailStage::Connect).await? {
            Some(next) => return Ok(next),
            None => self.say("220 sandbox.zhida.invalid ESMTP").await?,
        }
        loop {
            let Some(line) = self.line().await? else { return Ok(Next::Close) };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            // A password is nothing to keep.
            let heard = if verb == "AUTH" { verb.clone() } else { line.clone() };
            self.handle.change(|mailbox| mailbox.heard.push((self.number, heard)));
            let next = match verb.as_str() {
                "EHLO" => self.hello().await?,
                "AUTH" => self.sign_in(&line).await?,
                "HELO" | "NOOP" => self.answer("250 2.0.0 ok").await?,
                "RSET" => {
                    self.forget();
                    self.answer("250 2.0.0 ok").await?
                }
                "MAIL" => self.sender(&line).await?,
                "RCPT" => self.recipient(&line).await?,
                "DATA" => self.data().await?,
                "QUIT" => {
                    self.say("221 2.0.0 bye").await?;
                    Next::Close
                }
                _ => self.answer("502 5.5.1 not known here").await?,
            };
            if !matches!(next, Next::GoOn) {
                return Ok(next);
            }
        }
    }

    async fn hello(&mut self) -> io::Result<Next> {
        let auth = if self.handle.0.sign_in.is_some() { "250-AUTH PLAIN\r\n" } else { "" };
        self.answer(&format!("250-sandbox.zhida.invalid\r\n{auth}250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")).await
    }

    async fn sign_in(&mut self, line: &str) -> io::Result<Next> {
        let given = line.split_whitespace().nth(2);
        self.signed_in = given.is_some() && given == self.handle.0.sign_in.as_deref();
        let answer = if self.signed_in { "235 2.7.0 ok" } else { "535 5.7.8 authentication failed" };
        self.answer(answer).await
    }

    async fn sender(&mut self, line: &str) -> io::Result<Next> {
        let Some(address) = within_brackets(line) else { return self.answer("501 5.5.4 MAIL FROM:<address>").await };
        if self.handle.0.sign_in.is_some() && !self.signed_in {
            return self.answer("530 5.7.0 authentication required").await;
        }
        self.forget();
        self.fault = self.handle.mailbox().script.for_mail();
        if let Some(next) = self.meet(MailStage::Sender).await? {
            return Ok(next);
        }
        self.from = Some(address);
        self.answer("250 2.1.0 ok").await
    }

    async fn recipient(&mut self, line: &str) -> io::Result<Next> {
        let Some(address) = within_brackets(line) else { return self.answer("501 5.5.4 RCPT TO:<address>").await };
        if self.from.is_none() {
            return self.answer("503 5.5.1 MAIL first").await;
        }
        if let Some(next) = self.meet(MailStage::Recipient).await? {
            return Ok(next);
        }
        let refused = self.handle.mailbox().script.for_address(&address);
        if let Some((code, text)) = refused {
            return self.answer(&format!("{code} {text}")).await;
        }
        self.to.push(address);
        self.answer("250 2.1.5 ok").await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self.to.is_empty() {
            return self.answer("503 5.5.1 RCPT first").await;
        }
        if let Some(next) = self.meet(MailStage::Data).await? {
            return Ok(next);
        }
        self.say("354 go ahead").await?;
        let Some(content) = self.content().await? else { return Ok(Next::Close) };
        if let Some(next) = self.meet(MailStage::Content).await? {
            return Ok(next);
        }
        let from = self.from.clone().unwrap_or_default();
        let mail = self.handle.keep(&from, &self.to, content);
        let fault = self.fault.take();
        self.forget();
        let taken = format!("250 2.0.0 queued as {}", mail.id);
        match fault {
            Some(MailFault::KeepAndHang) => self.silence().await,
            Some(MailFault::KeepAndCut) => Ok(Next::Cut),
            Some(MailFault::KeepAndGarble) => self.answer("HTTP/1.1 200 OK").await,
            Some(MailFault::CloseIdle) => {
                self.say(&taken).await?;
                self.say("421 4.4.2 idle for too long").await?;
                Ok(Next::Close)
            }
            Some(MailFault::CutIdle) => {
                self.say(&taken).await?;
                Ok(Next::Close)
            }
            Some(MailFault::AnswerTwice) => self.answer(&format!("{taken}\r\n{taken}")).await,
            Some(MailFault::Bounce { status }) => {
                if let Some(directory) = &self.handle.0.bounces_dir {
                    bounce::report(directory, &mail, &status).await?;
                }
                self.answer(&taken).await
            }
            // Those of stages were met on the way.
            None | Some(MailFault::Refuse { .. } | MailFault::Hang { .. } | MailFault::Cut { .. }) => {
                self.answer(&taken).await
            }
        }
    }

    /// Carries out the fault of this stage, if it is this stage's. None: on as it should.
    async fn meet(&mut self, stage: MailStage) -> io::Result<Option<Next>> {
        match self.fault.clone() {
            Some(MailFault::Refuse { at, code, text }) if at == stage => {
                self.forget();
                let next = self.answer(&format!("{code} {text}")).await?;
                let closes = stage == MailStage::Connect || code == 421;
                Ok(Some(if closes { Next::Close } else { next }))
            }
            Some(MailFault::Hang { at }) if at == stage => self.silence().await.map(Some),
            Some(MailFault::Cut { at }) if at == stage => Ok(Some(Next::Cut)),
            Some(_) | None => Ok(None),
        }
    }

    fn forget(&mut self) {
        self.from = None;
        self.to.clear();
        self.fault = None;
    }

    /// Says nothing until the client goes away.
    async fn silence(&mut self) -> io::Result<Next> {
        while self.line().await?.is_some() {}
        Ok(Next::Close)
    }

    async fn answer(&mut self, text: &str) -> io::Result<Next> {
        self.say(text).await?;
        Ok(Next::GoOn)
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await
    }

    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if line.len() > MAX_MAIL {
            return Err(io::Error::other("a line without end"));
        }
        Ok(Some(line).filter(|line| line.ends_with(b"\n")))
    }

    /// Everything to the line that holds a dot alone. None: the client went away before it.
    async fn content(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut content = Vec::new();
        loop {
            let Some(line) = self.line().await? else { return Ok(None) };
            if line == b".\r\n" {
                return Ok(Some(content));
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if content.len() > MAX_MAIL {
                return Err(io::Error::other("a mail without end"));
            }
        }
    }
}

fn within_brackets(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
