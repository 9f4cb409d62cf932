//! The district of one history: whom it tells things, by which rules, and what happens there with the moments at which it does.

use super::vendors::Vendors;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_core::case_file::ClockKind;
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, DepartmentId, FundId, OfficerId, OperatorId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::notice::{Channel, KindRules, Limit, NoticeKind, ProviderRules, QuietHours, Repeat};
use zhida_core::organisation::{Department, Officer, OfficerRole, Organisation};
use zhida_core::payout::Enterprise;
use zhida_core::ports::bank::{Debtor, Payee};
use zhida_core::rules::Rules;
use zhida_core::steps::{Approval, Arrival, Fact, Fund, Operator, Policy, Role};
use zhida_core::supervision::{Alert, Level, Raised};

/// Something from outside.
#[derive(Clone, Debug)]
pub(super) enum Outside {
    /// An award is approved; perhaps not for the first time.
    Approved(u32),
    /// The bank has paid it, or sent it back.
    Credited(u32),
    Returned(u32),
    /// A clock is overdue, and these officers are to be told.
    Overdue(u32, Vec<&'static str>),
    /// What it waited for has happened.
    Cleared(u32),
    /// Somebody tries a channel.
    Try(u32),
    /// Everything that was asked for is asked for again.
    AskedAgain,
    Stop,
    Resume,
    /// Somebody has a notice sent again that did not arrive.
    Resend,
    /// An enterprise does not want to hear of what is not essential.
    Prefers(u32),
    /// A vendor is away for so long.
    Away(usize, SignedDuration),
    /// Every worker stands still for that long.
    Outage(SignedDuration),
}

/// The district.
pub(super) struct District {
    pub(super) start: Timestamp,
    /// What happens when, in this order.
    pub(super) plan: Vec<(Timestamp, Outside)>,
    addresses: BTreeMap<String, (Option<String>, Option<String>)>,
}

/// Officers, with what they are reached by.
pub(super) const OFFICERS: [(&str, Option<&str>, Option<&str>); 4] = [
    ("O-1", Some("+8613700000001"), None),
    ("O-2", Some("+8613700000002"), Some("o-2@example.com")),
    ("H-1", None, Some("h-1@example.com")),
    ("S-1", None, None),
];

/// Who may stop notices and have them sent again.
pub(super) const OPERATOR: &str = "P-1";

impl District {
    pub(super) fn invent(rng: &mut fastrand::Rng, vendors: &mut Vendors) -> Self {
        // A Monday morning, or an hour before it is quiet.
        let start = Timestamp::from_second(1_795_395_600 + [0, 43_200][rng.usize(0..2)]).expect("a moment");
        let mut addresses = BTreeMap::new();
        for (id, mobile, email) in OFFICERS {
            addresses.insert(id.to_owned(), (mobile.map(str::to_owned), email.map(str::to_owned)));
        }
        let mut plan = Vec::new();
        let horizon = [2, 30, 60][rng.usize(0..3)] * 3_600;
        let within = |rng: &mut fastrand::Rng| start + SignedDuration::from_secs(rng.i64(0..horizon));
        for number in 1..=rng.u32(1..5) {
            addresses.insert(uscc(number), reached(rng, number));
            let approved = within(rng);
            plan.push((approved, Outside::Approved(number)));
            let later = |rng: &mut fastrand::Rng| approved + SignedDuration::from_secs(rng.i64(1..80_000));
            match rng.u8(0..6) {
                0 | 1 => plan.push((later(rng), Outside::Returned(number))),
                2 => {}
                _ => plan.push((later(rng), Outside::Credited(number))),
            }
        }
        for number in 0..rng.u32(0..6) {
            let at = if rng.bool() { start + SignedDuration::from_secs(600 + i64::from(number)) } else { within(rng) };
            let told: Vec<&str> = OFFICERS.iter().map(|one| one.0).filter(|_| rng.u8(0..3) > 0).collect();
            plan.push((at, Outside::Overdue(number, told)));
            if rng.bool() {
                plan.push((at + SignedDuration::from_secs(rng.i64(1..20_000)), Outside::Cleared(number)));
            }
        }
        for number in 0..rng.u32(0..3) {
            let mobile = format!("+8613500000{number:03}");
            addresses.insert(mobile.clone(), (Some(mobile), None));
            plan.push((within(rng), Outside::Try(number)));
        }
        for (mobile, email) in addresses.values() {
            if rng.u8(0..10) == 0 {
                vendors.nobody.extend([mobile, email].into_iter().flatten().cloned());
            }
        }
        if rng.u8(0..4) == 0 {
            plan.push((start, Outside::Prefers(1)));
        }
        incidents(rng, vendors, &within, &mut plan);
        plan.sort_by_key(|(at, _)| *at);
        Self { start, plan, addresses }
    }

