//! Exchanges and queues of the contract, with arguments that RabbitMQ 3.10 and 4.x both accept. What an operator may
//! want to turn (lengths, memory) belongs in policies; what correctness rests on stands here and must not differ.
//!
//! Not here: `zhida.registry.v1`, which appears with the workers that consume it.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ErrorKind, ExchangeKind};
use thiserror::Error;

use super::{RabbitError, within};

/// Where review systems publish; bound by `#` to [`Queue::Intake`].
pub const INTAKE_EXCHANGE: &str = "zhida.in";
/// Doorbells between our own workers.
pub const WORK_EXCHANGE: &str = "zhida.work";
/// Our events, for others to bind.
pub const WORLD_EXCHANGE: &str = "zhida.out";

/// Deliveries of one message before it is dead-lettered. Explicit: without it 4.x drops at 20, and −1 dead-letters at
/// once on 3.10.
const DELIVERY_LIMIT: i32 = 100;
/// For queues of dead letters, which have nowhere further to go: a message beyond the limit would be lost, so the limit
/// is out of reach (a delivery a second for eleven days).
const DEAD_DELIVERY_LIMIT: i32 = 1_000_000;

/// A queue we consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Everything that comes in.
    Intake,
    /// Intake messages delivered too often; their raw bytes go to quarantine.
    IntakeDead,
    /// Doorbells to the payout workers.
    Payout,
    /// Doorbells to the notice workers.
    Notice,
    /// Doorbells delivered too often: "look in the database".
    Dead,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 5] = [Self::Intake, Self::IntakeDead, Self::Payout, Self::Notice, Self::Dead];

    /// Its name at the broker.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "zhida.intake.v1",
            Self::IntakeDead => "zhida.intake.dead.v1",
            Self::Payout => "zhida.payout.v1",
            Self::Notice => "zhida.notice.v1",
            Self::Dead => "zhida.dead.v1",
        }
    }

    /// What must be declared before it is consumed.
    #[must_use]
    pub fn part(self) -> Part {
        match self {
            Self::Intake | Self::IntakeDead => Part::Intake,
            Self::Payout | Self::Notice | Self::Dead => Part::Work,
        }
    }

    fn arguments(self) -> FieldTable {
        let (limit, max_length, dead) = match self {
            Self::Intake => (DELIVERY_LIMIT, 1_000_000, Some(Self::IntakeDead)),
            Self::IntakeDead => (DEAD_DELIVERY_LIMIT, 1_000_000, None),
            Self::Payout | Self::Notice => (DELIVERY_LIMIT, 100_000, Some(Self::Dead)),
            Self::Dead => (DEAD_DELIVERY_LIMIT, 100_000, None),
        };
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), text("quorum"));
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(limit));
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(max_length));
        // A full queue refuses the publisher, who keeps his message; the alternative drops the oldest.
        arguments.insert("x-overflow".into(), text("reject-publish"));
        if let Some(dead) = dead {
            // The default exchange routes by queue name: one thing less that can be missing.
            arguments.insert("x-dead-letter-exchange".into(), text(""));
            arguments.insert("x-dead-letter-routing-key".into(), text(dead.name()));
            arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
        }
        arguments
    }
}

/// What is declared together, because one worker needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// `zhida.in`, `zhida.intake.v1`, `zhida.intake.dead.v1`.
    Intake,
    /// `zhida.work`, `zhida.payout.v1`, `zhida.notice.v1`, `zhida.dead.v1`.
    Work,
    /// `zhida.out`.
    World,
}

impl Part {
    /// Everything there is, for `zhida migrate`.
    pub const ALL: [Self; 3] = [Self::Intake, Self::Work, Self::World];

    fn exchange(self) -> (&'static str, ExchangeKind) {
        match self {
            Self::Intake => (INTAKE_EXCHANGE, ExchangeKind::Topic),
            Self::Work => (WORK_EXCHANGE, ExchangeKind::Direct),
            Self::World => (WORLD_EXCHANGE, ExchangeKind::Topic),
        }
    }

    /// Dead letters first: their queue must be there before anything can die.
    fn queues(self) -> &'static [Queue] {
        match self {
            Self::Intake => &[Queue::IntakeDead, Queue::Intake],
            Self::Work => &[Queue::Dead, Queue::Payout, Queue::Notice],
            Self::World => &[],
        }
    }

    fn bindings(self) -> Vec<(Queue, &'static str)> {
        match self {
            Self::Intake => vec![(Queue::Intake, "#")],
            Self::Work => [Queue::Payout, Queue::Notice].map(|queue| (queue, queue.name())).to_vec(),
            Self::World => Vec::new(),
        }
    }
}

