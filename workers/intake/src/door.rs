//! The door through which everything comes in: a batch of messages read, taken in and answered one by one. Quarantine stores
//! bytes and reason before the answer says so; accepted means durable.

use crate::keyring::Keyring;
use crate::read::{Reader, Understood, item, read};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use zhida_core::ports::door::{EventDoor, Handed, Raw};
use zhida_core::ports::store::{Acted, SignedAct, Store, StoreError};
use zhida_core::steps::{Arrival, Operator, Quarantined, TakenIn};

/// The door.
#[derive(Clone)]
pub struct Door {
    /// Where things are taken in.
    pub store: Arc<dyn Store>,
    /// Whose events are believed.
    pub keyring: Arc<Keyring>,
    /// Part of every instruction id.
    pub district: String,
}

#[async_trait]
impl EventDoor for Door {
    async fn hand_in(&self, raws: &[Raw]) -> Result<Vec<Handed>, StoreError> {
        let now = self.store.now().await?;
        let operators = self.operators_if_needed(raws).await?;
        let reader = Reader { keyring: &self.keyring, operators: &operators, district: &self.district, now };
        let mut results: Vec<Option<Handed>> = vec![None; raws.len()];
        let (mut arrivals, mut places, mut acts, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (place, raw) in raws.iter().enumerate() {
            match read(&reader, raw) {
                Ok(Understood::Arrival(arrival)) => {
                    arrivals.push(*arrival);
                    places.push(place);
                }
                Ok(Understood::Act(act)) => acts.push((place, *act)),
                Err(refusal) => {
                    refused.push(*refusal.item.clone());
                    results[place] = Some(Handed::Quarantined(*refusal.item));
                }
            }
        }
        if !refused.is_empty() {
            self.store.quarantine(refused).await?;
        }
        if !arrivals.is_empty() {
            for (place, handed) in places.into_iter().zip(self.take_in(&arrivals).await?) {
                results[place] = Some(handed);
            }
        }
        for (place, act) in acts {
            results[place] = Some(self.act(&raws[place], act).await?);
        }
        Ok(results.into_iter().flatten().collect())
    }
}

impl Door {
    /// One transaction for all; when it fails for a row of one, each member on its own, so that one cannot stop the others.
    async fn take_in(&self, arrivals: &[Arrival]) -> Result<Vec<Handed>, StoreError> {
        match self.store.take_in(arrivals.to_vec()).await {
            Err(error) if error.is_of_a_row() => {}
            taken => return Ok(arrivals.iter().zip(taken?).map(|(arrival, taken)| handed(arrival, taken)).collect()),
        }
        let mut results = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            results.push(self.take_in_alone(arrival).await?);
        }
        Ok(results)
    }

    async fn take_in_alone(&self, arrival: &Arrival) -> Result<Handed, StoreError> {
        let mut taken = self.store.take_in(vec![arrival.clone()]).await;
        if matches!(taken, Err(StoreError::Conflict(_))) {
            // Somebody else may just have taken in the same: look once more with their commit in sight.
            taken = self.store.take_in(vec![arrival.clone()]).await;
        }
        match taken {
            Ok(taken) => Ok(handed(arrival, taken.into_iter().next().unwrap_or(TakenIn::Duplicate))),
            Err(error) if error.is_of_a_row() => {
                let item = quarantined(arrival, NOT_STORABLE.to_owned(), None, not_storable(&error));
                self.store.quarantine(vec![item.clone()]).await?;
                Ok(Handed::Quarantined(item))
            }
            Err(error) => Err(error),
        }
    }

    async fn act(&self, raw: &Raw, act: SignedAct) -> Result<Handed, StoreError> {
        let mut acted = self.store.act(&act).await;
        if matches!(acted, Err(StoreError::Conflict(_))) {
            acted = self.store.act(&act).await;
        }
        let (code, field, reason) = match acted {
            Ok(Acted::Done(outcome)) => return Ok(Handed::Acted(outcome)),
            Ok(Acted::Duplicate) => return Ok(Handed::Duplicate),
            Ok(Acted::Conflict) => {
                let reason = "the same source and id came before with other content; sign the act anew under a new id";
                ("event_conflict", Some("id"), reason.to_owned())
            }
            Ok(Acted::Refused(refused)) => return Ok(Handed::Refused(refused.to_string())),
            // Disabled since the signature was checked.
            Ok(Acted::UnknownOperator(id)) => {
                let reason = format!("operator {id} is unknown or disabled; see `zhida operator list`");
                ("operator_unknown", Some("keyid"), reason)
            }
            Err(error) if error.is_of_a_row() => (NOT_STORABLE, None, not_storable(&error)),
            Err(error) => return Err(error),
        };
        let mut refused = item(raw, None, code, field, &reason);
        refused.source = Some(act.source);
        refused.event_id = Some(act.event_id);
        refused.event_type = Some(act.event_type);
        self.store.quarantine(vec![refused.clone()]).await?;
        Ok(Handed::Quarantined(refused))
    }

    /// Operators are few and their acts rare: they are read only for a batch that may hold one.
    async fn operators_if_needed(&self, raws: &[Raw]) -> Result<BTreeMap<String, Operator>, StoreError> {
        let needed = raws.iter().any(|raw| raw.body.windows(10).any(|bytes| bytes == b"\"operator."));
        if !needed {
            return Ok(BTreeMap::new());
        }
        let operators = self.store.operators().await?;
        Ok(operators.into_iter().filter(|one| one.disabled_at.is_none()).map(|one| (one.id.0.clone(), one)).collect())
    }
}

/// The reason code of what the database refuses, though nothing is wrong with the event.
const NOT_STORABLE: &str = "not_storable";

fn not_storable(error: &StoreError) -> String {
    format!("{error}; mend what it names, then `zhida quarantine replay`")
}

fn handed(arrival: &Arrival, taken: TakenIn) -> Handed {
    match taken {
        TakenIn::Accepted => Handed::Accepted,
        TakenIn::Duplicate => Handed::Duplicate,
        TakenIn::Quarantined { reason_code, field, reason } => {
            Handed::Quarantined(quarantined(arrival, reason_code, Some(field), reason))
        }
    }
}

fn quarantined(arrival: &Arrival, reason_code: String, field: Option<String>, reason: String) -> Quarantined {
    Quarantined {
        body: arrival.body.clone(),
        way: arrival.way.clone(),
        source: Some(arrival.source.clone()),
        event_id: Some(arrival.event_id.clone()),
        event_type: Some(arrival.event_type.clone()),
        reason_code,
        field,
        reason,
    }
}
