//! A sender who keeps to AMQP and to nothing else: routing keys and properties that are not UTF-8, tables nested ten
//! thousand deep. One such message must not stand in the way of the others, nor take the worker down.

use std::io::{Read, Write};
use std::net::TcpStream;

use zhida_adapters::transport::rabbitmq::{Queue, RabbitConsumer, topology};
use zhida_core::ports::queue::Consumer;
use zhida_tests::servers::vhost;

use crate::broker::{next, settings};

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
/// "approval" in GBK.
const GBK: &[u8] = b"\xc9\xf3\xc5\xfa";

#[tokio::test]
async fn strange_properties_and_keys_reach_the_intake_as_plain_deliveries() {
    let vhost = vhost();
    topology::declare_all(&settings(vhost.url())).await.unwrap();
    let url = vhost.url().to_owned();
    tokio::task::spawn_blocking(move || {
        let mut sender = Sender::connect(&url);
        let content_type = [&[0x80, 0x00, 4][..], GBK].concat();
        sender.publish(b"application.approved.v1", &content_type, b"foreign content type");
        let message_id = [&[0x00, 0x80, 4][..], GBK].concat();
        sender.publish(b"application.approved.v1", &message_id, b"foreign message id");
        sender.publish(GBK, &[0, 0], b"foreign routing key");
        sender.publish(b"application.approved.v1", &nested_headers(10_000), b"deep headers");
        sender.publish(b"application.approved.v1", &[0, 0], b"plain");
    })
    .await
    .unwrap();

    let mut intake = RabbitConsumer::new(settings(vhost.url()), Queue::Intake, 100);
    let mut taken = Vec::new();
    while taken.len() < 5 {
        let batch = next(&mut intake, 10).await;
        assert!(batch.iter().all(|delivery| delivery.tag.session == 1), "the connection was lost");
        taken.extend(batch.iter().map(|delivery| (delivery.routing_key.clone(), delivery.body.clone())));
    }
    let approved = "application.approved.v1";
    let expected: [(&str, &[u8]); 5] = [
        (approved, b"foreign content type"),
        (approved, b"foreign message id"),
        ("????", b"foreign routing key"),
        (approved, b"deep headers"),
        (approved, b"plain"),
    ];
    assert_eq!(taken, expected.map(|(key, body)| (key.to_owned(), body.to_vec())));
    intake.close().await;
}

/// Flags and a headers table that holds a table that holds a table …
fn nested_headers(depth: u32) -> Vec<u8> {
    let mut properties = vec![0x20, 0x00];
    for level in (0..=depth).rev() {
        properties.extend_from_slice(&(7 * level).to_be_bytes()); // what one level adds: key, kind, length
        if level > 0 {
            properties.extend_from_slice(b"\x01aF");
        }
    }
    properties
}

/// The least of AMQP 0-9-1 that publishes.
struct Sender {
    stream: TcpStream,
}

impl Sender {
    fn connect(url: &str) -> Self {
        let rest = url.strip_prefix("amqp://").unwrap();
        let (credentials, rest) = rest.split_once('@').unwrap();
        let (address, vhost) = rest.split_once('/').unwrap();
        let mut sender = Self { stream: TcpStream::connect(address).unwrap() };
        sender.stream.write_all(b"AMQP\x00\x00\x09\x01").unwrap();
        sender.await_method(10, 10);
        let secret = format!("\0{}", credentials.replace(':', "\0"));
        let mut start_ok = vec![0, 0, 0, 0]; // no client properties
        start_ok.extend_from_slice(b"\x05PLAIN");
        start_ok.extend_from_slice(&u32::try_from(secret.len()).unwrap().to_be_bytes());
        start_ok.extend_from_slice(secret.as_bytes());
        start_ok.extend_from_slice(b"\x05en_US");
        sender.method(0, 10, 11, &start_ok);
        sender.await_method(10, 30);
        sender.method(0, 10, 31, &[0, 1, 0, 2, 0, 0, 0, 0]); // one channel, frames of 128 KiB, no heartbeat
        let open = [&[u8::try_from(vhost.len()).unwrap()], vhost.as_bytes(), &[0, 0]].concat();
        sender.method(0, 10, 40, &open);
        sender.await_method(10, 41);
        sender.method(1, 20, 10, &[0]);
        sender.await_method(20, 11);
        sender.method(1, 85, 10, &[0]); // confirms
        sender.await_method(85, 11);
        sender
    }

    /// Publishes until the broker has the message. Without confirms a broker on a loaded machine was seen to drop the last ones.
    fn publish(&mut self, routing_key: &[u8], properties: &[u8], body: &[u8]) {
        loop {
            self.publish_once(routing_key, properties, body);
            match self.next_method() {
                (60, 80) => return,
                (60, 120) => {}
                other => panic!("neither a confirm nor a refusal: {other:?}"),
            }
        }
    }

    fn publish_once(&mut self, routing_key: &[u8], properties: &[u8], body: &[u8]) {
        let mut publish = vec![0, 0];
        publish.extend_from_slice(b"\x08zhida.in");
        publish.push(u8::try_from(routing_key.len()).unwrap());
        publish.extend_from_slice(routing_key);
        publish.push(0);
        self.method(1, 60, 40, &publish);
        let mut header = vec![0, 60, 0, 0];
        header.extend_from_slice(&(body.len() as u64).to_be_bytes());
        header.extend_from_slice(properties);
        self.frame(HEADER, 1, &header);
        self.frame(BODY, 1, body);
    }

    fn method(&mut self, channel: u16, class: u8, method: u8, arguments: &[u8]) {
        self.frame(METHOD, channel, &[&[0, class, 0, method], arguments].concat());
    }

    fn frame(&mut self, kind: u8, channel: u16, payload: &[u8]) {
        let mut frame = vec![kind];
        frame.extend_from_slice(&channel.to_be_bytes());
        frame.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(payload);
        frame.push(0xCE);
        self.stream.write_all(&frame).unwrap();
    }

    fn await_method(&mut self, class: u8, method: u8) {
        assert_eq!(self.next_method(), (class, method));
    }

    fn next_method(&mut self) -> (u8, u8) {
        let mut head = [0; 7];
        self.stream.read_exact(&mut head).unwrap();
        let size = u32::from_be_bytes(head[3..].try_into().unwrap()) as usize;
        let mut payload = vec![0; size + 1];
        self.stream.read_exact(&mut payload).unwrap();
        assert_eq!(head[0], METHOD, "the broker said {}", String::from_utf8_lossy(&payload));
        let answer = (payload[1], payload[3]);
        if answer == (60, 120) {
            eprintln!("the broker refused a message; it is sent again");
        }
        answer
    }
}
