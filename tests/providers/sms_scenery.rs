//! What the cases about SMS share: providers set up by settings against the sandbox, one message, outcomes in words short enough for a
//! table, and somebody who takes receipts.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use zhida_config::Settings;
use zhida_core::ports::sms::{
    AskOutcome, DeliveryWord, Push, PushRead, Question, Receipt, SendOutcome, Sms, SmsProvider,
};
use zhida_sandbox::{Sandbox, SandboxSettings, Vendor};

pub(crate) const NUMBER: &str = "+8613800000000";
/// For a vendor that answers, and for one that is known not to.
pub(crate) const PATIENT: &str = "20";
pub(crate) const HASTY: &str = "1";

/// A sandbox with a template at each vendor.
pub(crate) async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    sandbox.sms.register_template(Vendor::Aliyun, "SMS_1", "到账${amount}元,政策${policy}。");
    sandbox.sms.register_template(Vendor::Tencent, "SMS_1", "到账{1}元,政策{2}。");
    sandbox
}

/// A provider as `serve` sets it up.
pub(crate) fn provider(sandbox: &Sandbox, vendor: Vendor, timeout: &str) -> Arc<dyn SmsProvider> {
    let known = sandbox.sms.settings();
    let by_keys = [("access_key_id", known.key_id.as_str()), ("access_key_secret", known.secret.as_str())];
    let fields: Vec<(&str, &str)> = match vendor {
        Vendor::Aliyun => by_keys.to_vec(),
        Vendor::Tencent => [&by_keys[..], &[("app_id", known.app_id.as_str())]].concat(),
        Vendor::Webhook => vec![("key", known.webhook_key.as_str())],
    };
    open(vendor.word(), &sandbox.sms.url(vendor), timeout, &fields)
}

/// A provider of this kind, with these fields.
pub(crate) fn open(kind: &str, url: &str, timeout: &str, fields: &[(&str, &str)]) -> Arc<dyn SmsProvider> {
    let common = [("kind", kind), ("url", url), ("timeout_seconds", timeout)];
    let flags: Vec<(String, String)> = [&common[..], fields]
        .concat()
        .into_iter()
        .map(|(field, value)| (format!("notices.sms.main.{field}"), value.to_owned()))
        .collect();
    let settings = Settings::load(&flags, [], None).unwrap();
    zhida_adapters::providers::sms::open("main", &settings.sms["main"]).unwrap()
}

pub(crate) fn sms(out_id: &str) -> Sms {
    with_variables(out_id, "1409.50", "稳岗补贴")
}

/// A message as the core makes one: the text is what the templates above render.
pub(crate) fn with_variables(out_id: &str, amount: &str, policy: &str) -> Sms {
    Sms {
        out_id: out_id.to_owned(),
        to: NUMBER.to_owned(),
        signature: "鼓楼直达".to_owned(),
        text: format!("到账{amount}元,政策{policy}。"),
        template_code: Some("SMS_1".to_owned()),
        parameters: vec![("amount".to_owned(), amount.to_owned()), ("policy".to_owned(), policy.to_owned())],
    }
}

/// How a sending ended.
pub(crate) async fn send(provider: &Arc<dyn SmsProvider>, sms: &Sms) -> String {
    in_words(&provider.send(sms).await)
}

pub(crate) fn in_words(outcome: &SendOutcome) -> String {
    match outcome {
        SendOutcome::Accepted { .. } => "accepted".to_owned(),
        SendOutcome::Refused { class, code, .. } => format!("{class:?} {code}"),
        SendOutcome::NotConnected { .. } => "not connected".to_owned(),
        SendOutcome::Doubtful { .. } => "doubtful".to_owned(),
    }
}

/// What asking brings for a message whose answer was lost.
pub(crate) async fn ask(provider: &Arc<dyn SmsProvider>, out_id: &str) -> String {
    ask_by(provider, out_id, None).await
}

pub(crate) async fn ask_by(provider: &Arc<dyn SmsProvider>, out_id: &str, provider_id: Option<String>) -> String {
    let question =
        Question { out_id: out_id.to_owned(), provider_id, to: NUMBER.to_owned(), sent_at: jiff::Timestamp::now() };
    match provider.ask(&question).await {
        AskOutcome::Found { word, .. } => word_of(&word),
        AskOutcome::NotFound => "not found".to_owned(),
        AskOutcome::NoAnswer { .. } => "no answer".to_owned(),
        AskOutcome::NotOffered => "not offered".to_owned(),
    }
}

pub(crate) fn word_of(word: &DeliveryWord) -> String {
    match word {
        DeliveryWord::OnTheWay => "on the way".to_owned(),
        DeliveryWord::Delivered { at } => {
            assert!(at.is_some(), "the sandbox says when");
            "delivered".to_owned()
        }
        DeliveryWord::Undelivered { class, code, .. } => format!("undelivered {class:?} {code}"),
    }
}

/// A request that somebody took.
pub(crate) struct Request {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Read as the provider reads it.
    pub(crate) fn read(&self, provider: &Arc<dyn SmsProvider>) -> PushRead {
        provider.read_push(&Push { headers: &self.headers, body: &self.body }).unwrap()
    }
}

/// What a listener does with each request once it has read it.
#[derive(Clone, Copy)]
pub(crate) enum Treatment {
    /// Answers 200 with this.
    Answer(&'static str),
    /// Answers this status, and nothing else.
    Status(&'static str),
    /// Closes the connection.
    Close,
}

/// Somebody who listens on a port of the loopback and passes on what comes.
pub(crate) struct Listener {
    pub(crate) url: String,
    requests: mpsc::UnboundedReceiver<Request>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Listener {
    /// Treats the first requests as given, one each, and all later ones by the last.
    pub(crate) async fn start(treatments: &'static [Treatment]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/receipts", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        let serving = tokio::spawn(async move {
            let mut next = treatments.iter().copied().chain(std::iter::repeat(*treatments.last().unwrap()));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                treat(stream, next.next().unwrap(), &sender).await;
            }
        });
        Self { url, requests, serving }
    }

    pub(crate) async fn next(&mut self) -> Request {
        self.requests.recv().await.unwrap()
    }

    /// Every receipt of the next push.
    pub(crate) async fn receipts(&mut self, provider: &Arc<dyn SmsProvider>) -> Vec<Receipt> {
        self.next().await.read(provider).receipts
    }

    /// How many requests came that nobody has looked at.
    pub(crate) fn waiting(&self) -> usize {
        self.requests.len()
    }
}

async fn treat(mut stream: TcpStream, treatment: Treatment, sender: &mpsc::UnboundedSender<Request>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let (head, length) = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let headers = headers(&head);
            let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            if bytes.len() >= at + 4 + length {
                break (headers, at + 4);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    sender.send(Request { headers: head, body: bytes.split_off(length) }).unwrap();
    let answer = match treatment {
        Treatment::Answer(body) => {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
        Treatment::Status(status) => format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
        Treatment::Close => return,
    };
    stream.write_all(answer.as_bytes()).await.unwrap();
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect()
}
