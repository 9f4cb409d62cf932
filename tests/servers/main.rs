//! The servers and the link that other tests rely on do what they say: a kill loses nothing committed, an emptied
//! broker is empty, an alarm blocks, a cut link is cut. Not tests of the product.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, PublisherConfirm};
use sqlx::{Connection as _, Executor, PgConnection};
use zhida_tests::link::Link;
use zhida_tests::servers::{Database, PostgresServer, RabbitServer, database, vhost};
use zhida_tests::waiting::wait_until;

async fn rows(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query_scalar("select count(*) from kept").fetch_one(&mut connection).await.unwrap()
}

async fn keep_a_row(url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("create table if not exists kept (id integer)").await.unwrap();
    connection.execute("insert into kept values (1)").await.unwrap();
}

#[tokio::test]
async fn each_database_is_its_own_and_goes_with_its_test() {
    let (one, other): (Database, Database) = (database(), database());
    keep_a_row(one.url()).await;
    keep_a_row(other.url()).await;
    assert_eq!(rows(one.url()).await, 1);
    let gone = one.url().to_owned();
    drop(one);
    assert!(PgConnection::connect(&gone).await.is_err());
    assert_eq!(rows(other.url()).await, 1);
}

#[tokio::test]
async fn a_killed_postgresql_comes_back_with_what_was_committed() {
    let server = PostgresServer::start_with(&["max_connections=10"]);
    keep_a_row(server.url()).await;
    let mut open = PgConnection::connect(server.url()).await.unwrap();
    server.kill9();
    assert!(open.execute("select 1").await.is_err());
    assert!(PgConnection::connect(server.url()).await.is_err());
    server.start_again();
    assert_eq!(rows(server.url()).await, 1);
    let most: String = sqlx::query_scalar("show max_connections")
        .fetch_one(&mut PgConnection::connect(server.url()).await.unwrap())
        .await
        .unwrap();
    assert_eq!(most, "10");
}

/// Messages in queue `kept`, None when there is no such queue.
async fn waiting(url: &str) -> Option<u32> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("kept".into(), options, FieldTable::default()).await;
    queue.ok().map(|queue| queue.message_count())
}

/// A quorum queue that has just come back elects its leader first and counts nothing until then.
async fn holds(url: &str, messages: u32) {
    let counted = async || (waiting(url).await == Some(messages)).then_some(());
    wait_until(&format!("{messages} messages in the queue"), Duration::from_secs(20), counted).await;
}

async fn keep_a_message(url: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare("kept".into(), options, quorum).await.unwrap();
    assert!(publish(&channel).await.await.unwrap().is_ack());
}

async fn publish(channel: &Channel) -> PublisherConfirm {
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), "kept".into(), options, b"one", persistent).await.unwrap()
}

#[tokio::test]
async fn each_vhost_is_its_own() {
    let (one, other) = (vhost(), vhost());
    keep_a_message(one.url()).await;
    holds(one.url(), 1).await;
    assert_eq!(waiting(other.url()).await, None);
    let gone = one.url().to_owned();
    drop(one);
    assert!(Connection::connect(&gone, ConnectionProperties::default()).await.is_err());
}

#[tokio::test]
async fn a_rabbitmq_node_is_killed_blocked_and_emptied() {
    let node = RabbitServer::start();
    keep_a_message(node.url()).await;
    node.settle();
    node.kill9();
    assert!(Connection::connect(node.url(), ConnectionProperties::default()).await.is_err());
    node.start_again();
    holds(node.url(), 1).await;

    node.raise_memory_alarm();
    let connection = Connection::connect(node.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let confirm = publish(&channel).await;
    let blocked = async || connection.status().blocked().then_some(());
    wait_until("the broker to block the publisher", Duration::from_secs(20), blocked).await;
    node.clear_memory_alarm();
    assert!(confirm.await.unwrap().is_ack(), "what was published under the alarm is taken after it");
    holds(node.url(), 2).await;

    node.delete_queue("kept");
    assert_eq!(waiting(node.url()).await, None);
    keep_a_message(node.url()).await;
    node.empty();
    node.start_again();
    assert_eq!(waiting(node.url()).await, None);
}

/// A client connected through a link, and the server's end of that connection.
fn through(link: &Link, server: &TcpListener) -> (TcpStream, TcpStream) {
    let url = link.url("http://user@ignored/");
    let address = url.trim_start_matches("http://user@").trim_end_matches('/');
    let client = TcpStream::connect(address).unwrap();
    let (server_end, _) = server.accept().unwrap();
    (client, server_end)
}

fn passes(from: &mut TcpStream, to: &mut TcpStream) {
    from.write_all(b"ping").unwrap();
    let mut received = [0; 4];
    to.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"ping");
}

#[tokio::test]
async fn a_link_carries_stalls_breaks_and_carries_again() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let link = Link::to(&format!("http://user@{}/", server.local_addr().unwrap()));
    let (mut client, mut server_end) = through(&link, &server);
    passes(&mut client, &mut server_end);
    passes(&mut server_end, &mut client);

    // Stalled: the sender fills every buffer on the way and then cannot write any more; nothing is closed.
    link.stall();
    client.set_nonblocking(true).unwrap();
    let full = async || match client.write(&[0; 65536]) {
        Ok(_) => None,
        Err(error) => Some(error.kind()),
    };
    let kind = wait_until("a full send buffer", Duration::from_secs(20), full).await;
    assert_eq!(kind, std::io::ErrorKind::WouldBlock);

    // Cut: both ends see it, and a new connection is closed at once.
    link.cut();
    client.set_nonblocking(false).unwrap();
    assert!(client.write_all(&[0; 65536]).is_err() || client.read(&mut [0]).map_or(true, |count| count == 0));
    assert!(server_end.read_to_end(&mut Vec::new()).is_ok(), "the server's end is closed");
    let url = link.url("http://user@ignored/");
    let address = url.trim_start_matches("http://user@").trim_end_matches('/');
    assert!(TcpStream::connect(address).unwrap().read(&mut [0]).map_or(true, |count| count == 0));

    link.restore();
    let (mut client, mut server_end) = through(&link, &server);
    passes(&mut client, &mut server_end);
}
