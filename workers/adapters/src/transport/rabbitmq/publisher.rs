//! Publishing with confirms. A publication is sent as a whole and then awaited as a whole, under one time limit; only
//! what the broker confirmed in that time is confirmed. Repeating is harmless, believing too early is not.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, Event};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use zhida_core::ports::queue::{OutgoingMessage, Published, Publisher};

use super::ledger::{Ledger, Letter, Route, none_confirmed};
use super::session::{Backoff, Session};
use super::topology::Part;
use super::{RabbitError, RabbitSettings, within};

const PERSISTENT: u8 = 2;

/// An event as a review system hands it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingEvent {
    /// The event's `type`; another one is quarantined.
    pub routing_key: String,
    /// The event's `id`.
    pub message_id: String,
    /// The event, signed.
    pub body: Vec<u8>,
}

/// Publishes on a connection of its own, one publication at a time; it connects when first used and again whenever the
/// connection was lost.
pub struct RabbitPublisher {
    settings: RabbitSettings,
    parts: Vec<Part>,
    slot: Mutex<Slot>,
}

struct Slot {
    backoff: Backoff,
    link: Option<Link>,
}

impl RabbitPublisher {
    /// Will declare `parts` with every new connection: `Work` and `World` for the relay, none for a sender, who may not.
    #[must_use]
    pub fn new(settings: RabbitSettings, parts: Vec<Part>) -> Self {
        let slot = Mutex::new(Slot { backoff: Backoff::new(&settings), link: None });
        Self { settings, parts, slot }
    }

    /// Hands events in as review systems do, to `zhida.in`, mandatory and with confirms; one result per event, in
    /// order. Keep an event until it is `Confirmed`.
    pub async fn hand_in(&self, events: &[IncomingEvent]) -> Vec<Published> {
        self.publish_letters(events.iter().map(Letter::from).collect()).await
    }

    async fn publish_letters(&self, letters: Vec<Letter>) -> Vec<Published> {
        if letters.is_empty() {
            return Vec::new();
        }
        let deadline = Instant::now() + self.settings.publish_timeout;
        let Ok(mut slot) = timeout_at(deadline, self.slot.lock()).await else {
            return none_confirmed(&letters, "an earlier publication is still under way");
        };
        // The link leaves the slot while it is in use: whoever stops waiting for this call drops it half used.
        let link = match slot.link.take().filter(Link::usable) {
            Some(link) => Ok(link),
            None => self.connect(&mut slot.backoff, deadline).await,
        };
        let mut link = match link {
            Ok(link) => link,
            Err(why) => return none_confirmed(&letters, &why),
        };
        let (results, end) = match link.ready(deadline).await {
            Ok(()) => link.publish(letters, deadline).await,
            Err(Unready::Blocked(why)) => (none_confirmed(&letters, &why), LinkEnd::Kept),
            Err(Unready::Lost(why)) => (none_confirmed(&letters, &why), LinkEnd::Lost(why)),
        };
        match end {
            LinkEnd::Kept => slot.link = Some(link),
            LinkEnd::Lost(why) => {
                tracing::warn!(why, "the publishing connection to RabbitMQ was dropped");
                slot.backoff.failed();
            }
        }
        results
    }

    async fn connect(&self, backoff: &mut Backoff, deadline: Instant) -> Result<Link, String> {
        let opened = async {
            backoff.pause().await;
            Link::open(&self.settings, &self.parts).await
        };
        let opened = match timeout_at(deadline, opened).await {
            Ok(opened) => opened.map_err(|error| error.to_string()),
            Err(_) => Err("no connection within the time for publishing".to_owned()),
        };
        match opened {
            Ok(link) => {
                backoff.opened();
                Ok(link)
            }
            Err(why) => {
                tracing::warn!(why, "not publishing");
                backoff.failed();
                Err(why)
            }
        }
    }
}

#[async_trait]
impl Publisher for RabbitPublisher {
    async fn publish(&self, messages: &[OutgoingMessage]) -> Vec<Published> {
        self.publish_letters(messages.iter().map(Letter::from).collect()).await
    }
}

type Answer = (usize, lapin::Result<Confirmation>);
type Answers = FuturesUnordered<BoxFuture<'static, Answer>>;

/// A session that publishes.
struct Link {
    session: Session,
    flow: watch::Receiver<Flow>,
    watcher: JoinHandle<()>,
    /// Answers of an earlier publication that the broker, blocking us, has not given. They are awaited before anything
    /// new is published, for lapin hands a returned message to whichever answer comes next.
    overdue: Answers,
}

/// Whether the broker takes messages from us.
#[derive(Clone, PartialEq, Eq)]
enum Flow {
    Open,
    Blocked(String),
    Lost(String),
}

enum Unready {
    Blocked(String),
    Lost(String),
}

enum LinkEnd {
    Kept,
    Lost(String),
}

