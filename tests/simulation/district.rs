//! The small district of one history: funds, policies, approvals and everything else that comes from outside, invented from
//! the seed. Events are sealed by their place in a list: the signature check of the simulation reads what that place holds.

use crate::world::START;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, FundId, OperatorId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{EndKind, Ended, Enterprise};
use zhida_core::ports::bank::{Debtor, Payee};
use zhida_core::ports::store::{AuthorityReader, StoredEvent};
use zhida_core::rules::Rules;
use zhida_core::steps::{Approval, Arrival, Authority, Fact, Fund, Operator, Policy, Role};

/// Something from outside.
#[derive(Clone, Debug)]
pub(crate) enum Outside {
    /// A sender publishes this event (perhaps not for the first time).
    Publish(usize),
    /// These policies (by place) are imported, with the funds as they are.
    Import(usize),
    /// A fund is filled.
    Fill(FundId, Fen),
    /// An officer finds something to do.
    Officer,
    /// Sending is stopped.
    Stop,
    /// Two officers resume.
    Resume,
    /// The intake key `key-2` is revoked.
    RevokeKey,
    /// Somebody edits the database: the payee of a waiting payout.
    Tamper,
    /// A statement line names an instruction that is nobody's.
    StrangeLine,
    /// The bank tells of every generation of a payout that it is on the way.
    Echoes,
    /// The bank takes no connections for that long.
    BankCloses(SignedDuration),
    /// A backup of the database is made.
    Backup,
    /// The database is lost and the backup takes its place.
    Restore,
}

/// The district.
pub(crate) struct District {
    pub(crate) funds: Vec<Fund>,
    pub(crate) policies: Vec<Policy>,
    /// Every event that anybody will ever sign.
    pub(crate) events: Arc<Vec<Arrival>>,
    /// What happens, in this order, at random moments.
    pub(crate) plan: Vec<Outside>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) revoked: Arc<AtomicBool>,
}

impl District {
    pub(crate) fn invent(rng: &mut fastrand::Rng, rules: &Rules) -> Self {
        let funds = vec![fund("F-1", 100_000_000), fund("F-2", rng.i64(300_000..1_500_000))];
        let policies = vec![
            policy("P-1", "F-1"),
            Policy {
                commitment_required: true,
                cap_per_enterprise_per_year: Some(Fen(900_000)),
                ..policy("P-2", "F-2")
            },
            Policy {
                release_limit: Some(Fen(400_000)),
                cap_per_application: Some(Fen(550_000)),
                ..policy("P-3", "F-1")
            },
        ];
        let mut events = Vec::new();
        let mut plan = Vec::new();
        for number in 0..rng.usize(1..6) {
            application(rng, rules, number, &mut events, &mut plan);
        }
        for (place, amount) in [(1, 0), (2, 500_000)] {
            let at = rng.usize(0..=plan.len());
            plan.insert(at, Outside::Import(place));
            if amount > 0 && rng.bool() {
                plan.push(Outside::Fill(FundId::from("F-2"), Fen(amount)));
            }
        }
        sprinkle(rng, &mut plan);
        let operators =
            [("O-1", Role::Operator), ("R-1", Role::Releaser), ("R-2", Role::Releaser), ("R-3", Role::Releaser)]
                .map(|(id, role)| Operator {
                    id: OperatorId::from(id),
                    name: id.to_owned(),
                    role,
                    public_key: format!("key of {id}"),
                    disabled_at: None,
                })
                .to_vec();
        Self { funds, policies, events: Arc::new(events), plan, operators, revoked: Arc::default() }
    }
}

/// Acts and accidents between the events.
fn sprinkle(rng: &mut fastrand::Rng, plan: &mut Vec<Outside>) {
    let accident = |rng: &mut fastrand::Rng| match rng.u8(0..24) {
        0 => Outside::Stop,
        1 | 2 => Outside::Resume,
        3 => Outside::BankCloses(SignedDuration::from_mins(rng.i64(1..600))),
        4 => Outside::Tamper,
        5 if rng.u8(0..4) == 0 => Outside::RevokeKey,
        6 if rng.u8(0..2) == 0 => Outside::StrangeLine,
        7 => Outside::Echoes,
        _ => Outside::Officer,
    };
    for _ in 0..rng.usize(0..12) {
        let what = accident(rng);
        let at = rng.usize(0..=plan.len());
        plan.insert(at, what);
    }
    for _ in 0..rng.usize(0..8) {
        plan.push(Outside::Officer);
    }
    if rng.u8(0..3) == 0 {
        let backup = rng.usize(0..=plan.len());
        plan.insert(backup, Outside::Backup);
        let restore = rng.usize(backup + 1..=plan.len());
        plan.insert(restore, Outside::Restore);
    }
}

