//! One publication on paper: what is sent, and what the broker's answers say became of it. Pure.

use std::collections::HashSet;

use lapin::Confirmation;
use zhida_core::ports::queue::{Destination, OutgoingMessage, Published};

use super::publisher::IncomingEvent;
use super::topology::{INTAKE_EXCHANGE, Queue, WORK_EXCHANGE, WORLD_EXCHANGE};

/// A message with its address.
pub(super) struct Letter {
    pub(super) exchange: &'static str,
    pub(super) routing_key: String,
    pub(super) message_id: String,
    pub(super) body: Vec<u8>,
    pub(super) content_type: &'static str,
    pub(super) route: Route,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// It must reach a queue (`mandatory`).
    Required,
    /// Nobody may want it. Not `mandatory`: the broker need not send us back what we would ignore.
    Optional,
}

impl From<&IncomingEvent> for Letter {
    fn from(event: &IncomingEvent) -> Self {
        Self {
            exchange: INTAKE_EXCHANGE,
            routing_key: event.routing_key.clone(),
            message_id: event.message_id.clone(),
            body: event.body.clone(),
            content_type: "application/cloudevents+json",
            route: Route::Required,
        }
    }
}

impl From<&OutgoingMessage> for Letter {
    fn from(message: &OutgoingMessage) -> Self {
        let (exchange, routing_key, content_type, route) = match &message.destination {
            Destination::World { event_type } => {
                (WORLD_EXCHANGE, event_type.clone(), "application/cloudevents+json", Route::Optional)
            }
            Destination::PayoutDoorbell => {
                (WORK_EXCHANGE, Queue::Payout.name().to_owned(), "application/json", Route::Required)
            }
            Destination::NoticeDoorbell => {
                (WORK_EXCHANGE, Queue::Notice.name().to_owned(), "application/json", Route::Required)
            }
        };
        let (message_id, body) = (message.message_id.clone(), message.body.clone());
        Self { exchange, routing_key, message_id, body, content_type, route }
    }
}

/// What became of each message of one publication.
pub(super) struct Ledger {
    entries: Vec<Entry>,
    /// Ids of returned messages. An answer may carry the return of another message, so they are collected.
    returned: HashSet<String>,
    pub(super) failure: Option<String>,
}

struct Entry {
    message_id: String,
    route: Route,
    fate: Fate,
}

enum Fate {
    Open,
    Acknowledged,
    Refused(String),
}

impl Ledger {
    pub(super) fn new(letters: &[Letter]) -> Self {
        let entry =
            |letter: &Letter| Entry { message_id: letter.message_id.clone(), route: letter.route, fate: Fate::Open };
        Self { entries: letters.iter().map(entry).collect(), returned: HashSet::new(), failure: None }
    }

    pub(super) fn refuse(&mut self, index: usize, why: String) {
        self.entries[index].fate = Fate::Refused(why);
    }

    pub(super) fn note(&mut self, index: usize, answer: lapin::Result<Confirmation>) {
        let (fate, returned) = match answer {
            Ok(Confirmation::Ack(returned)) => (Fate::Acknowledged, returned),
            Ok(Confirmation::Nack(returned)) => {
                (Fate::Refused("the broker refused it; its queue may be full".to_owned()), returned)
            }
            Ok(Confirmation::NotRequested) => (Fate::Refused("the channel was not in confirm mode".to_owned()), None),
            Err(error) => {
                let why = error.to_string();
                self.failure.get_or_insert_with(|| why.clone());
                (Fate::Refused(why), None)
            }
        };
        self.entries[index].fate = fate;
        if let Some(id) = returned.and_then(|message| message.delivery.properties.message_id().clone()) {
            self.returned.insert(id.to_string());
        }
    }