/// Exchanges or queues are not as they must be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TopologyError {
    /// It exists with another argument.
    #[error(
        "{kind} `{name}` exists with another `{argument}` ({difference}); let it run empty, delete it (`rabbitmqctl \
         delete_queue`, or the management page for an exchange) and run `zhida migrate`; lengths are changed by policies, \
         not by declaring anew"
    )]
    Mismatch {
        /// `queue` or `exchange`.
        kind: &'static str,
        /// Its name.
        name: &'static str,
        /// The first argument that differs, e.g. `x-delivery-limit`.
        argument: String,
        /// What was wanted and what is there, in the broker's words.
        difference: String,
    },
    /// It is missing, and this user may not create it.
    #[error(
        "{kind} `{name}` does not exist and this RabbitMQ user may not create it; run `zhida migrate` as its owner"
    )]
    Missing {
        /// `queue` or `exchange`.
        kind: &'static str,
        /// Its name.
        name: &'static str,
    },
}

/// Declares one part on a channel of its own. A user without the right to declare is content when everything is there.
///
/// # Errors
/// [`RabbitError::Topology`] on a mismatch or something missing, else the broker's or the clock's refusal.
pub(super) async fn declare(connection: &Connection, limit: Duration, part: Part) -> Result<(), RabbitError> {
    let (exchange, kind) = part.exchange();
    let declared = create(connection, limit, &Thing::Exchange(exchange, kind)).await?;
    let mut ours = vec![declared];
    for queue in part.queues() {
        ours.push(create(connection, limit, &Thing::Queue(*queue)).await?);
    }
    // Who may not declare may not bind either; the owner did both.
    if ours.contains(&Declared::ByItsOwner) {
        return Ok(());
    }
    for (queue, key) in part.bindings() {
        let channel = within(limit, "open a channel", connection.create_channel()).await?;
        let bound = channel.queue_bind(
            queue.name().into(),
            exchange.into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(limit, "bind a queue", bound).await?;
    }
    Ok(())
}

/// Declares every part with a connection of its own, for `zhida migrate`.
///
/// # Errors
/// As for any connection; [`RabbitError::Topology`] on a mismatch.
pub async fn declare_all(settings: &super::RabbitSettings) -> Result<(), RabbitError> {
    super::session::Session::open(settings, &Part::ALL).await?.close().await;
    Ok(())
}

enum Thing {
    Exchange(&'static str, ExchangeKind),
    Queue(Queue),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Declared {
    ByUs,
    ByItsOwner,
}

impl Thing {
    fn kind_and_name(&self) -> (&'static str, &'static str) {
        match self {
            Self::Exchange(name, _) => ("exchange", name),
            Self::Queue(queue) => ("queue", queue.name()),
        }
    }
}

/// A channel for each attempt: a refusal closes it.
async fn create(connection: &Connection, limit: Duration, thing: &Thing) -> Result<Declared, RabbitError> {
    let (kind, name) = thing.kind_and_name();
    match ask(connection, limit, thing, Manner::Create).await {
        Ok(()) => Ok(Declared::ByUs),
        Err(error) => match refusal(&error) {
            Some((AMQPSoftError::PRECONDITIONFAILED, text)) => Err(mismatch(kind, name, &text).into()),
            Some((AMQPSoftError::ACCESSREFUSED, _)) => match ask(connection, limit, thing, Manner::Look).await {
                Ok(()) => Ok(Declared::ByItsOwner),
                Err(error) => match refusal(&error) {
                    Some((AMQPSoftError::NOTFOUND, _)) => Err(TopologyError::Missing { kind, name }.into()),
                    _ => Err(error),
                },
            },
            _ => Err(error),
        },
    }
}

#[derive(Clone, Copy)]
enum Manner {
    Create,
    Look,
}

async fn ask(connection: &Connection, limit: Duration, thing: &Thing, manner: Manner) -> Result<(), RabbitError> {
    let channel = within(limit, "open a channel", connection.create_channel()).await?;
    let passive = matches!(manner, Manner::Look);
    match thing {
        Thing::Exchange(name, kind) => {
            let options = ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
            let declared = channel.exchange_declare((*name).into(), kind.clone(), options, FieldTable::default());
            within(limit, "declare an exchange", declared).await
        }
        Thing::Queue(queue) => {
            let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
            let declared = channel.queue_declare(queue.name().into(), options, queue.arguments());
            within(limit, "declare a queue", declared).await.map(|_| ())
        }
    }
}

/// The broker's refusal of one request, if that is what happened.
pub(super) fn refusal(error: &RabbitError) -> Option<(AMQPSoftError, String)> {
    let RabbitError::Failed { source, .. } = error else { return None };
    let ErrorKind::ProtocolError(refusal) = source.kind() else { return None };
    match refusal.kind() {
        AMQPErrorKind::Soft(soft) => Some((soft.clone(), refusal.get_message().to_string())),
        AMQPErrorKind::Hard(_) => None,
    }
}

/// Reads `PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue '…' in vhost '…': received … but current is …`.
fn mismatch(kind: &'static str, name: &'static str, text: &str) -> TopologyError {
    let argument = text.split('\'').nth(1).filter(|_| text.contains("inequivalent arg")).unwrap_or("argument");
    let difference = text.rsplit_once("': ").map_or(text, |(_, difference)| difference);
    TopologyError::Mismatch { kind, name, argument: argument.to_owned(), difference: difference.to_owned() }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