/// One application's approval, its repetitions, its contradictions and its fate.
fn application(
    rng: &mut fastrand::Rng,
    rules: &Rules,
    number: usize,
    events: &mut Vec<Arrival>,
    plan: &mut Vec<Outside>,
) {
    let id = ApplicationId(format!("A-{number}"));
    let approval = approval(rng, rules, &id);
    let mut publish = |rng: &mut fastrand::Rng, fact: Fact| {
        events.push(arrival(rng, events.len(), &id, fact));
        let place = events.len() - 1;
        for _ in 0..=usize::from(rng.u8(0..3) == 0) {
            let at = if rng.u8(0..3) == 0 { rng.usize(0..=plan.len()) } else { plan.len() };
            plan.insert(at, Outside::Publish(place));
        }
    };
    if rng.u8(0..8) == 0 {
        publish(rng, Fact::PublicityStarted(id.clone(), START - SignedDuration::from_hours(3)));
        publish(rng, Fact::PublicityObjected(id.clone(), START - SignedDuration::from_hours(2)));
    }
    publish(rng, Fact::Approved(Box::new(approval.clone())));
    if rng.u8(0..6) == 0 {
        publish(rng, Fact::Approved(Box::new(approval.clone())));
    }
    if rng.u8(0..6) == 0 {
        let payee = Payee { account_no: "6222000000000009999".to_owned(), ..approval.payee.clone() };
        publish(rng, Fact::Approved(Box::new(Approval { payee, ..approval.clone() })));
    }
    if rng.u8(0..6) == 0 {
        let key = PayoutKey { tranche: 2, ..approval.key.clone() };
        publish(rng, Fact::Approved(Box::new(Approval { key, ..approval.clone() })));
    }
    if let Some(commitment_id) = approval.commitment_id.clone()
        && rng.u8(0..4) > 0
    {
        publish(rng, Fact::CommitmentSigned { commitment_id, uscc: approval.enterprise.uscc.clone() });
    }
    if rng.u8(0..2) == 0 {
        publish(rng, Fact::PublicityEnded(id.clone(), START - SignedDuration::from_hours(1)));
    }
    for hours in 0..rng.i64(0..3) {
        let account_no = format!("62220000000000{:05}", rng.u32(0..100_000));
        let payee = Payee { account_no, account_name: approval.enterprise.name.clone(), ..approval.payee.clone() };
        let at = START - SignedDuration::from_hours(hours);
        publish(rng, Fact::PayeeCorrected(approval.key.clone(), payee, at));
    }
    if rng.u8(0..5) == 0 {
        let kind = [EndKind::Withdrawn, EndKind::Rejected, EndKind::Revoked][rng.usize(0..3)];
        publish(rng, Fact::Ended(id.clone(), Ended { kind, at: START, reason: "of its own accord".to_owned() }));
    }
}

fn approval(rng: &mut fastrand::Rng, rules: &Rules, id: &ApplicationId) -> Approval {
    let enterprise = rng.usize(0..3);
    let name = format!("示例{enterprise}有限公司");
    let account_no = match rng.u8(0..12) {
        0 => "00000000".to_owned(),
        1 => "6222000000000005555".to_owned(),
        _ => format!("622200000000000{enterprise}"),
    };
    let account_name = if rng.u8(0..12) == 0 { "另一公司".to_owned() } else { name.clone() };
    let approved_at = match rng.u8(0..40) {
        0 => START - rules.max_age - SignedDuration::from_hours(1),
        1 => START + SignedDuration::from_hours(30 * 24),
        _ => START - SignedDuration::from_secs(rng.i64(0..7200)),
    };
    Approval {
        key: PayoutKey { application_id: id.clone(), tranche: 1 },
        policy_id: PolicyId::from(["P-1", "P-1", "P-2", "P-3"][rng.usize(0..4)]),
        fund_id: None,
        enterprise: Enterprise { uscc: format!("91350100M00010{enterprise}Y43"), name },
        amount: Fen([100_000, 250_000, 500_000, 600_000][rng.usize(0..4)]),
        currency: "CNY".to_owned(),
        payee: Payee {
            account_name,
            account_no,
            bank_code: "102100099996".to_owned(),
            bank_name: "示例银行".to_owned(),
        },
        approved_at,
        officers: rng.u32(1..3),
        commitment_id: Some(format!("C-{id}")),
    }
}

