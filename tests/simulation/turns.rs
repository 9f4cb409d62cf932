//! The turns of a worker: one step each of sending, asking, sweeping, relaying (the workers' own code), of intake and of
//! booking what statements say (written here in the same shape: intake's real door spends its time on signatures).

use crate::planted::{Plant, hasty};
use crate::queues::{Exchange, IntakeQueue};
use crate::scheduling::Turn;
use crate::world::{MARGIN, Sim};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use zhida_core::ids::MsgId;
use zhida_core::payout::{Carrier, Word};
use zhida_core::ports::bank::BankLink;
use zhida_core::ports::queue::Consumer;
use zhida_core::ports::store::{IntakeStore, PayoutStore, Store};
use zhida_core::ports::time::Time;
use zhida_payout::SendSettings;

/// Kinds of turns; each worker does any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Intake,
    Send,
    Enquire,
    Sweep,
    Relay,
    Evidence,
}

/// All of them.
pub(crate) const JOBS: [Job; 6] = [Job::Intake, Job::Send, Job::Enquire, Job::Sweep, Job::Relay, Job::Evidence];

/// What a worker reaches the world by.
#[derive(Clone)]
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bank: Arc<dyn BankLink>,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) plant: Option<Plant>,
    pub(crate) sim: Arc<Sim>,
    pub(crate) slot: usize,
}

thread_local! {
    static NEXT_MSG_ID: Cell<u64> = const { Cell::new(0) };
}

/// Names of messages begin anew: a seed is a history.
pub(crate) fn begin_names_anew() {
    NEXT_MSG_ID.with(|next| next.set(0));
}

fn new_msg_id() -> MsgId {
    NEXT_MSG_ID.with(|next| {
        next.set(next.get() + 1);
        MsgId(format!("M{:04}", next.get()))
    })
}

/// A turn of this kind, to be polled.
pub(crate) fn turn(ports: Ports, job: Job) -> Turn {
    match job {
        Job::Intake => Box::pin(take_in_once(ports)),
        Job::Send => Box::pin(async move {
            let settings = SendSettings {
                batch_max: ports.sim.rules.bank.batch_max,
                bank_timeout: Duration::try_from(ports.sim.rules.bank.timeout).unwrap_or_default(),
                margin: Duration::try_from(MARGIN).unwrap_or_default(),
                new_msg_id,
            };
            let _ = zhida_payout::send_once(&*ports.store, &*ports.bank, &*ports.time, &settings).await;
        }),
        Job::Enquire => Box::pin(async move {
            let _ = zhida_payout::enquire_once(&*ports.store, &*ports.bank, 3).await;
        }),
        Job::Sweep => Box::pin(async move {
            let _ = zhida_payout::sweep_once(&*ports.store, 3).await;
        }),
        Job::Relay => Box::pin(async move {
            let _ =
                zhida_relay::relay_once(&*ports.store, &Exchange { sim: ports.sim.clone(), slot: ports.slot }, 5).await;
        }),
        Job::Evidence => Box::pin(book_news_once(ports)),
    }
}

/// One turn of intake: a batch, its commit, its acknowledgement.
async fn take_in_once(ports: Ports) {
    let mut queue: Box<dyn Consumer> = Box::new(IntakeQueue { sim: ports.sim.clone(), slot: ports.slot });
    if ports.plant == Some(Plant::AckBeforeCommit) {
        queue = hasty(queue);
    }
    let Ok(deliveries) = queue.next_batch(3).await else { return };
    if deliveries.is_empty() {
        return;
    }
    let tags: Vec<_> = deliveries.iter().map(|one| one.tag).collect();
    let arrivals: Vec<_> = {
        let world = ports.sim.world();
        let place = |body: &[u8]| std::str::from_utf8(body).ok()?.parse::<usize>().ok();
        deliveries.iter().filter_map(|one| world.district.events.get(place(&one.body)?).cloned()).collect()
    };
    let store: &dyn IntakeStore = &*ports.store;
    let answered = match store.take_in(arrivals).await {
        Ok(taken) => {
            ports.sim.say(|| format!("worker {} · took in {taken:?}", ports.slot));
            queue.acknowledge(&tags).await
        }
        Err(_) => queue.give_back(&tags).await,
    };
    let _ = answered;
}

/// One turn of booking what statements and pushed messages say: kept until it is booked.
async fn book_news_once(ports: Ports) {
    let now = ports.sim.now();
    let news: Vec<_> = {
        let world = ports.sim.world();
        world.bank.news.iter().filter(|one| one.0 <= now).take(3).cloned().collect()
    };
    if news.is_empty() {
        return;
    }
    let items: Vec<(_, Word, Carrier)> = news.iter().map(|one| (one.1.clone(), one.2.clone(), one.3)).collect();
    let store: &dyn PayoutStore = &*ports.store;
    if store.book_evidence(&items).await.is_ok() {
        let mut world = ports.sim.world();
        for booked in &news {
            if let Some(place) = world.bank.news.iter().position(|one| one == booked) {
                world.bank.news.remove(place);
            }
        }
    }
}
