//! The world in which the cases are told: an empty store with one fund and one policy, awards, officers, a bank that says what
//! the case wants. Signatures are taken as given: an event's body is what it entitles to.

use crate::belief::{Bodies, Plain, Revoked};
use crate::place::Place;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::sync::Arc;
use zhida_core::batch::ClaimedBatch;
use zhida_core::case_file::ReviewTerms;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, MsgId, OperatorId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::{Carrier, EndKind, Ended, Enterprise, Payout, Word};
use zhida_core::ports::bank::{BankWord, CallOutcome, Debtor, EnquiryOutcome, Payee, StatusReport};
use zhida_core::ports::store::{Acted, AnyAct, Figures, Protocol, SignedAct, Store};
use zhida_core::rules::Rules;
use zhida_core::steps::{ActOutcome, Approval, Arrival, EnquiryResult, Fact, Fund, Operator, Policy, Role, TakenIn};
use zhida_tests::outgoing::keeps_its_contract;

/// The world of one case.
#[derive(Clone)]
pub(crate) struct World {
    place: Place,
    protocol: Protocol,
    revoked: Revoked,
    /// One handle.
    pub(crate) store: Arc<dyn Store>,
    /// Another, as another process has it.
    pub(crate) other: Arc<dyn Store>,
}

/// An award as the review system approves it; cases change what they care about.
#[derive(Clone)]
pub(crate) struct Award {
    pub(crate) number: u32,
    pub(crate) tranche: u32,
    pub(crate) event: String,
    pub(crate) enterprise: u32,
    pub(crate) fen: i64,
    pub(crate) account: String,
    pub(crate) keyid: &'static str,
    pub(crate) approved: Timestamp,
}

impl World {
    pub(crate) async fn new(place: &Place, rules: Rules) -> Self {
        let revoked = Revoked::default();
        let verifier = Arc::new(Bodies(revoked.clone()));
        let protocol = Protocol { rules: Arc::new(rules), format: Arc::new(Plain), verifier };
        let (store, other) = (place.open(protocol.clone()).await, place.open(protocol.clone()).await);
        store.import_policies(&[fund(1_000_000)], &[policy()], "test").await.unwrap();
        for (id, role) in [("O-1", Role::Operator), ("R-1", Role::Releaser), ("R-2", Role::Releaser)] {
            store.put_operator(&operator(id, role), "test").await.unwrap();
        }
        Self { place: place.clone(), protocol, revoked, store, other }
    }

    /// The same district after a restart by other settings.
    pub(crate) async fn with_rules(&self, rules: Rules) -> Self {
        let protocol = Protocol { rules: Arc::new(rules), ..self.protocol.clone() };
        let (store, other) = (self.place.open(protocol.clone()).await, self.place.open(protocol.clone()).await);
        Self { protocol, store, other, ..self.clone() }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.protocol.rules
    }

    /// From now on this key counts as revoked, as "stolen" always does.
    pub(crate) fn revoke(&self, keyid: &str) {
        self.revoked.lock().unwrap().push(keyid.to_owned());
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        self.place.advance(time);
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.store.now().await.unwrap()
    }

    // ── events ──

    /// Award number `number`, over 100 yuan, of an enterprise of its own, approved just now.
    pub(crate) async fn award(&self, number: u32) -> Award {
        Award {
            number,
            tranche: 1,
            event: format!("e-{number}"),
            enterprise: number,
            fen: 10_000,
            account: format!("622200{number}"),
            keyid: "key-1",
            approved: self.now().await,
        }
    }

