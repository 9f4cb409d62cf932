//! The queues of the simulated workers: intake, which doubles and reorders and loses nothing that is not acknowledged, and the
//! exchanges we publish to. Each call is two scheduling points around one effect.

use crate::scheduling::Side;
use crate::world::Sim;
use async_trait::async_trait;
use std::sync::Arc;
use zhida_core::ports::queue::{
    Consumer, Delivery, DeliveryTag, Destination, OutgoingMessage, Published, Publisher, QueueError,
};

/// The intake queue as one connection sees it.
pub(crate) struct IntakeQueue {
    pub(crate) sim: Arc<Sim>,
    pub(crate) slot: usize,
}

impl Drop for IntakeQueue {
    fn drop(&mut self) {
        self.sim.world().intake.disconnect(self.slot as u64);
    }
}

#[async_trait]
impl Consumer for IntakeQueue {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, QueueError> {
        self.sim.breathe(self.slot, Side::Before, "next_batch").await;
        let mut world = self.sim.world();
        let world = &mut *world;
        let mut deliveries = Vec::new();
        while deliveries.len() < max && !world.intake.waiting.is_empty() {
            let place = world.rng.usize(0..world.intake.waiting.len());
            let Some(event) = world.intake.waiting.remove(place) else { break };
            if world.rng.u32(0..1000) < world.chances.queue_fault {
                world.intake.waiting.push_back(event);
            }
            world.intake.next_number += 1;
            let tag = DeliveryTag { session: self.slot as u64, number: world.intake.next_number };
            world.intake.in_flight.insert(tag, event);
            deliveries.push(Delivery { body: event.to_string().into_bytes(), routing_key: String::new(), tag });
        }
        Ok(deliveries)
    }

    async fn acknowledge(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        self.sim.breathe(self.slot, Side::Before, "acknowledge").await;
        let broken = {
            let mut world = self.sim.world();
            let chance = world.chances.queue_fault;
            let broken = world.rng.u32(0..1000) < chance;
            if broken && world.rng.bool() {
                world.intake.disconnect(self.slot as u64);
            } else {
                for tag in tags {
                    world.intake.in_flight.remove(tag);
                }
            }
            broken
        };
        self.sim.breathe(self.slot, Side::After, "acknowledge").await;
        if broken { Err(QueueError::Disconnected("simulated".to_owned())) } else { Ok(()) }
    }

    async fn give_back(&mut self, tags: &[DeliveryTag]) -> Result<(), QueueError> {
        self.sim.breathe(self.slot, Side::Before, "give_back").await;
        let mut world = self.sim.world();
        for tag in tags {
            if let Some(event) = world.intake.in_flight.remove(tag) {
                world.intake.waiting.push_back(event);
            }
        }
        Ok(())
    }

    async fn close(&mut self) {}
}

/// The exchanges we publish to. Doorbells get lost and doubled; what is confirmed for the world has arrived.
pub(crate) struct Exchange {
    pub(crate) sim: Arc<Sim>,
    pub(crate) slot: usize,
}

#[async_trait]
impl Publisher for Exchange {
    async fn publish(&self, messages: &[OutgoingMessage]) -> Vec<Published> {
        self.sim.breathe(self.slot, Side::Before, "publish").await;
        let results = {
            let mut world = self.sim.world();
            let world = &mut *world;
            let mut results = Vec::new();
            for message in messages {
                let faulty = world.rng.u32(0..1000) < world.chances.queue_fault;
                let arrives = !faulty || world.rng.bool();
                if arrives {
                    world.heard.insert(message.message_id.clone());
                    let lost = world.rng.u32(0..1000) < world.chances.queue_fault;
                    if message.destination == Destination::PayoutDoorbell && !lost {
                        world.doorbells += 1;
                    }
                }
                results.push(match (faulty, &message.destination) {
                    (false, _) => Published::Confirmed,
                    (true, Destination::PayoutDoorbell | Destination::NoticeDoorbell) if !arrives => {
                        Published::Unroutable
                    }
                    (true, _) => Published::NotConfirmed("simulated".to_owned()),
                });
            }
            results
        };
        self.sim.breathe(self.slot, Side::After, "publish").await;
        results
    }
}
