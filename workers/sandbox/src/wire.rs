//! Sockets that can be broken on purpose: a connection reset from within a handler, a bank that refuses connections and comes
//! back at the same address. Knows nothing of banks.

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The way to break one connection: its next reading or writing ends in a reset.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

impl Cut {
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_made(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Listener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().cut.clone()
    }
}

/// A listener whose connections can be cut, one by one or all.
pub(crate) struct Listener {
    inner: TcpListener,
    all: Cut,
}

impl axum::serve::Listener for Listener {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, from) = axum::serve::Listener::accept(&mut self.inner).await;
        // Answers are small and waited for.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection without TCP_NODELAY");
        }
        (Wire { stream, cut: Cut::default(), all: self.all.clone() }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    cut: Cut,
    all: Cut,
}

impl Wire {
    /// The stream, unless it was cut: then it is set to close with a reset.
    fn whole(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.cut.is_made() || self.all.is_made() {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole()?.poll_shutdown(cx)
    }
}

/// The door of a server: open (it listens) or closed (connections are refused). Always the same address.
pub(crate) struct Door {
    address: SocketAddr,
    open: Mutex<Option<Open>>,
}

struct Open {
    serving: JoinHandle<()>,
    all: Cut,
}

impl Door {
    /// Opens at `address`; port 0 takes a free one, which is kept.
    pub(crate) async fn open(address: SocketAddr, routes: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let door = Self { address: listener.local_addr()?, open: Mutex::new(None) };
        door.serve(listener, routes);
        Ok(door)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the door and every connection; connecting is refused from the return of this on.
    pub(crate) async fn close(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Open { serving, all }) = open {
            all.now();
            serving.abort();
            // Cancelled is what it shall be; afterwards the listener is gone.
            let _ = serving.await;
        }
    }

    /// Opens the door again.
    pub(crate) async fn reopen(&self, routes: Router) -> io::Result<()> {
        self.close().await;
        self.serve(TcpListener::bind(self.address).await?, routes);
        Ok(())
    }

    fn serve(&self, inner: TcpListener, routes: Router) {
        let all = Cut::default();
        let listener = Listener { inner, all: all.clone() };
        let serving = tokio::spawn(async move {
            let service = routes.into_make_service_with_connect_info::<Cut>();
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!(%error, "the sandbox has stopped serving");
            }
        });
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(Open { serving, all });
    }
}
