//! What health checks and metrics ask of the broker, on a connection of its own: whether it answers, how fast, and what
//! waits in our queues. Declares nothing.

use std::time::{Duration, Instant};

use lapin::options::QueueDeclareOptions;
use lapin::protocol::AMQPSoftError;
use lapin::types::FieldTable;
use tokio::sync::Mutex;

use super::session::Session;
use super::topology::{Queue, refusal};
use super::{RabbitError, RabbitSettings, within};

/// Asks one broker. Each call is one round of questions, at most a time limit each; it never waits between attempts.
pub struct RabbitProbe {
    settings: RabbitSettings,
    session: Mutex<Option<Session>>,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokerHealth {
    /// It answered.
    Connected(BrokerFigures),
    /// It did not.
    Disconnected {
        /// Why.
        reason: String,
    },
}

/// Figures of a broker that answers. A queue that does not exist has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerFigures {
    /// From one question to its answer.
    pub round_trip: Duration,
    /// `zhida.intake.v1`.
    pub intake: Option<QueueFigures>,
    /// `zhida.intake.dead.v1`.
    pub intake_dead: Option<QueueFigures>,
    /// `zhida.payout.v1`.
    pub payout: Option<QueueFigures>,
    /// `zhida.notice.v1`.
    pub notice: Option<QueueFigures>,
    /// `zhida.dead.v1`.
    pub dead: Option<QueueFigures>,
}

/// Figures of one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFigures {
    /// Messages ready for delivery; those delivered and not yet acknowledged are not counted.
    pub ready: u32,
    /// Consumers attached.
    pub consumers: u32,
}

impl RabbitProbe {
    /// Will ask the broker of `settings`; it connects with the first probe and keeps the connection.
    #[must_use]
    pub fn new(settings: RabbitSettings) -> Self {
        Self { settings, session: Mutex::new(None) }
    }

    /// Asks once. A connection that fails is dropped; the next probe makes a new one.
    pub async fn probe(&self) -> BrokerHealth {
        let mut slot = self.session.lock().await;
        let session = match slot.take() {
            Some(session) => Ok(session),
            None => Session::open(&self.settings, &[]).await,
        };
        let asked = async {
            let mut session = session?;
            let figures = figures(&mut session, self.settings.step_timeout).await?;
            Ok::<_, RabbitError>((session, figures))
        };
        match asked.await {
            Ok((session, figures)) => {
                *slot = Some(session);
                BrokerHealth::Connected(figures)
            }
            Err(error) => BrokerHealth::Disconnected { reason: error.to_string() },
        }
    }
}

async fn figures(session: &mut Session, limit: Duration) -> Result<BrokerFigures, RabbitError> {
    let asked = Instant::now();
    let intake = look(session, limit, Queue::Intake).await?;
    let round_trip = asked.elapsed();
    let intake_dead = look(session, limit, Queue::IntakeDead).await?;
    let payout = look(session, limit, Queue::Payout).await?;
    let notice = look(session, limit, Queue::Notice).await?;
    let dead = look(session, limit, Queue::Dead).await?;
    Ok(BrokerFigures { round_trip, intake, intake_dead, payout, notice, dead })
}

async fn look(session: &mut Session, limit: Duration, queue: Queue) -> Result<Option<QueueFigures>, RabbitError> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let answer = session.channel.queue_declare(queue.name().into(), options, FieldTable::default());
    match within(limit, "look at a queue", answer).await {
        Ok(found) => Ok(Some(QueueFigures { ready: found.message_count(), consumers: found.consumer_count() })),
        Err(error) => match refusal(&error) {
            Some((AMQPSoftError::NOTFOUND, _)) => {
                session.reopen_channel().await?; // the refusal closed the channel
                Ok(None)
            }
            _ => Err(error),
        },
    }
}
