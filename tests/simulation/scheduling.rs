//! Workers on one thread under virtual time: a worker's turn is a future that is polled by hand, one scheduling point at a time, and
//! dropped where it stands when the worker dies. Who is polled when is for each history's dice.

use jiff::Timestamp;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// How likely things go wrong, in so many of a thousand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chances {
    pub(crate) crash: u32,
    pub(crate) store_fault: u32,
    pub(crate) queue_fault: u32,
    pub(crate) jump: u32,
}

/// On which side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    Within,
    After,
}

/// One turn of a worker.
pub(crate) type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One poll of a turn.
pub(crate) fn poll(turn: &mut Turn) -> Poll<()> {
    turn.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A world whose time only passes when somebody says so.
pub(crate) trait Virtual {
    fn now(&self) -> Timestamp;

    /// What is being polled rests until then: polling it again before makes no sense.
    fn rests_until(&self, until: Timestamp);

    /// Until when what was polled since the last call rests, if it does.
    fn resting_until(&self) -> Option<Timestamp>;
}

/// A worker and the turn that it is in.
pub(crate) struct Worker<P> {
    pub(crate) ports: P,
    pub(crate) turn: Option<Turn>,
    pub(crate) asleep_until: Option<Timestamp>,
}

impl<P> Worker<P> {
    pub(crate) fn new(ports: P) -> Self {
        Self { ports, turn: None, asleep_until: None }
    }

    /// It dies, or is stopped, where it stands.
    pub(crate) fn ends(&mut self) {
        (self.turn, self.asleep_until) = (None, None);
    }

    /// One poll of its turn.
    pub(crate) fn step(&mut self, world: &impl Virtual) {
        world.resting_until();
        if let Some(turn) = &mut self.turn
            && poll(turn).is_ready()
        {
            self.turn = None;
        }
        self.asleep_until = world.resting_until().filter(|_| self.turn.is_some());
    }
}

/// The places of those that are awake.
pub(crate) fn awake<P>(workers: &[Worker<P>], now: Timestamp) -> Vec<usize> {
    (0..workers.len()).filter(|slot| workers[*slot].asleep_until.is_none_or(|until| until <= now)).collect()
}

/// When the first of those that sleep wakes up.
pub(crate) fn next_awake<P>(workers: &[Worker<P>]) -> Option<Timestamp> {
    workers.iter().filter_map(|one| one.asleep_until).min()
}

/// A scheduling point: others go on meanwhile, time passes, a crash may strike.
#[derive(Default)]
pub(crate) struct Breath {
    taken: bool,
}

impl Future for Breath {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.taken, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Waits for a moment of the virtual clock.
pub(crate) struct Until<'a, V> {
    pub(crate) sim: &'a V,
    pub(crate) moment: Timestamp,
}

impl<V: Virtual> Future for Until<'_, V> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.sim.now() >= self.moment {
            return Poll::Ready(());
        }
        self.sim.rests_until(self.moment);
        Poll::Pending
    }
}
