//! Where a process dies: at the n-th call of one port, before it, in the middle of it or after it. A call that is cut never
//! returns; whoever polls the process sees that it is dead and drops it.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// On which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The step does not happen.
    Before,
    /// It has begun: how far it comes is the database's or the bank's affair.
    Within,
    /// It has happened, and nobody in the process knows.
    After,
}

impl Side {
    pub(crate) const ALL: [Self; 3] = [Self::Before, Self::Within, Self::After];
}

/// One place to die.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) step: &'static str,
    pub(crate) side: Side,
    /// At which call of the step, from 1.
    pub(crate) nth: u32,
    /// Within: after so many waits of the call for the database or the bank.
    pub(crate) waits: u32,
}

/// The life of one process.
pub(crate) struct Life {
    cut: Option<Cut>,
    calls: Mutex<u32>,
    dead: AtomicBool,
}

impl Life {
    /// A life that ends at `cut`, or by itself.
    pub(crate) fn until(cut: Option<Cut>) -> Self {
        Self { cut, calls: Mutex::new(0), dead: AtomicBool::new(false) }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// A call of `step`.
    pub(crate) async fn call<T>(&self, step: &str, work: impl Future<Output = T>) -> T {
        let side = self.side_of_death(step);
        let mut work = pin!(work);
        match side {
            Some(Side::Before) => return self.ends().await,
            // What a poll does is on its way: a statement is with the database, a connection with the bank.
            Some(Side::Within) => {
                let most = self.cut.map_or(1, |cut| cut.waits);
                let mut waits = 0;
                let some = |context: &mut Context<'_>| {
                    waits += 1;
                    match work.as_mut().poll(context) {
                        _ if waits == 1 && most == 1 => Poll::Ready(None),
                        Poll::Ready(value) => Poll::Ready(Some(value)),
                        Poll::Pending if waits == most => Poll::Ready(None),
                        Poll::Pending => Poll::Pending,
                    }
                };
                match poll_fn(some).await {
                    // It had ended before that.
                    Some(value) => return value,
                    None => return self.ends().await,
                }
            }
            Some(Side::After) | None => {}
        }
        let result = work.await;
        if side == Some(Side::After) {
            return self.ends().await;
        }
        result
    }

    fn side_of_death(&self, step: &str) -> Option<Side> {
        let cut = self.cut.filter(|cut| cut.step == step)?;
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        (*calls == cut.nth).then_some(cut.side)
    }

    async fn ends<T>(&self) -> T {
        self.dead.store(true, Ordering::SeqCst);
        pending().await
    }

    /// What `work` came to, or none when it died: then it is dropped where it stands, and its connections with it.
    pub(crate) async fn live<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work: Pin<Box<_>> = Box::pin(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.is_over() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}