impl Link {
    async fn open(settings: &RabbitSettings, parts: &[Part]) -> Result<Self, RabbitError> {
        let session = Session::open(settings, parts).await?;
        let confirms = session.channel.confirm_select(ConfirmSelectOptions::default());
        within(settings.step_timeout, "switch confirms on", confirms).await?;
        let mut events = Box::pin(session.connection.events_listener());
        // Listen first, look afterwards: no change falls between.
        let first = if session.connection.status().blocked() {
            Flow::Blocked("the broker is short of memory or disk".to_owned())
        } else {
            Flow::Open
        };
        let (teller, flow) = watch::channel(first);
        let watcher = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Event::ConnectionBlocked(why) => teller.send_replace(Flow::Blocked(why)),
                    Event::ConnectionUnblocked => teller.send_replace(Flow::Open),
                    Event::Error(error) => {
                        teller.send_replace(Flow::Lost(error.to_string()));
                        return;
                    }
                    _ => continue, // connected, channel flow, and whatever later versions of lapin tell
                };
            }
            teller.send_replace(Flow::Lost("the connection ended".to_owned()));
        });
        Ok(Self { session, flow, watcher, overdue: Answers::new() })
    }

    fn usable(&self) -> bool {
        let lost = matches!(*self.flow.borrow(), Flow::Lost(_));
        !lost && self.session.connection.status().connected() && self.session.channel.status().connected()
    }

    /// Waits until the broker takes messages and owes no answers.
    async fn ready(&mut self, deadline: Instant) -> Result<(), Unready> {
        loop {
            let blocked = match &*self.flow.borrow_and_update() {
                Flow::Open => None,
                Flow::Blocked(why) => Some(format!("the broker blocks publishing: {why}")),
                Flow::Lost(why) => return Err(Unready::Lost(why.clone())),
            };
            if blocked.is_none() && self.overdue.is_empty() {
                return Ok(());
            }
            let changed = async {
                tokio::select! {
                    changed = self.flow.changed() => changed.map_err(|_| "the connection ended".to_owned()),
                    Some((_, answer)) = self.overdue.next() => answer.map(|_| ()).map_err(|error| error.to_string()),
                }
            };
            match timeout_at(deadline, changed).await {
                Ok(changed) => changed.map_err(Unready::Lost)?,
                Err(_) => {
                    return Err(match blocked {
                        Some(why) => Unready::Blocked(why),
                        None => Unready::Lost("answers to an earlier publication never came".to_owned()),
                    });
                }
            }
        }
    }

    async fn publish(&mut self, letters: Vec<Letter>, deadline: Instant) -> (Vec<Published>, LinkEnd) {
        let mut ledger = Ledger::new(&letters);
        let mut answers = Answers::new();
        for (index, letter) in letters.into_iter().enumerate() {
            match send(self.session.channel.clone(), index, letter) {
                Ok(answer) => answers.push(answer),
                Err(why) => ledger.refuse(index, why),
            }
        }
        let limit = deadline.saturating_duration_since(Instant::now());
        loop {
            match timeout_at(deadline, answers.next()).await {
                Ok(Some((index, answer))) => ledger.note(index, answer),
                Ok(None) => break,
                Err(_) => {
                    let blocked = matches!(*self.flow.borrow(), Flow::Blocked(_));
                    let why = late(limit, &self.flow.borrow());
                    if blocked {
                        self.overdue = answers;
                        return (ledger.results(&why), LinkEnd::Kept);
                    }
                    return (ledger.results(&why), LinkEnd::Lost(why));
                }
            }
        }
        match ledger.failure.take() {
            Some(why) => (ledger.results(&why), LinkEnd::Lost(why)),
            None => (ledger.results(""), LinkEnd::Kept),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

fn late(limit: Duration, flow: &Flow) -> String {
    match flow {
        Flow::Blocked(why) => format!("the broker blocks publishing: {why}"),
        Flow::Open | Flow::Lost(_) => format!("no confirm within {limit:?}"),
    }
}

/// Starts one publication. lapin numbers messages as their futures are first polled, all of them by one task, so that
/// its numbers and the broker's agree.
fn send(channel: Channel, index: usize, letter: Letter) -> Result<BoxFuture<'static, Answer>, String> {
    let short = |what: &str, text: String| {
        ShortString::try_new(text).map_err(|_| format!("its {what} is longer than 255 bytes"))
    };
    let routing_key = short("routing key", letter.routing_key)?;
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type(letter.content_type.into())
        .with_message_id(short("message id", letter.message_id)?);
    let options = BasicPublishOptions { mandatory: letter.route == Route::Required, immediate: false };
    let published = async move {
        let sent = channel.basic_publish(letter.exchange.into(), routing_key, options, &letter.body, properties);
        match sent.await {
            Ok(confirm) => (index, confirm.await),
            Err(error) => (index, Err(error)),
        }
    };
    Ok(published.boxed())
}
