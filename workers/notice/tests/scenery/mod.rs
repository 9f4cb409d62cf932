//! A store that hands out what a case wants; what else is there stands in [`around`].

mod around;

pub(crate) use around::{Bell, Folder, Vendor};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use zhida_core::notice::template::{Replacing, TemplateSet};
use zhida_core::notice::{Notice, NoticeRequest, Switch};
use zhida_core::ports::mail::Mail;
use zhida_core::ports::notices::{
    Errand, ErrandEnd, NoticeFilter, NoticeStore, NoticeView, ReceiptsBooked, RequestCounts, WaitingNotices,
};
use zhida_core::ports::sms::{Question, Receipt, Sms, SmsProvider, Trust};
use zhida_core::ports::store::StoreError;
use zhida_core::ports::time::Time;
use zhida_monitoring::Metrics;
use zhida_notice::{Hands, NoticeWorker};

// ── errands ──

pub(crate) fn sms(provider: &str, out_id: &str) -> Errand {
    let sms = Sms {
        out_id: out_id.to_owned(),
        to: "+8613800000000".to_owned(),
        signature: "鼓楼直达".to_owned(),
        text: "到账".to_owned(),
        template_code: None,
        parameters: Vec::new(),
    };
    Errand::SendSms {
        provider: provider.to_owned(),
        notice_id: out_id.to_owned(),
        sms,
        waited: SignedDuration::from_secs(3),
    }
}

pub(crate) fn mail(out_id: &str) -> Errand {
    let mail = Mail {
        out_id: out_id.to_owned(),
        message_id: out_id.to_owned(),
        to: "finance@example.com".to_owned(),
        subject: "到账".to_owned(),
        text: "到账".to_owned(),
        html: "到账".to_owned(),
        unsubscribe: None,
    };
    let (provider, notice_id) = ("mail".to_owned(), out_id.to_owned());
    Errand::SendMail { provider, notice_id, mail, waited: SignedDuration::ZERO }
}

pub(crate) fn ask(provider: &str, out_id: &str) -> Errand {
    let (to, sent_at) = ("+8613800000000".to_owned(), Timestamp::UNIX_EPOCH);
    let question = Question { out_id: out_id.to_owned(), provider_id: None, to, sent_at };
    let (provider, notice_id) = (provider.to_owned(), out_id.to_owned());
    Errand::Ask { provider, notice_id, question, begun_at: Timestamp::UNIX_EPOCH }
}

pub(crate) fn hands<const N: usize>(vendors: [(&str, Arc<Vendor>); N]) -> Hands {
    let sms = vendors.map(|(name, vendor)| (name.to_owned(), vendor as Arc<dyn SmsProvider>));
    Hands {
        sms: BTreeMap::from(sms),
        mail: None,
        time: Arc::new(Clock(tokio::time::Instant::now())),
        lease: Duration::from_secs(60),
        margin: Duration::from_secs(2),
        metrics: Arc::new(Metrics::new("test").unwrap()),
    }
}

pub(crate) fn worker(desk: &Arc<Desk>, main: &Arc<Vendor>, parallel_calls: u32) -> NoticeWorker {
    NoticeWorker {
        store: desk.clone(),
        hands: hands([("main", main.clone())]),
        bounces: None,
        parallel_calls,
        batch_max: 200,
        every: Duration::from_secs(5),
    }
}

/// The clock of a test that is paused.
struct Clock(tokio::time::Instant);

#[async_trait]
impl Time for Clock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn pause(&self, length: Duration) {
        let _ = tokio::time::timeout(length, std::future::pending::<()>()).await;
    }
}

// ── a store ──

type Then = Box<dyn FnOnce() + Send>;

/// Hands out what is due, and keeps what is booked.
pub(crate) struct Desk {
    due: Mutex<VecDeque<Errand>>,
    then: Mutex<Option<Then>>,
    booked: Mutex<Vec<ErrandEnd>>,
    receipts: Mutex<Vec<String>>,
    refusals: AtomicU32,
    requests: AtomicU32,
    made: AtomicUsize,
    looks: AtomicU32,
    taken: AtomicUsize,
    most_taken: AtomicUsize,
    asked: watch::Sender<u32>,
    answers: AtomicU32,
    bookings: watch::Sender<usize>,
    bookings_begun: watch::Sender<u32>,
    most_booked: AtomicUsize,
}