    /// While an answer is missing, a return may be missing with it: then an acknowledged message that needed a queue
    /// counts as unconfirmed.
    pub(super) fn results(self, why_open: &str) -> Vec<Published> {
        let complete = self.failure.is_none() && !self.entries.iter().any(|entry| matches!(entry.fate, Fate::Open));
        let complete = complete && why_open.is_empty();
        self.entries
            .into_iter()
            .map(|entry| match entry.fate {
                Fate::Open => Published::NotConfirmed(why_open.to_owned()),
                Fate::Refused(why) => Published::NotConfirmed(why),
                Fate::Acknowledged => match entry.route {
                    Route::Optional => Published::Confirmed,
                    Route::Required if self.returned.contains(&entry.message_id) => Published::Unroutable,
                    Route::Required if complete => Published::Confirmed,
                    Route::Required => Published::NotConfirmed(format!(
                        "confirmed, but whether it was returned is not known: {why_open}"
                    )),
                },
            })
            .collect()
    }
}

pub(super) fn none_confirmed(letters: &[Letter], why: &str) -> Vec<Published> {
    letters.iter().map(|_| Published::NotConfirmed(why.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::BasicProperties;
    use lapin::message::{BasicReturnMessage, Delivery};

    fn doorbell(id: &str) -> Letter {
        let message =
            OutgoingMessage { destination: Destination::PayoutDoorbell, message_id: id.to_owned(), body: Vec::new() };
        Letter::from(&message)
    }

    fn world(id: &str) -> Letter {
        Letter { route: Route::Optional, ..doorbell(id) }
    }

    fn ack_with(returned: &str) -> lapin::Result<Confirmation> {
        let mut delivery = Delivery::mock(0, "zhida.work".into(), "zhida.payout.v1".into(), false, Vec::new());
        delivery.properties = BasicProperties::default().with_message_id(returned.into());
        let message = BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() };
        Ok(Confirmation::Ack(Some(message)))
    }

    fn ack() -> lapin::Result<Confirmation> {
        Ok(Confirmation::Ack(None))
    }

    #[test]
    fn a_return_belongs_to_the_message_it_names() {
        let letters = [doorbell("a"), doorbell("b"), doorbell("c")];
        let mut ledger = Ledger::new(&letters);
        ledger.note(1, ack_with("a")); // the answer to b brings the return of a
        ledger.note(0, ack());
        ledger.note(2, ack());
        assert_eq!(ledger.results(""), [Published::Unroutable, Published::Confirmed, Published::Confirmed]);
    }

    #[test]
    fn a_missing_answer_puts_every_doorbell_in_doubt_and_the_world_not() {
        let letters = [doorbell("a"), world("b"), doorbell("c"), doorbell("d")];
        let mut ledger = Ledger::new(&letters);
        ledger.note(0, ack_with("c"));
        ledger.note(1, ack());
        ledger.note(2, ack());
        let results = ledger.results("no confirm within 1s");
        assert!(matches!(&results[0], Published::NotConfirmed(why) if why.contains("not known")), "{results:?}");
        assert_eq!(results[1..3], [Published::Confirmed, Published::Unroutable]);
        assert_eq!(results[3], Published::NotConfirmed("no confirm within 1s".to_owned()));
    }

    #[test]
    fn a_refusal_concerns_its_message_and_a_failure_the_connection() {
        let letters = [doorbell("a"), doorbell("b"), world("c")];
        let mut ledger = Ledger::new(&letters);
        ledger.note(0, Ok(Confirmation::Nack(None)));
        ledger.note(1, ack());
        ledger.note(2, ack());
        assert_eq!(ledger.failure, None);
        let results = ledger.results("");
        assert!(matches!(&results[0], Published::NotConfirmed(why) if why.contains("refused")), "{results:?}");
        assert_eq!(results[1..], [Published::Confirmed, Published::Confirmed]);

        let mut ledger = Ledger::new(&letters);
        ledger.note(0, ack());
        ledger.note(1, Err(lapin::ErrorKind::MissingHeartbeatError.into()));
        ledger.note(2, ack());
        let why = ledger.failure.clone().unwrap_or_default();
        let results = ledger.results(&why);
        assert!(matches!(&results[..], [Published::NotConfirmed(_), Published::NotConfirmed(_), Published::Confirmed]));
    }
}