    /// Where a recipient is reached by a channel.
    pub(super) fn address(&self, recipient: &str, channel: Channel) -> Option<String> {
        let (mobile, email) = self.addresses.get(recipient)?;
        match channel {
            Channel::Sms => mobile.clone(),
            Channel::Mail => email.clone(),
        }
    }

    /// What reaches an enterprise.
    pub(super) fn contacts(&self, number: u32, at: Timestamp) -> Contacts {
        let (mobile, email) = self.addresses.get(&uscc(number)).cloned().unwrap_or_default();
        Contacts::new(at, mobile, email, None)
    }
}

fn reached(rng: &mut fastrand::Rng, number: u32) -> (Option<String>, Option<String>) {
    let (mobile, email) = (format!("+86138{number:08}"), format!("finance-{number}@example.com"));
    match rng.u8(0..6) {
        0 => (None, Some(email)),
        1 | 2 => (Some(mobile), None),
        3 if rng.bool() => (None, None),
        _ => (Some(mobile), Some(email)),
    }
}

fn incidents(
    rng: &mut fastrand::Rng,
    vendors: &Vendors,
    within: &impl Fn(&mut fastrand::Rng) -> Timestamp,
    plan: &mut Vec<(Timestamp, Outside)>,
) {
    plan.extend((0..rng.usize(0..3)).map(|_| (within(rng), Outside::AskedAgain)));
    plan.extend((0..rng.usize(0..6)).map(|_| (within(rng), Outside::Resend)));
    for _ in 0..rng.usize(0..3) {
        let at = within(rng);
        plan.push((at, Outside::Stop));
        plan.push((at + SignedDuration::from_mins(rng.i64(1..600)), Outside::Resume));
    }
    let lengths = [60, 900, 7_200, 90_000];
    for _ in 0..rng.usize(0..4) {
        let length = SignedDuration::from_secs(lengths[rng.usize(0..lengths.len())]);
        plan.push((within(rng), Outside::Away(rng.usize(0..vendors.all.len()), length)));
    }
    for _ in 0..rng.usize(0..2) {
        let length = SignedDuration::from_secs(lengths[rng.usize(0..lengths.len())]);
        plan.push((within(rng), Outside::Outage(length)));
    }
}

/// The rules: some kinds are served once, some ceilings are low.
pub(super) fn rules(rng: &mut fastrand::Rng, vendors: &Vendors) -> Rules {
    let mut rules = Rules::with_defaults("sim");
    let notices = &mut rules.notices;
    notices.signature = Some("鼓楼直达".to_owned());
    notices.quiet = QuietHours::parse("22:00-07:30").filter(|_| rng.u8(0..3) > 0);
    notices.group_from = [2, 3, 3][rng.usize(0..3)];
    notices.per_minute_max = [2, 600, 600][rng.usize(0..3)];
    let tight = rng.u8(0..3) == 0;
    for (name, vendor) in &vendors.all {
        let limit = Limit { count: 1, window: SignedDuration::from_mins(1) };
        notices.providers.push(ProviderRules {
            limits: if tight && vendor.channel == Channel::Sms { vec![limit] } else { Vec::new() },
            price_per_segment: Some(450),
            ..ProviderRules::of_texts(name, vendor.channel)
        });
    }
    rng.shuffle(&mut notices.providers);
    for kind in [NoticeKind::PayoutCredited, NoticeKind::ReviewOverdue, NoticeKind::Test] {
        if rng.u8(0..3) == 0 {
            notices.kinds.insert(kind, KindRules { repeat: Some(Repeat::Never), channels: None });
        }
    }
    rules
}

// ── what stands in the store ──

/// A valid code (GB 32100-2015).
pub(super) fn uscc(enterprise: u32) -> String {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let head = format!("91350100{enterprise:09}");
    let value = |letter: u8| ALPHABET.iter().position(|one| *one == letter).expect("a letter of it");
    let sum: usize = head.bytes().zip(WEIGHTS).map(|(letter, weight)| value(letter) * weight).sum();
    format!("{head}{}", char::from(ALPHABET[(31 - sum % 31) % 31]))
}

/// One that is open, and one that is not any more: its awards are held.
const OPEN: &str = "P-1";
const OVER: &str = "P-2";

pub(super) fn key(number: u32) -> PayoutKey {
    PayoutKey { application_id: ApplicationId(format!("A-{number}")), tranche: 1 }
}

pub(super) fn operator() -> Operator {
    let (id, name) = (OperatorId::from(OPERATOR), OPERATOR.to_owned());
    Operator { id, name, role: Role::Operator, public_key: "key".to_owned(), disabled_at: None }
}

pub(super) fn organisation() -> Organisation {
    let id = DepartmentId::from("D-1");
    let department = Department { id: id.clone(), name: "审批科".to_owned(), parent_id: None };
    let officer = |(name, mobile, email): (&str, Option<&str>, Option<&str>)| Officer {
        id: OfficerId::from(name),
        name: name.to_owned(),
        department_id: id.clone(),
        role: OfficerRole::Officer,
        mobile: mobile.map(|text| zhida_schemas::identifiers::Mobile::parse(text).expect("a number")),
        email: email.map(|text| zhida_schemas::identifiers::Email::parse(text).expect("an address")),
        substitute_id: None,
        absent: Default::default(),
    };
    let officers = OFFICERS.map(officer).into_iter().map(|one| (one.id.clone(), one)).collect();
    Organisation { departments: [(id.clone(), department)].into(), officers, ladders: BTreeMap::new() }
}

pub(super) fn fund() -> Fund {
    let (name, account_no) = ("区财政局".to_owned(), "100".to_owned());
    Fund {
        id: FundId::from("F-1"),
        name: "惠企资金".to_owned(),
        currency: "CNY".to_owned(),
        appropriated: Fen(100_000_000),
        committed: Fen::ZERO,
        debtor: Debtor { name, account_no, bank_code: "102100099996".to_owned() },
        budget_document: None,
    }
}

pub(super) fn policies() -> [Policy; 2] {
    let ended: jiff::civil::Date = "2021-01-01".parse().expect("a day");
    [Policy { valid_to: Some(ended), ..policy(OVER) }, policy(OPEN)]
}

fn policy(id: &str) -> Policy {
    Policy {
        id: PolicyId::from(id),
        title: "稳岗补贴".to_owned(),
        department_id: "D-1".to_owned(),
        fund_id: FundId::from("F-1"),
        valid_from: "2020-01-01".parse().expect("a day"),
        valid_to: None,
        cap_per_application: None,
        cap_per_enterprise_per_year: None,
        release_limit: None,
        commitment_required: false,
        review: Default::default(),
    }
}

/// The approval of an award of 1,000 yuan, with what reaches its enterprise.
pub(super) fn arrival(number: u32, contacts: Contacts, at: Timestamp) -> Arrival {
    let name = format!("示例{number}有限公司");
    let policy_id = PolicyId::from(if number % 4 == 3 { OVER } else { OPEN });
    let approval = Approval {
        key: key(number),
        policy_id: policy_id.clone(),
        fund_id: None,
        enterprise: Enterprise { uscc: uscc(number), name: name.clone() },
        amount: Fen(100_000),
        currency: "CNY".to_owned(),
        payee: Payee {
            account_name: name,
            account_no: format!("62220000{number}"),
            bank_code: "102100099996".to_owned(),
            bank_name: "示例银行".to_owned(),
        },
        approved_at: at,
        officers: 2,
        commitment_id: None,
    };
    let said = zhida_core::case_file::Said::Submitted { policy_id, uscc: uscc(number), mode: None };
    let application_id = key(number).application_id;
    Arrival {
        case: Some(zhida_core::case_file::CaseNote { application_id, at, said }),
        contacts: Some(contacts),
        source: "/review/sim".to_owned(),
        event_id: format!("e-{number}"),
        event_type: "application.approved.v1".to_owned(),
        subject: format!("A-{number}"),
        keyid: "key-1".to_owned(),
        content_sha256: format!("e-{number}"),
        body: format!("{{\"award\":{number}}}").into_bytes(),
        way: "amqp".to_owned(),
        fact: Fact::Approved(Box::new(approval)),
    }
}

pub(super) fn alert_id(number: u32) -> String {
    format!("AL-{number}")
}

pub(super) fn alert(number: u32, told: &[&str], now: Timestamp) -> Alert {
    let told = told.iter().map(|id| OfficerId::from(*id)).collect();
    Alert {
        id: alert_id(number),
        application_id: key(number + 100).application_id,
        cause: format!("step:{number}"),
        clock: "review".to_owned(),
        kind: ClockKind::Review,
        episode: 1,
        department_id: Some(DepartmentId::from("D-1")),
        officer_id: None,
        deadline: now,
        raised: vec![Raised { level: Level::Rung(0), due_at: now, raised_at: now, told, note: None }],
        acknowledged: Vec::new(),
        cleared: None,
    }
}