impl Desk {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            due: Mutex::default(),
            then: Mutex::default(),
            booked: Mutex::default(),
            receipts: Mutex::default(),
            refusals: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            made: AtomicUsize::new(0),
            looks: AtomicU32::new(0),
            taken: AtomicUsize::new(0),
            most_taken: AtomicUsize::new(0),
            bookings: watch::channel(0).0,
            bookings_begun: watch::channel(0).0,
            most_booked: AtomicUsize::new(0),
            asked: watch::channel(0).0,
            answers: AtomicU32::new(u32::MAX),
        })
    }

    pub(crate) fn due(&self, errands: impl IntoIterator<Item = Errand>) {
        self.due.lock().unwrap().extend(errands);
    }

    /// What happens with the first booking.
    pub(crate) fn then_due(&self, then: impl FnOnce() + Send + 'static) {
        *self.then.lock().unwrap() = Some(Box::new(then));
    }

    pub(crate) fn booked(&self) -> Vec<ErrandEnd> {
        self.booked.lock().unwrap().clone()
    }

    /// Provider and attempt of every receipt that was booked.
    pub(crate) fn receipts(&self) -> Vec<String> {
        self.receipts.lock().unwrap().clone()
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    /// How often what waits was looked at again.
    pub(crate) fn looks(&self) -> u32 {
        self.looks.load(Ordering::SeqCst)
    }

    pub(crate) fn refuses_bookings(&self, count: u32) {
        self.refusals.store(count, Ordering::SeqCst);
    }

    pub(crate) fn asked(&self, requests: u32) {
        self.requests.store(requests, Ordering::SeqCst);
    }

    /// How many it has handed out at once at most.
    pub(crate) fn most_taken(&self) -> usize {
        self.most_taken.load(Ordering::SeqCst)
    }

    /// How many ends came with one booking at most.
    pub(crate) fn most_booked(&self) -> usize {
        self.most_booked.load(Ordering::SeqCst)
    }

    /// Waits until so many bookings were tried.
    pub(crate) async fn until_bookings_begun(&self, count: u32) {
        self.bookings_begun.subscribe().wait_for(|begun| *begun >= count).await.unwrap();
    }

    /// Waits until so many ends were booked.
    pub(crate) async fn until_booked(&self, count: usize) {
        self.bookings.subscribe().wait_for(|booked| *booked >= count).await.unwrap();
    }

    /// It says so often what is due, and then not any more.
    pub(crate) fn answers_only(&self, times: u32) {
        self.answers.store(times, Ordering::SeqCst);
    }

    /// Waits until it was asked so often what is due.
    pub(crate) async fn has_been_asked(&self, times: u32) {
        self.asked.subscribe().wait_for(|asked| *asked >= times).await.unwrap();
    }
}

#[async_trait]
impl NoticeStore for Desk {
    async fn ask_for_notices(&self, _: &[NoticeRequest]) -> Result<u32, StoreError> {
        unimplemented!()
    }

    async fn try_notice(&self, _: &NoticeRequest, _: &str) -> Result<Vec<Errand>, StoreError> {
        unimplemented!()
    }

    async fn make_notices(&self, max: u32) -> Result<u32, StoreError> {
        let waiting = self.requests.load(Ordering::SeqCst);
        if waiting == 0 {
            return Ok(0);
        }
        // What was made first is sent before there is more.
        let made = self.made.fetch_add(1, Ordering::SeqCst);
        self.until_booked(made.min(2)).await;
        tokio::task::yield_now().await;
        self.due([sms("main", &format!("made-{made}"))]);
        self.requests.store(waiting.saturating_sub(max), Ordering::SeqCst);
        Ok(waiting.min(max))
    }

    async fn take_errands(&self, max: u32) -> Result<Vec<Errand>, StoreError> {
        self.asked.send_modify(|asked| *asked += 1);
        let asked = *self.asked.borrow();
        if asked > self.answers.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let mut due = self.due.lock().unwrap();
        let count = due.len().min(max as usize);
        self.taken.fetch_add(count, Ordering::SeqCst);
        self.most_taken.fetch_max(count, Ordering::SeqCst);
        Ok(due.drain(..count).collect())
    }

    async fn book_errands(&self, ends: &[ErrandEnd]) -> Result<(), StoreError> {
        self.bookings_begun.send_modify(|begun| *begun += 1);
        let left = self.refusals.load(Ordering::SeqCst);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        self.booked.lock().unwrap().extend(ends.iter().cloned());
        self.most_booked.fetch_max(ends.len(), Ordering::SeqCst);
        self.bookings.send_modify(|booked| *booked += ends.len());
        if let Some(then) = self.then.lock().unwrap().take() {
            then();
        }
        Ok(())
    }

    async fn book_receipts(&self, provider: &str, _: Trust, found: &[Receipt]) -> Result<ReceiptsBooked, StoreError> {
        let left = self.refusals.load(Ordering::SeqCst);
        if left > 0 {
            self.refusals.store(left - 1, Ordering::SeqCst);
            return Err(StoreError::Unavailable("away".to_owned()));
        }
        let booked = u32::try_from(found.len()).unwrap();
        self.receipts.lock().unwrap().extend(found.iter().map(|one| format!("{provider} {}", one.out_id)));
        Ok(ReceiptsBooked { booked, ..ReceiptsBooked::default() })
    }

    async fn look_again(&self) -> Result<(), StoreError> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn forget_old(&self) -> Result<u32, StoreError> {
        Ok(0)
    }

    async fn notices(&self, _: &NoticeFilter) -> Result<Vec<Notice>, StoreError> {
        unimplemented!()
    }

    async fn notice(&self, _: &str) -> Result<Option<NoticeView>, StoreError> {
        unimplemented!()
    }

    async fn count_requests(&self) -> Result<RequestCounts, StoreError> {
        unimplemented!()
    }

    async fn waiting_notices(&self) -> Result<WaitingNotices, StoreError> {
        unimplemented!()
    }

    async fn import_templates(&self, _: &TemplateSet, _: &TemplateSet, _: &str) -> Result<Replacing, StoreError> {
        unimplemented!()
    }

    async fn templates(&self) -> Result<TemplateSet, StoreError> {
        unimplemented!()
    }

    async fn notice_switch(&self) -> Result<Switch, StoreError> {
        unimplemented!()
    }

    async fn unsubscribes(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        unimplemented!()
    }

    async fn unsubscribe(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        unimplemented!()
    }
}
