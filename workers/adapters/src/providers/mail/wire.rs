//! The socket under an SMTP session while it is not encrypted. It knows no SMTP.
//!
//! Two things are held here that the client above does not hold. Before encryption begins, bytes are handed up one by one: the
//! client reads ahead, and an answer that somebody slipped in behind the server's "go ahead" to STARTTLS would otherwise
//! be taken for an answer given under encryption. And a server that talks without end is cut off.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first byte of a TLS record that begins a handshake; no SMTP command begins with it.
const HANDSHAKE: u8 = 0x16;
/// What a server may say before we speak again. An answer to EHLO has a few hundred bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// What goes over the wire now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speech {
    Clear,
    Encrypted,
}

/// One connection to a mail server.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    speech: Speech,
    /// Read since the last writing.
    heard: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, speech: Speech::Clear, heard: 0 }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.heard > MAX_ANSWER {
            return Poll::Ready(Err(io::Error::other("the server talks without end")));
        }
        let before = buffer.filled().len();
        match self.speech {
            Speech::Clear => {
                let mut one = [0];
                let mut part = ReadBuf::new(&mut one);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
                buffer.put_slice(part.filled());
            }
            Speech::Encrypted => ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?,
        }
        self.heard += buffer.filled().len() - before;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.first() == Some(&HANDSHAKE) {
            self.speech = Speech::Encrypted;
        }
        self.heard = 0;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