    /// Takes awards in that must be accepted.
    pub(crate) async fn accept(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            let award = self.award(number).await;
            assert_eq!(self.take(&[award.arrival()]).await, [TakenIn::Accepted]);
        }
    }

    pub(crate) async fn take(&self, arrivals: &[Arrival]) -> Vec<TakenIn> {
        self.store.take_in(arrivals.to_vec()).await.unwrap()
    }

    // ── the payout ──

    pub(crate) async fn payout(&self, number: u32) -> Payout {
        let payouts = self.store.payouts_of(&key(number).application_id).await.unwrap();
        payouts.into_iter().next().unwrap_or_else(|| panic!("award {number} is in no state"))
    }

    pub(crate) async fn states(&self, numbers: impl IntoIterator<Item = u32>) -> Vec<&'static str> {
        let mut states = Vec::new();
        for number in numbers {
            states.push(self.payout(number).await.state().code());
        }
        states
    }

    pub(crate) async fn reason(&self, number: u32) -> String {
        self.payout(number).await.reason().map_or_else(String::new, |(code, _)| code)
    }

    pub(crate) async fn instruction(&self, number: u32) -> InstructionId {
        self.payout(number).await.latest().unwrap().id.clone()
    }

    pub(crate) async fn figures(&self) -> Figures {
        self.store.figures().await.unwrap()
    }

    pub(crate) async fn rang(&self, kind: &str) -> u64 {
        self.figures().await.alarms_by_kind.get(kind).copied().unwrap_or(0)
    }

    // ── sending ──

    pub(crate) async fn claim(&self, name: &str) -> Option<ClaimedBatch> {
        self.store.claim(MsgId::from(name), 200).await.unwrap()
    }

    pub(crate) async fn claimed(&self, name: &str) -> ClaimedBatch {
        self.claim(name).await.unwrap_or_else(|| panic!("there is nothing to claim as {name}"))
    }

    pub(crate) async fn book(&self, claimed: &ClaimedBatch, outcome: CallOutcome) {
        self.store.book_call(claimed, &outcome).await.unwrap();
    }

    /// Every member is answered alike.
    pub(crate) async fn answer(&self, claimed: &ClaimedBatch, word: BankWord) {
        let id = |one: &InstructionId| StatusReport { instruction_id: one.clone(), word: word.clone() };
        let reports = claimed.members.iter().map(|(member, _)| id(&member.instruction_id)).collect();
        self.book(claimed, CallOutcome::Answered(reports)).await;
    }

    /// Awards sent and settled under `name`.
    pub(crate) async fn pay(&self, name: &str) {
        let claimed = self.claimed(name).await;
        assert_eq!(self.store.may_write(&claimed).await.unwrap(), Ok(()));
        self.answer(&claimed, settled()).await;
    }

    /// Every enquiry that is due is made and answered alike; says how many there were.
    pub(crate) async fn enquire(&self, outcome: impl Fn(&InstructionId) -> EnquiryOutcome) -> usize {
        let enquiries = self.store.claim_enquiries(100).await.unwrap();
        let result = |one: &zhida_core::ports::store::Enquiry| EnquiryResult {
            key: one.key.clone(),
            instruction_id: one.instruction_id.clone(),
            begun_at: one.begun_at,
            outcome: outcome(&one.instruction_id),
        };
        let results: Vec<EnquiryResult> = enquiries.iter().map(result).collect();
        self.store.book_enquiries(&results).await.unwrap();
        results.len()
    }

    /// Enquiries until `word` is confirmed for whatever is due within a few minutes.
    pub(crate) async fn enquire_says(&self, word: BankWord) {
        self.pass(SignedDuration::from_mins(5));
        let found = |id: &InstructionId| StatusReport { instruction_id: id.clone(), word: word.clone() };
        assert!(self.enquire(|id| EnquiryOutcome::Found(found(id))).await > 0, "no enquiry is due");
    }

    /// One definitive "not found" for whatever is due.
    pub(crate) async fn enquire_finds_nothing(&self) {
        self.pass(self.rules().bank.visibility + self.rules().bank.lease);
        assert!(self.enquire(|_| EnquiryOutcome::NotFound).await > 0, "no enquiry is due");
    }

    pub(crate) async fn hear(&self, id: &InstructionId, word: Word, carrier: Carrier) {
        self.store.book_evidence(&[(id.clone(), word, carrier)]).await.unwrap();
    }

    /// Everything that time alone brings.
    pub(crate) async fn sweep(&self) {
        self.store.expire_leases(100).await.unwrap();
        self.store.hold_revoked(100).await.unwrap();
        self.store.time_passes(100).await.unwrap();
        while self.store.reconsider(100).await.unwrap() > 0 {}
    }

    // ── people ──

    pub(crate) async fn act(&self, operator: &str, act: impl Into<AnyAct>) -> Acted {
        self.store.act(&signed(&uuid(), operator, act)).await.unwrap()
    }

    pub(crate) async fn done(&self, operator: &str, act: impl Into<AnyAct>) {
        assert_eq!(self.act(operator, act).await, Acted::Done(ActOutcome::Done));
    }

    // ── the end of every case ──

    /// What funds say is committed is what payouts hold, no account of a payout is negative, and what waits in the outbox
    /// keeps its contract.
    pub(crate) async fn books_balance(&self) {
        keeps_its_contract(&self.store.claim_outbox(10_000).await.unwrap());
        let page = zhida_core::ports::store::PayoutFilter { limit: 1000, ..Default::default() };
        let payouts = self.store.payouts(&page).await.unwrap().items;
        for fund in self.store.funds().await.unwrap() {
            let of_fund = payouts.iter().filter(|one| one.funded && one.fund_id.as_ref() == Some(&fund.id));
            let charged: Fen = of_fund.map(|one| one.amount).sum();
            assert_eq!(fund.committed, charged, "fund {}", fund.id);
        }
        for payout in payouts {
            let travelling = payout.instructions.iter().flat_map(|one| [one.in_transit, one.paid]);
            let least = travelling.chain([payout.reserved]).min().unwrap();
            assert!(least >= Fen::ZERO, "{payout:?}");
        }
    }
}