fn arrival(rng: &mut fastrand::Rng, place: usize, id: &ApplicationId, fact: Fact) -> Arrival {
    Arrival {
        case: None,
        contacts: None,
        source: "/review/sim".to_owned(),
        event_id: format!("e-{place}"),
        event_type: "sim".to_owned(),
        subject: id.0.clone(),
        keyid: if rng.u8(0..4) == 0 { "key-2" } else { "key-1" }.to_owned(),
        content_sha256: place.to_string(),
        body: place.to_string().into_bytes(),
        way: "amqp".to_owned(),
        fact,
    }
}

fn fund(id: &str, appropriated: i64) -> Fund {
    let debtor =
        Debtor { name: "区财政局".to_owned(), account_no: "100".to_owned(), bank_code: "102100099996".to_owned() };
    Fund {
        id: FundId::from(id),
        name: id.to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(appropriated),
        committed: Fen::ZERO,
        debtor,
        budget_document: None,
    }
}

fn policy(id: &str, fund_id: &str) -> Policy {
    Policy {
        id: PolicyId::from(id),
        title: format!("政策 {id}"),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from(fund_id),
        valid_from: jiff::civil::date(2020, 1, 1),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}

/// The signature check: what stands in the sealed list is signed, nothing else is.
pub(crate) struct SealedEvents {
    events: Arc<Vec<Arrival>>,
    revoked: Arc<AtomicBool>,
}

impl SealedEvents {
    pub(crate) fn of(district: &District) -> Self {
        Self { events: district.events.clone(), revoked: district.revoked.clone() }
    }

    fn arrival(&self, event: &StoredEvent) -> Option<&Arrival> {
        let place: usize = std::str::from_utf8(&event.body).ok()?.parse().ok()?;
        self.events.get(place)
    }
}

impl AuthorityReader for SealedEvents {
    fn read(&self, approval: &StoredEvent, correction: Option<&StoredEvent>) -> Option<Authority> {
        let approval = self.arrival(approval)?;
        let Fact::Approved(approved) = &approval.fact else { return None };
        let correction = correction.map(|event| self.arrival(event));
        let mut keyids = std::iter::once(approval).chain(correction.flatten()).map(|arrival| &arrival.keyid);
        let revoked = self.revoked_keys();
        let revoked_key = keyids.find(|keyid| revoked.contains(*keyid)).cloned();
        let payee = match correction.map(|arrival| arrival.map(|one| &one.fact)) {
            None => approved.payee.clone(),
            Some(Some(Fact::PayeeCorrected(_, payee, _))) => payee.clone(),
            Some(_) => return None,
        };
        let (amount, currency) = (approved.amount, approved.currency.clone());
        let (key, uscc) = (approved.key.clone(), approved.enterprise.uscc.clone());
        Some(Authority { key, amount, currency, uscc, payee, revoked_key })
    }

    fn revoked_keys(&self) -> Vec<String> {
        if self.revoked.load(Ordering::Relaxed) { vec!["key-2".to_owned()] } else { Vec::new() }
    }
}

/// When an approval was signed for this payout: the payees that may be paid, and the amount.
pub(crate) fn entitlements(events: &[Arrival], key: &PayoutKey) -> (Vec<Fen>, Vec<Payee>) {
    let mut amounts = Vec::new();
    let mut payees = Vec::new();
    for arrival in events {
        match &arrival.fact {
            Fact::Approved(approval) if approval.key == *key => {
                amounts.push(approval.amount);
                payees.push(approval.payee.clone());
            }
            Fact::PayeeCorrected(corrected, payee, _) if corrected == key => payees.push(payee.clone()),
            Fact::Approved(_)
            | Fact::PayeeCorrected(..)
            | Fact::Ended(..)
            | Fact::PublicityStarted(..)
            | Fact::PublicityObjected(..)
            | Fact::PublicityEnded(..)
            | Fact::CommitmentSigned { .. }
            | Fact::Other => {}
        }
    }
    (amounts, payees)
}

/// The latest moment a plan speaks of.
pub(crate) const HORIZON: Timestamp = Timestamp::constant(1_795_000_000 + 60 * 86_400, 0);
