//! The byte stream under lapin. It can be cut from outside at once and for certain, whatever lapin's thread waits for
//! (a socket that takes no more bytes would hold that thread and the connection for good), and what it reads goes
//! through the [`Sieve`]. TLS lies below.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio, TokioRuntime};
use futures_util::io::{AsyncRead, AsyncWrite};
use futures_util::task::AtomicWaker;
use futures_util::{FutureExt, Stream};
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream, OwnedTLSConfig};
use lapin::{Connection, ConnectionProperties};

use super::RabbitSettings;
use super::sieve::Sieve;

/// How many bytes are asked of the socket at a time.
const READ_BYTES: usize = 32 * 1024;

/// A lapin connection over a [`Wire`] that ends when `scissors` cut.
pub(super) async fn connect(settings: &RabbitSettings, scissors: &Arc<Scissors>) -> lapin::Result<Connection> {
    let properties =
        ConnectionProperties::default().with_connection_name(settings.connection_name.clone().into_bytes().into());
    let tls = OwnedTLSConfig { identity: None, cert_chain: settings.trusted_certificates.clone() };
    let (scissors, limit) = (Arc::clone(scissors), settings.step_timeout);
    let open = async move |uri: lapin::uri::AMQPUri, _: WireRuntime| {
        let sockets = TokioRuntime::tokio_current();
        let opened = uri.connect_with_config_async(tls.as_ref(), &sockets);
        let inner = match tokio::time::timeout(limit, opened).await {
            Ok(opened) => opened?,
            Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        let wire = Wire { inner, scissors: Arc::clone(&scissors), sieve: Sieve::default() };
        Ok(AsyncTcpStream::Plain(wire))
    };
    let runtime = Runtime::new(RuntimeParts::new(Tokio::current(), WireReactor(Tokio::current())));
    Connection::connector(settings.uri.clone(), runtime, open, properties).await
}

/// Cuts a wire.
#[derive(Default)]
pub(super) struct Scissors {
    cut: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Scissors {
    /// Every read and write from now on fails; the socket closes as soon as lapin's thread has seen it.
    pub(super) fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
    }

    fn check(&self, waiting: &AtomicWaker, context: &Context<'_>) -> io::Result<()> {
        waiting.register(context.waker());
        if self.cut.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// See the head of this file.
pub(super) struct Wire {
    inner: AsyncTcpStream<<Tokio as Reactor>::TcpStream>,
    scissors: Arc<Scissors>,
    sieve: Sieve,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.scissors.check(&self.scissors.reader, context)?;
        loop {
            let count = self.sieve.take(buffer);
            if count > 0 || buffer.is_empty() {
                return Poll::Ready(Ok(count));
            }
            let mut bytes = [0; READ_BYTES];
            match ready!(Pin::new(&mut self.inner).poll_read(context, &mut bytes))? {
                0 => return Poll::Ready(Ok(0)),
                count => self.sieve.feed(&bytes[..count]),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.scissors.check(&self.scissors.writer, context)?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.scissors.check(&self.scissors.writer, context)?;
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.scissors.check(&self.scissors.writer, context)?;
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.scissors.check(&self.scissors.writer, context)?;
        Pin::new(&mut self.inner).poll_close(context)
    }
}

type WireRuntime = Runtime<RuntimeParts<Tokio, WireReactor>>;

/// Tokio's reactor, but its streams are wires: lapin takes no other way to be given one.
#[derive(Clone)]
struct WireReactor(Tokio);

impl fmt::Debug for WireReactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WireReactor")
    }
}

impl Reactor for WireReactor {
    type TcpStream = Wire;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(&self, address: SocketAddr) -> impl Future<Output = io::Result<Wire>> + Send + 'static {
        self.0.tcp_connect_addr(address).map(|stream| {
            let inner = AsyncTcpStream::Plain(stream?);
            Ok(Wire { inner, scissors: Arc::default(), sieve: Sieve::default() })
        })
    }
}