impl Award {
    pub(crate) fn arrival(&self) -> Arrival {
        let name = format!("示例{}有限公司", self.enterprise);
        let payee = payee(&name, &self.account);
        let enterprise = Enterprise { uscc: uscc(self.enterprise), name };
        let key = PayoutKey { tranche: self.tranche, ..key(self.number) };
        let body =
            json!({"key": key, "amount": self.fen, "uscc": enterprise.uscc, "payee": payee, "keyid": self.keyid});
        let approval = Approval {
            key,
            policy_id: PolicyId::from("P-1"),
            fund_id: None,
            enterprise,
            amount: Fen(self.fen),
            currency: "CNY".to_owned(),
            payee,
            approved_at: self.approved,
            officers: 1,
            commitment_id: Some(format!("C-{}", self.number)),
        };
        let fact = Fact::Approved(Box::new(approval));
        Arrival { keyid: self.keyid.to_owned(), ..arrival(&self.event, self.number, fact, &body) }
    }
}

pub(crate) fn arrival(event: &str, number: u32, fact: Fact, body: &serde_json::Value) -> Arrival {
    Arrival {
        case: None,
        contacts: None,
        source: "/review/example".to_owned(),
        event_id: event.to_owned(),
        event_type: "test".to_owned(),
        subject: format!("A-{number}"),
        keyid: "key-1".to_owned(),
        content_sha256: format!("{event} {body}"),
        body: body.to_string().into_bytes(),
        way: "amqp".to_owned(),
        fact,
    }
}

/// The correction of an award's payee, signed; every enterprise has one award.
pub(crate) fn correction(event: &str, number: u32, account: &str) -> Arrival {
    correction_of(event, number, number, account)
}

/// The correction of the payee of an enterprise's award.
pub(crate) fn correction_of(event: &str, number: u32, enterprise: u32, account: &str) -> Arrival {
    let payee = payee(&format!("示例{enterprise}有限公司"), account);
    let body = json!({"payee": payee, "keyid": "key-1"});
    arrival(event, number, Fact::PayeeCorrected(key(number), payee, Timestamp::UNIX_EPOCH), &body)
}

pub(crate) fn withdrawal(event: &str, number: u32) -> Arrival {
    let ended = Ended { kind: EndKind::Withdrawn, at: Timestamp::UNIX_EPOCH, reason: "of its own accord".to_owned() };
    arrival(event, number, Fact::Ended(key(number).application_id, ended), &json!({}))
}

fn payee(name: &str, account: &str) -> Payee {
    Payee {
        account_name: name.to_owned(),
        account_no: account.to_owned(),
        bank_code: "102100099996".to_owned(),
        bank_name: "示例银行".to_owned(),
    }
}

/// A code of the lawful form; nobody here looks at its check digit.
pub(crate) fn uscc(enterprise: u32) -> String {
    format!("913501{enterprise:012}")
}

pub(crate) fn key(number: u32) -> PayoutKey {
    PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 }
}

pub(crate) fn fund(appropriated: i64) -> Fund {
    let (account_no, bank_code) = ("1".to_owned(), "102100099996".to_owned());
    Fund {
        id: FundId::from("F-1"),
        name: "专项资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(appropriated),
        committed: Fen::ZERO,
        debtor: Debtor { name: "财政局".to_owned(), account_no, bank_code },
        budget_document: None,
    }
}

pub(crate) fn policy() -> Policy {
    Policy {
        id: PolicyId::from("P-1"),
        title: "稳岗补贴".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2020-01-01".parse().unwrap(),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: ReviewTerms::default(),
    }
}

pub(crate) fn operator(id: &str, role: Role) -> Operator {
    let public_key = format!("key of {id}");
    Operator { id: OperatorId::from(id), name: id.to_owned(), role, public_key, disabled_at: None }
}

pub(crate) fn signed(event_id: &str, operator: &str, act: impl Into<AnyAct>) -> SignedAct {
    SignedAct {
        source: "/operators".to_owned(),
        event_id: event_id.to_owned(),
        event_type: "operator.act.v1".to_owned(),
        content_sha256: event_id.to_owned(),
        body: b"{}".to_vec(),
        operator_id: OperatorId::from(operator),
        act: act.into(),
        reason: "as seen".to_owned(),
    }
}

fn uuid() -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    format!("act-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

pub(crate) fn settled() -> BankWord {
    BankWord::Settled { code: "ACSC".to_owned(), credited_at: None, bank_reference: Some("R-1".to_owned()) }
}

pub(crate) fn on_the_way() -> BankWord {
    BankWord::OnTheWay { code: "PDNG".to_owned() }
}

pub(crate) fn rejected(reason: &str) -> BankWord {
    BankWord::Rejected { reason: reason.to_owned(), text: String::new() }
}

pub(crate) fn doubtful() -> CallOutcome {
    CallOutcome::Doubtful { why: "time-out".to_owned(), retry_after: None }
}
