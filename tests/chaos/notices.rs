//! Notices while everything around them breaks: the broker and the database are killed and come back, a worker is killed, the vendor is
//! down for a while and forgets to answer; every enterprise hears once that its money arrived. Judged by the vendor's phones.

use crate::district::mobile;
use crate::world::World;
use sqlx::Connection as _;
use std::collections::BTreeMap;
use std::time::Duration;
use zhida_sandbox::{SmsChance, SmsFault, Vendor};
use zhida_tests::waiting::wait_until;

const COUNT: usize = 200;

/// A run that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(900);

/// Enterprises are told of what came in as well; what counts here is that of the money.
const OF_THE_MONEY: &str = "payout_credited";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_hears_once_whatever_breaks_in_between() {
    let world = World::start(Vec::new(), 1).await;
    let gateway = world.sandbox().sms.url(Vendor::Webhook);
    let key = world.sandbox().sms.settings().webhook_key.clone();
    let settings = [
        ("NOTICES__SMS__gateway__KIND", "webhook".to_owned()),
        ("NOTICES__SMS__gateway__URL", gateway),
        ("NOTICES__SMS__gateway__KEY", key),
        ("NOTICES__SMS__gateway__TIMEOUT_SECONDS", "2".to_owned()),
        ("NOTICES__SMS__gateway__RECEIPT_SECRET", "only-the-gateway-knows-it".to_owned()),
        ("NOTICES__SIGNATURE", "鼓楼直达".to_owned()),
        ("NOTICES__CLAIM_LEASE_SECONDS", "6".to_owned()),
        ("NOTICES__VISIBILITY_SECONDS", "2".to_owned()),
        ("NOTICES__SWEEP_SECONDS", "1".to_owned()),
        ("NOTICES__PER_MINUTE_MAX", "100000".to_owned()),
    ];
    let mut world = world.with_settings(settings);
    let chance = |fault, per_mille| SmsChance { vendor: Some(Vendor::Webhook), faults: vec![fault], per_mille };
    let chances = [
        chance(SmsFault::AcceptReset, 30),
        chance(SmsFault::Reset, 30),
        chance(SmsFault::AcceptHang, 10),
        chance(SmsFault::ReceiptFirst, 50),
        chance(SmsFault::ReceiptTwice, 50),
    ];
    world.sandbox().sms.set_chances(chances.to_vec());
    let api = world.start_listening().await;
    let door = api.url("/v1/sms/receipts/gateway/only-the-gateway-knows-it");
    world.sandbox().sms.set_receipts_url(Vendor::Webhook, Some(&door));
    world.start_processes(2);
    let events = world.district.approvals(COUNT);
    world.publish(&events).await;
    until_told(&world, COUNT / 10).await;
    world.broker_killed_and_back().await;
    until_told(&world, COUNT * 3 / 10).await;
    world.kill_and_replace(1);
    until_told(&world, COUNT * 4 / 10).await;
    world.database_killed_and_back().await;
    until_told(&world, COUNT / 2).await;
    world.sandbox().bank.down().await;
    world.kill_and_replace(2);
    world.sandbox().bank.up().await.unwrap();
    world.until_settled(COUNT).await;
    until_told(&world, COUNT).await;
    until_at_rest(&world).await;
    everybody_was_told_once(&world).await;
}

/// Notices of the money that a vendor has taken in, as far as we know of them.
async fn until_told(world: &World, count: usize) {
    wait_until("enterprises to be told", PATIENCE, async || {
        let sql = "select count(*) from notices where kind = $1 and state in ('sent', 'delivered')";
        // The database may be away at the moment.
        let told = number(world, sql).await?;
        (usize::try_from(told).ok()? >= count).then_some(())
    })
    .await;
}

async fn until_at_rest(world: &World) {
    wait_until("everything to be told, or to have lost its point", PATIENCE, async || {
        let sql = "select (select count(*) from notice_requests where outcome is null and kind = $1) \
            + (select count(*) from notices where state in ('created', 'sending') and kind = $1)";
        (number(world, sql).await? == 0).then_some(())
    })
    .await;
}

async fn number(world: &World, sql: &'static str) -> Option<i64> {
    let mut connection = sqlx::PgConnection::connect(world.database_url()).await.ok()?;
    sqlx::query_scalar(sql).bind(OF_THE_MONEY).fetch_one(&mut connection).await.ok()
}

async fn everybody_was_told_once(world: &World) {
    let mut connection = sqlx::PgConnection::connect(world.database_url()).await.unwrap();
    let sql = "select id, messages from notices where kind = $1 order by id";
    let notices: Vec<(String, String)> =
        sqlx::query_as(sql).bind(OF_THE_MONEY).fetch_all(&mut connection).await.unwrap();
    assert_eq!(notices.len(), COUNT, "one notice for each award");
    let ledger = world.sandbox().sms.ledger();
    let mut by_number: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, messages) in &notices {
        let taken: Vec<_> = ledger.iter().filter(|one| one.out_id.starts_with(id.as_str())).collect();
        assert!(!messages.contains("\"beside_doubt\":true"), "{id}: nothing was in doubt for long: {messages}");
        assert_eq!(taken.len(), 1, "{id}: messages at the vendor; on record stands {messages}");
        *by_number.entry(taken[0].to.as_str()).or_default() += 1;
    }
    let told: Vec<String> = (0..COUNT).map(mobile).collect();
    assert_eq!(by_number, told.iter().map(|number| (number.as_str(), 1)).collect());
    assert_eq!(world.sandbox().sms.reproaches(), Vec::<String>::new());
    let calls = world.sandbox().sms.calls();
    let names: std::collections::BTreeSet<_> = calls.iter().map(|(_, out_id)| out_id).collect();
    assert_eq!(names.len(), calls.len(), "a message was handed in twice under its name");
}
