//! scratch
use super::place::{Place, approval, fund, policy};
use std::time::Instant;
use zhida_core::ids::MsgId;
use zhida_core::ports::bank::{BankWord, CallOutcome, StatusReport};
use zhida_core::ports::store::*;

pub(crate) async fn bench(place: &Place, n: u32) {
    let store = place.open().await;
    store.import_policies(&[fund(1_000_000_000_000)], &[policy()], "test").await.unwrap();
    let now = store.now().await.unwrap();
    for lap in 0..2 {
        let t = Instant::now();
        for batch in 0..n / 200 {
            let a = (1..=200)
                .map(|i| {
                    let mut a = approval(lap * n + batch * 200 + i, now, "k");
                    if let zhida_core::steps::Fact::Approved(x) = &mut a.fact {
                        x.amount = zhida_core::money::Fen(100);
                        let mut b: serde_json::Value = serde_json::from_slice(&a.body).unwrap();
                        b["amount"] = 100.into();
                        a.body = b.to_string().into_bytes();
                    }
                    a
                })
                .collect();
            store.take_in(a).await.unwrap();
        }
        eprintln!("intake {n}: {:?}", t.elapsed());
        let t = Instant::now();
        let (mut claims, mut looks, mut books) = (0.0, 0.0, 0.0);
        for i in 0.. {
            let t = Instant::now();
            let Some(claimed) = store.claim(MsgId(format!("M-{lap}-{i}")), 200).await.unwrap() else { break };
            claims += t.elapsed().as_secs_f64();
            let t = Instant::now();
            store.may_write(&claimed).await.unwrap().unwrap();
            looks += t.elapsed().as_secs_f64();
            let t = Instant::now();
            let reports = claimed
                .members
                .iter()
                .map(|(m, _)| StatusReport {
                    instruction_id: m.instruction_id.clone(),
                    word: BankWord::Settled { code: "ACSC".into(), credited_at: None, bank_reference: None },
                })
                .collect();
            store.book_call(&claimed, &CallOutcome::Answered(reports)).await.unwrap();
            books += t.elapsed().as_secs_f64();
        }
        eprintln!("pay {n}: {:?} claim {claims:.2} look {looks:.2} book {books:.2}", t.elapsed());
        let t = Instant::now();
        loop {
            let rows = store.claim_outbox(500).await.unwrap();
            if rows.is_empty() {
                break;
            }
            let ids: Vec<String> = rows.into_iter().map(|r| r.id).collect();
            store.outbox_sent(&ids).await.unwrap();
        }
        eprintln!("outbox: {:?}", t.elapsed());
    }
    if place.settings.url.starts_with("postgres") {
        use sqlx::Connection;
        let mut c = sqlx::PgConnection::connect(&place.settings.url).await.unwrap();
        sqlx::raw_sql("analyze").execute(&mut c).await.unwrap();
        sqlx::raw_sql("select pg_stat_reset()").execute(&mut c).await.unwrap();
        steady(&store, now, 90_000).await;
        c.close().await.unwrap();
        let mut c = sqlx::PgConnection::connect(&place.settings.url).await.unwrap();
        store.close().await;
        sqlx::raw_sql("select pg_sleep(1.5)").execute(&mut c).await.unwrap();
        use sqlx::Row;
        for r in sqlx::query(
            "select relname, seq_scan, seq_tup_read, idx_scan from pg_stat_user_tables order by seq_tup_read desc",
        )
        .fetch_all(&mut c)
        .await
        .unwrap()
        {
            eprintln!(
                "{:20} seq {:6} tuples {:8} idx {:?}",
                r.get::<String, _>(0),
                r.get::<i64, _>(1),
                r.get::<i64, _>(2),
                r.get::<Option<i64>, _>(3)
            );
        }
    } else {
        steady(&store, now, 90_000).await;
    }
}

async fn steady(store: &zhida_adapters::store::SqlStore, now: jiff::Timestamp, from: u32) {
    macro_rules! timed {
        ($name:literal, $e:expr) => {{
            let t = Instant::now();
            let r = $e;
            eprintln!("{:16} {:?}", $name, t.elapsed());
            r
        }};
    }
    for round in 0..2 {
        timed!(
            "take_in",
            store.take_in((1..=200).map(|i| approval(from + round * 200 + i, now, "k")).collect()).await.unwrap()
        );
        timed!(
            "take_in again",
            store.take_in((1..=200).map(|i| approval(from + round * 200 + i, now, "k")).collect()).await.unwrap()
        );
        let c = timed!("claim", store.claim(MsgId(format!("S-{round}")), 200).await.unwrap().unwrap());
        timed!("may_write", store.may_write(&c).await.unwrap().unwrap());
        timed!(
            "doubtful",
            store.book_call(&c, &CallOutcome::Doubtful { why: "x".into(), retry_after: None }).await.unwrap()
        );
        let e = timed!("claim_enquiries", store.claim_enquiries(200).await.unwrap());
        let r: Vec<_> = e
            .into_iter()
            .map(|e| zhida_core::steps::EnquiryResult {
                key: e.key,
                instruction_id: e.instruction_id.clone(),
                begun_at: e.begun_at,
                outcome: zhida_core::ports::bank::EnquiryOutcome::Found(StatusReport {
                    instruction_id: e.instruction_id,
                    word: BankWord::Settled { code: "ACSC".into(), credited_at: None, bank_reference: None },
                }),
            })
            .collect();
        timed!("book_enquiries", store.book_enquiries(&r).await.unwrap());
        timed!("expire", store.expire_leases(100).await.unwrap());
        timed!("time_passes", store.time_passes(100).await.unwrap());
        timed!("hold_revoked", store.hold_revoked(100).await.unwrap());
        timed!("reconsider", store.reconsider(100).await.unwrap());
        timed!("ring_again", store.ring_again().await.unwrap());
        timed!("claim none", store.claim(MsgId("N".into()), 200).await.unwrap());
        timed!("claim_outbox", store.claim_outbox(1000).await.unwrap());
        timed!("claim_outbox none", store.claim_outbox(1000).await.unwrap());
        timed!("trace", store.trace(&super::place::key(5).application_id).await.unwrap());
        timed!("payouts_of", store.payouts_of(&super::place::key(5).application_id).await.unwrap());
        let p = timed!("page", store.payouts(&PayoutFilter { limit: 100, ..Default::default() }).await.unwrap());
        timed!(
            "page 2",
            store
                .payouts(&PayoutFilter {
                    limit: 100,
                    before: p.next,
                    state: Some(zhida_core::payout::PayoutState::Settled),
                    ..Default::default()
                })
                .await
                .unwrap()
        );
    }
    timed!("figures", store.figures(now).await.unwrap());
}
