//! Receipts on their way to whoever sent the messages: a task for each vendor, which gathers what waits, words it as the vendor does, and
//! tries again for a while when nobody takes it.

use super::Vendor;
use super::ledger::{SmsEntry, SmsWord};
use super::signing::{china_time, hex, hmac_sha256};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Receipts in one push at most.
const MOST: usize = 100;
const TRIES: u32 = 10;
/// Between the first two tries; each later pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is said of a message; it need not be the truth.
#[derive(Clone)]
pub(super) struct SmsReceipt {
    pub(super) out_id: String,
    pub(super) provider_id: String,
    pub(super) to: String,
    pub(super) segments: u32,
    pub(super) sent_at: Timestamp,
    pub(super) word: SmsWord,
}

impl SmsReceipt {
    pub(super) fn of(entry: &SmsEntry, word: SmsWord) -> Self {
        Self {
            out_id: entry.out_id.clone(),
            provider_id: entry.provider_id.clone(),
            to: entry.to.clone(),
            segments: entry.segments,
            sent_at: entry.at,
            word,
        }
    }
}

/// A push that reached somebody, or was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// By whom.
    pub vendor: Vendor,
    /// How many receipts.
    pub receipts: usize,
    /// The status it was answered with; none when nobody answered.
    pub status: Option<u16>,
    /// The answer.
    pub answer: String,
}

/// Where receipts go, and what became of them.
#[derive(Default)]
struct Shared {
    urls: Mutex<HashMap<Vendor, String>>,
    pushed: Mutex<Vec<Pushed>>,
}

struct Job {
    receipt: SmsReceipt,
    done: oneshot::Sender<()>,
}

/// The tasks that push; they end when this is dropped.
pub(super) struct Pushers {
    shared: Arc<Shared>,
    queues: HashMap<Vendor, mpsc::UnboundedSender<Job>>,
}

impl Pushers {
    pub(super) fn start(webhook_key: &str, changed: &watch::Sender<u64>) -> Self {
        let shared = Arc::new(Shared::default());
        let queues = Vendor::ALL.map(|vendor| {
            let (sender, receiver) = mpsc::unbounded_channel();
            let task =
                Pusher { vendor, shared: Arc::clone(&shared), key: webhook_key.to_owned(), changed: changed.clone() };
            tokio::spawn(task.run(receiver));
            (vendor, sender)
        });
        Self { shared, queues: HashMap::from(queues) }
    }

    /// Hands a receipt over; what is returned ends when it was pushed, or given up.
    pub(super) fn push(&self, vendor: Vendor, receipt: SmsReceipt) -> oneshot::Receiver<()> {
        let (done, pushed) = oneshot::channel();
        // A task that is gone drops `done`, which ends the waiting as well.
        let _ = self.queues[&vendor].send(Job { receipt, done });
        pushed
    }

    pub(super) fn set_url(&self, vendor: Vendor, url: Option<String>) {
        let mut urls = self.shared.urls.lock().unwrap_or_else(PoisonError::into_inner);
        match url {
            Some(url) => urls.insert(vendor, url),
            None => urls.remove(&vendor),
        };
    }

    pub(super) fn pushed(&self) -> Vec<Pushed> {
        self.shared.pushed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Pusher {
    vendor: Vendor,
    shared: Arc<Shared>,
    key: String,
    changed: watch::Sender<u64>,
}

impl Pusher {
    async fn run(self, mut jobs: mpsc::UnboundedReceiver<Job>) {
        // Another part of the process may have installed it already; it is the only one compiled in.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .tls_backend_rustls()
            .tls_certs_only([])
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "the sandbox cannot push receipts");
                return;
            }
        };
        while let Some(first) = jobs.recv().await {
            let mut batch = vec![first];
            while batch.len() < MOST
                && let Ok(next) = jobs.try_recv()
            {
                batch.push(next);
            }
            let (receipts, waiters): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.receipt, job.done)).unzip();
            let url = self.shared.urls.lock().unwrap_or_else(PoisonError::into_inner).get(&self.vendor).cloned();
            // Nobody wants them: as with a vendor at which no address was entered.
            if let Some(url) = url {
                let pushed = self.push(&client, &url, &receipts).await;
                self.shared.pushed.lock().unwrap_or_else(PoisonError::into_inner).push(pushed);
            }
            for waiter in waiters {
                // A waiter that went away needs no word.
                let _ = waiter.send(());
            }
            self.changed.send_modify(|count| *count += 1);
        }
    }

    async fn push(&self, client: &reqwest::Client, url: &str, receipts: &[SmsReceipt]) -> Pushed {
        let body = Value::from_iter(receipts.iter().map(|one| worded(self.vendor, one))).to_string();
        let mut pushed = Pushed { vendor: self.vendor, receipts: receipts.len(), status: None, answer: String::new() };
        let mut pause = FIRST_PAUSE;
        for last in (0..TRIES).rev() {
            let mut request = client.post(url).header("content-type", "application/json").body(body.clone());
            if self.vendor == Vendor::Webhook {
                let timestamp = Timestamp::now().as_second().to_string();
                let text = [timestamp.as_bytes(), b".", body.as_bytes()].concat();
                let signature = format!("sha256={}", hex(&hmac_sha256(self.key.as_bytes(), &text)));
                request = request.header("x-zhida-timestamp", timestamp).header("x-zhida-signature", signature);
            }
            if let Ok(response) = request.send().await {
                let status = response.status();
                pushed.status = Some(status.as_u16());
                pushed.answer = response.text().await.unwrap_or_default();
                if status.is_success() {
                    break;
                }
            }
            if last > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        pushed
    }
}

/// A receipt as the vendor words it.
fn worded(vendor: Vendor, one: &SmsReceipt) -> Value {
    let (arrived, code, at) = match &one.word {
        SmsWord::Delivered { at } => (true, "DELIVERED", *at),
        SmsWord::Undelivered { code, at } => (false, code.as_str(), *at),
        SmsWord::OnTheWay => (false, "", one.sent_at),
    };
    let (nation, number) = nation_and_number(&one.to);
    match vendor {
        Vendor::Aliyun => json!({
            "phone_number": if nation == "86" { number.to_owned() } else { format!("{nation}{number}") },
            "success": arrived,
            "send_time": china_time(one.sent_at),
            "report_time": china_time(at),
            "err_code": code,
            "err_msg": if arrived { "用户接收成功" } else { "未送达" },
            "sms_size": one.segments.to_string(),
            "biz_id": one.provider_id,
            "out_id": one.out_id,
        }),
        Vendor::Tencent => json!({
            "user_receive_time": china_time(at),
            "nationcode": nation,
            "mobile": number,
            "report_status": if arrived { "SUCCESS" } else { "FAIL" },
            "errmsg": if arrived { "DELIVRD" } else { code },
            "description": if arrived { "用户短信送达成功" } else { "未送达" },
            "sid": one.provider_id,
        }),
        Vendor::Webhook => json!({
            "out_id": one.out_id,
            "id": one.provider_id,
            "to": one.to,
            "status": if arrived { "delivered" } else { "undelivered" },
            "at": at.to_string(),
            "code": code,
        }),
    }
}

/// Country and number of an E.164 number, for the countries whose codes the sandbox knows.
pub(super) fn nation_and_number(e164: &str) -> (&str, &str) {
    let digits = e164.trim_start_matches('+');
    let nation = ["86", "852", "853", "886", "65", "81", "44", "1"].into_iter().find(|code| digits.starts_with(code));
    digits.split_at(nation.map_or(0, str::len))
}
