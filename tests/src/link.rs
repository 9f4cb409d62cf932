//! A network link that tests can cut: a TCP relay between a client and a server, both on the loopback.
//! It runs on threads of its own, so it works whatever the test's runtime is doing. Not a simulator of delay or loss.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::servers::Url;

/// The relay; its threads end when it is dropped.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    Stalled,
    Cut,
}

/// What becomes of the message that an ambush waits for. Nobody hears an answer to it either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambush {
    /// The server gets it and answers; the answer is lost with every connection.
    Delivered,
    /// It is lost with every connection.
    Lost,
}

struct Shared {
    server: String,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    flow: Flow,
    /// Counts cuts: a connection made before a cut never comes back after it.
    era: u64,
    sockets: Vec<TcpStream>,
    carried: usize,
    /// The bytes a client's next message must hold to be ambushed.
    ambush: Option<(&'static [u8], Ambush)>,
    /// The server's next answer breaks everything instead of being carried.
    answer_is_lost: bool,
    dropped: bool,
}

/// Which way bytes travel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// What is done with what was read.
enum Passage {
    Carry,
    Break,
}

impl Link {
    /// A link to the server that `url` names (`postgres://`, `amqp://` or `http://`).
    pub fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = State {
            flow: Flow::Open,
            era: 0,
            sockets: Vec::new(),
            carried: 0,
            ambush: None,
            answer_is_lost: false,
            dropped: false,
        };
        let shared =
            Arc::new(Shared { server: Url::parse(url).address(), state: Mutex::new(state), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The same URL, leading through this link.
    pub fn url(&self, url: &str) -> String {
        Url::parse(url).with_address(&self.address.to_string())
    }

    /// Nothing is carried any more in either direction, nothing is closed: the sender's buffers fill. New connections
    /// are accepted and carry nothing. (What was being read at this moment is kept and carried after a restore.)
    pub fn stall(&self) {
        self.set(Flow::Stalled);
    }

    /// All connections are broken and new ones refused by closing them at once. What a stalled connection held is lost.
    pub fn cut(&self) {
        self.set(Flow::Cut);
    }

    /// The link carries again: stalled connections go on, after a cut new ones are possible.
    pub fn restore(&self) {
        self.set(Flow::Open);
    }

    /// The link is cut at the next message to the server that holds these bytes, before or after it has had its effect.
    pub fn ambush(&self, message: &'static [u8], what: Ambush) {
        self.shared.lock().ambush = Some((message, what));
    }

    /// How many connections it has carried so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().carried
    }

    fn set(&self, flow: Flow) {
        let mut state = self.shared.lock();
        state.flow = flow;
        if flow == Flow::Cut {
            state.break_connections();
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.dropped = true;
        state.break_connections();
        drop(state);
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address); // wakes the accepting thread
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was just read may go on.
    fn passage(&self, direction: Direction, bytes: &[u8]) -> Passage {
        let mut state = self.lock();
        match direction {
            Direction::There => {
                let holds = |message: &[u8]| bytes.windows(message.len()).any(|part| part == message);
                match state.ambush.take_if(|(message, _)| holds(message)) {
                    None => return Passage::Carry,
                    Some((_, Ambush::Delivered)) => {
                        state.answer_is_lost = true;
                        return Passage::Carry;
                    }
                    Some((_, Ambush::Lost)) => {}
                }
            }
            Direction::Back if std::mem::take(&mut state.answer_is_lost) => {}
            Direction::Back => return Passage::Carry,
        }
        state.flow = Flow::Cut;
        state.break_connections();
        self.changed.notify_all();
        Passage::Break
    }

    /// Waits while the link is stalled; whether a connection of that era may go on.
    fn may_pass(&self, era: u64) -> bool {
        let mut state = self.lock();
        while state.flow == Flow::Stalled && state.era == era {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.era == era
    }
}

impl State {
    fn break_connections(&mut self) {
        self.era += 1;
        for socket in self.sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        let mut state = shared.lock();
        if state.dropped {
            return;
        }
        if state.flow == Flow::Cut {
            continue; // closes it
        }
        let Ok(server) = TcpStream::connect(&shared.server) else { continue };
        let copies = (client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone());
        let (Ok(client_copy), Ok(server_copy), Ok(client_kept), Ok(server_kept)) = copies else { continue };
        state.sockets.extend([client_kept, server_kept]);
        state.carried += 1;
        let era = state.era;
        drop(state);
        let (there, back) = (Arc::clone(shared), Arc::clone(shared));
        std::thread::spawn(move || carry(client, server, Direction::There, &there, era));
        std::thread::spawn(move || carry(server_copy, client_copy, Direction::Back, &back, era));
    }
}

/// One direction of one connection, until either end closes it or the link is cut.
fn carry(mut from: TcpStream, mut to: TcpStream, direction: Direction, shared: &Shared, era: u64) {
    let mut buffer = vec![0; 16 * 1024];
    while shared.may_pass(era) {
        let Ok(count) = from.read(&mut buffer) else { break };
        if count == 0 || !shared.may_pass(era) {
            break;
        }
        match shared.passage(direction, &buffer[..count]) {
            Passage::Carry if to.write_all(&buffer[..count]).is_ok() => {}
            Passage::Carry | Passage::Break => break,
        }
    }
    // An end that closed is told to the other one; the opposite direction then ends by itself.
    let _ = from.shutdown(Shutdown::Read);
    let _ = to.shutdown(Shutdown::Write);
}
