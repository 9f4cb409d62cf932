//! What is around the worker: vendors that do as they are told, a mailbox folder, a doorbell.

use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use zhida_core::ports::mail::BounceReader;
use zhida_core::ports::queue::{Consumer, Delivery, DeliveryTag, QueueError};
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, RefusalClass, SendOutcome, Sms, SmsProvider,
    UnreadableReceipt,
};

/// How a vendor answers.
#[derive(Clone, Copy)]
enum Manner {
    Answers,
    Hangs,
    WaitsForRelease,
    RefusesConnections,
}

/// A vendor that notes its calls.
pub(crate) struct Vendor {
    manner: Mutex<Manner>,
    calls: Mutex<Vec<String>>,
    under_way: watch::Sender<usize>,
    now: AtomicUsize,
    most: AtomicUsize,
    released: Semaphore,
}

impl Vendor {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            manner: Mutex::new(Manner::Answers),
            calls: Mutex::default(),
            under_way: watch::channel(0).0,
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            released: Semaphore::new(0),
        })
    }

    pub(crate) fn hangs(&self) {
        *self.manner.lock().unwrap() = Manner::Hangs;
    }

    pub(crate) fn waits_to_be_released(&self) {
        *self.manner.lock().unwrap() = Manner::WaitsForRelease;
    }

    pub(crate) fn refuses_connections(&self) {
        *self.manner.lock().unwrap() = Manner::RefusesConnections;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn release(&self, calls: usize) {
        self.released.add_permits(calls);
    }

    /// Waits until so many calls have begun.
    pub(crate) async fn until_under_way(&self, calls: usize) {
        self.under_way.subscribe().wait_for(|begun| *begun >= calls).await.unwrap();
    }

    async fn called(&self, what: String) -> Manner {
        self.calls.lock().unwrap().push(what);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.under_way.send_modify(|begun| *begun += 1);
        let manner = *self.manner.lock().unwrap();
        match manner {
            Manner::Hangs => std::future::pending::<()>().await,
            Manner::WaitsForRelease => self.released.acquire().await.unwrap().forget(),
            Manner::Answers | Manner::RefusesConnections => {}
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        manner
    }
}

#[async_trait]
impl SmsProvider for Vendor {
    async fn send(&self, sms: &Sms) -> SendOutcome {
        match self.called(format!("send {}", sms.out_id)).await {
            Manner::RefusesConnections => SendOutcome::NotConnected { why: "refused".to_owned() },
            Manner::Answers | Manner::Hangs | Manner::WaitsForRelease => {
                SendOutcome::Accepted { provider_id: None, segments: None }
            }
        }
    }

    async fn ask(&self, question: &Question) -> AskOutcome {
        self.called(format!("ask {}", question.out_id)).await;
        AskOutcome::NotFound
    }

    fn read_push(&self, _: &Push<'_>) -> Result<PushRead, UnreadableReceipt> {
        unimplemented!()
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }
}

/// A folder that holds bounces of these attempts.
pub(crate) struct Folder(Mutex<Vec<String>>);

impl Folder {
    pub(crate) fn with(out_ids: &[&str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(out_ids.iter().map(|id| (*id).to_owned()).collect())))
    }

    /// What was not put away.
    pub(crate) fn holds(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl BounceReader for Folder {
    async fn read(&self, max: usize) -> Result<Vec<(String, Receipt)>, String> {
        let word = DeliveryWord::Undelivered {
            class: RefusalClass::Recipient,
            code: "5.1.1".to_owned(),
            text: "no such user".to_owned(),
        };
        let receipt = |id: &String| Receipt { out_id: id.clone(), provider_id: None, to: None, word: word.clone() };
        Ok(self.holds().iter().take(max).map(|id| (id.clone(), receipt(id))).collect())
    }

    async fn done(&self, names: &[String]) -> Result<(), String> {
        self.0.lock().unwrap().retain(|name| !names.contains(name));
        Ok(())
    }
}

/// A doorbell that rings when it is told to.
#[derive(Clone)]
pub(crate) struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Notify::new()))
    }

    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Consumer for Bell {
    async fn next_batch(&mut self, _: usize) -> Result<Vec<Delivery>, QueueError> {
        self.0.notified().await;
        Ok(vec![])
    }

    async fn acknowledge(&mut self, _: &[DeliveryTag]) -> Result<(), QueueError> {
        Ok(())
    }

    async fn give_back(&mut self, _: &[DeliveryTag]) -> Result<(), QueueError> {
        Ok(())
    }

    async fn close(&mut self) {}
}
