//! What a notice is about, and the values that its words take from it. What is for discipline inspection alone gives its number and
//! its term, and nothing else.

use super::{Asked, Making};
use crate::case_file::ClockKind;
use crate::digest::Digest;
use crate::ids::{DepartmentId, PolicyId};
use crate::notice::template::{Form, Locale};
use crate::notice::value::{NOT_KNOWN, Values, account_tail, amount_in_capitals, money, time};
use crate::notice::{NoticeKind, NoticeRequest, Present, Quiet, words};
use crate::organisation::Matter;
use crate::patterns::PatternState;
use crate::payout::{HoldCode, Payout, RejectionClass};
use crate::supervision::{Alert, Audience, District, Level, Order, OrderStep};
use jiff::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What a request is about, as the store found it.
#[derive(Clone)]
pub enum Subject {
    /// A payout, and the title of its policy where that is known.
    Payout {
        /// The payout.
        payout: Box<Payout>,
        /// The policy's title.
        policy_title: Option<String>,
    },
    /// An alert.
    Alert {
        /// The alert.
        alert: Box<Alert>,
        /// The policy of its application, and its title, as far as they are known.
        policy: Option<(PolicyId, Option<String>)>,
        /// The order whose answer it is about.
        order: Option<Box<Order>>,
    },
    /// A supervision order.
    Order(Box<Order>),
    /// The daily digest.
    Digest(Box<Digest>),
    /// A case of dishonesty.
    Integrity(Box<IntegrityFacts>),
    /// Nothing: a try of a channel.
    Nothing,
    /// It cannot be found any more.
    Gone,
}

/// What a notice about dishonesty says. Whoever keeps the cases fills it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrityFacts {
    /// The case.
    pub case_id: String,
    /// Whom it concerns.
    pub enterprise_name: String,
    /// Number of the document that is served.
    pub document: String,
    /// Its date.
    pub dated: Date,
    /// The last day for the defence; of a decision, the first day on which repair can be asked for.
    pub until: Option<Date>,
}

impl Subject {
    /// As the rules on what has lost its point want to see it; none where it cannot be found.
    pub(super) fn present(&self) -> Option<Present<'_>> {
        match self {
            Self::Payout { payout, .. } => Some(Present::Payout(payout)),
            Self::Alert { alert, .. } => Some(Present::Alert(alert)),
            Self::Order(order) => Some(Present::Order(order)),
            Self::Digest(_) | Self::Integrity(_) | Self::Nothing => Some(Present::Nothing),
            Self::Gone => None,
        }
    }
}

/// The values of one request.
pub(super) fn values(asked: &Asked, locale: Locale, making: Making<'_>) -> Values {
    let values = Values::new(asked.request.kind, Form::Single, locale);
    let mut filling = Filling { values, locale, making };
    match &asked.subject {
        Subject::Payout { payout, policy_title } => {
            filling.payout(payout, policy_title.as_deref(), asked.request.hold());
        }
        Subject::Alert { alert, policy, order } => {
            let item = filling.alert(alert, policy.as_ref(), order.as_deref(), &asked.request);
            item.iter().for_each(|(name, value)| filling.values.text(name, value));
        }
        Subject::Order(order) => filling.order(order),
        Subject::Digest(digest) => filling.digest(digest),
        Subject::Integrity(facts) => filling.integrity(facts),
        Subject::Nothing => {
            let sender = making.rules.signature.as_deref().unwrap_or("zhida");
            filling.values.text("sender", sender);
            filling.put_time("time", making.district.now);
        }
        Subject::Gone => {}
    }
    filling.values
}

/// The values of several requests that go together.
pub(super) fn combined(asked: &[Asked], kind: NoticeKind, locale: Locale, making: Making<'_>) -> Values {
    let values = Values::new(kind, Form::Combined, locale);
    let mut filling = Filling { values, locale, making };
    let mut matters: Vec<(Timestamp, BTreeMap<&'static str, String>)> = Vec::new();
    for one in asked {
        if let Subject::Alert { alert, policy, order } = &one.subject {
            matters.push((alert.deadline, filling.alert(alert, policy.as_ref(), order.as_deref(), &one.request)));
        }
    }
    // The longest over, or due first, stands first.
    matters.sort_by_key(|(deadline, _)| *deadline);
    if let Some((deadline, item)) = matters.first() {
        filling.put_time("deadline", *deadline);
        filling.values.text("first", item.get("matter").map_or(NOT_KNOWN, String::as_str));
    }
    let shown = matters.len().min(crate::notice::template::variables::ITEMS_MAX);
    let items: Vec<BTreeMap<&'static str, String>> = matters.iter().take(shown).map(|(_, item)| item.clone()).collect();
    filling.values.items(&items);
    filling.count("count", asked.len());
    filling.count("more", asked.len() - shown);
    filling.values
}

/// So much of a name leaves room for the rest of the phrase in an SMS.
const NAME_MAX: usize = 8;

/// Values while they are put in.
struct Filling<'a> {
    values: Values,
    locale: Locale,
    making: Making<'a>,
}

impl Filling<'_> {
    fn time(&self, at: Timestamp) -> String {
        time(at, &self.making.rules.zone)
    }

    fn put_time(&mut self, name: &str, at: Timestamp) {
        let text = self.time(at);
        self.values.text(name, &text);
    }

    fn count(&mut self, name: &str, count: usize) {
        self.values.count(name, u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn payout(&mut self, payout: &Payout, policy_title: Option<&str>, hold: Option<HoldCode>) {
        let locale = self.locale;
        let application = match payout.key.tranche {
            1 => payout.key.application_id.to_string(),
            _ => payout.key.to_string(),
        };
        self.values.text("application", &application);
        self.values.text("policy", policy_title.unwrap_or(payout.policy_id.as_str()));
        self.values.text("enterprise", &payout.enterprise.name);
        self.values.text("amount", &money(payout.amount, &payout.currency, locale));
        self.values.text("capitals", &amount_in_capitals(payout.amount, &payout.currency));
        self.put_time("approved_at", payout.approved_at);
        self.put_time("due_at", payout.due_at);
        let debited = payout.instructions.iter().find(|one| one.is_debited());
        let speaking = debited.or_else(|| payout.speaking());
        // What was sent was sent to the account of its generation; a correction may have come since.
        let account_no = speaking.map_or(&payout.payee.account_no, |one| &one.payee.account_no);
        let account = account_tail(account_no);
        self.values.text("account", &account);
        if let Some((one, debit)) = debited.and_then(|one| Some((one, one.debit.as_ref()?))) {
            self.put_time("credited_at", debit.credited_at);
            // Where the bank gave no reference it finds the payment by ours.
            self.values.text("reference", debit.bank_reference.as_deref().unwrap_or(one.id.as_str()));
        }
        let rejection = speaking.and_then(|one| one.rejection.as_ref());
        let returned = speaking.and_then(|one| one.returned.as_ref());
        if let Some(returned) = returned {
            self.put_time("returned_at", returned.at);
        }
        let code = returned.map(|one| &one.reason).or(rejection.map(|one| &one.reason));
        let held = hold.filter(|_| self.values.kind() == NoticeKind::PayoutHeld);
        let held = held.and_then(|code| Some((code, words::of_hold_among(code, &payout.holds)?)));
        self.values.text("code", code.map_or(NOT_KNOWN, String::as_str));
        if self.values.kind() == NoticeKind::PayoutLate {
            let now = self.making.district.now;
            let when = |at| self.time(at);
            let (reason, expected) = words::of_lateness((payout, &account), self.making.rail, now, when, locale);
            self.values.text("reason", &reason);
            self.values.text("expected", &expected);
        } else if let Some((code, advice)) = held {
            self.values.text("reason", &words::reason_of_hold(code, advice, &account, locale));
            self.values.text("action", locale.of(advice.action));
        } else if let Some(advice) = code.map(|code| words::of_bank_reason(code)) {
            self.values.text("reason", locale.of(advice.reason));
            self.values.text("action", locale.of(advice.action));
        }
    }

    /// The variables of one alert, which are also those of an item.
    fn alert(
        &self,
        alert: &Alert,
        policy: Option<&(PolicyId, Option<String>)>,
        order: Option<&Order>,
        request: &NoticeRequest,
    ) -> BTreeMap<&'static str, String> {
        let locale = self.locale;
        let order_id = alert.order_id();
        // The number of an order tells its addressee enough; what it is about may be for inspectors alone.
        let matter = order_id.map_or_else(|| alert.application_id.to_string(), |id| id.to_string());
        let policy = match (order_id, policy) {
            (Some(_), _) => locale.of(("督办单", "supervision order")).to_owned(),
            (None, Some((id, title))) => title.clone().unwrap_or_else(|| id.to_string()),
            (None, None) => NOT_KNOWN.to_owned(),
        };
        let hidden = order.is_some_and(|order| order.audience == Audience::Inspection);
        let department = alert.department_id.as_ref().filter(|_| !hidden).map(|id| {
            let known = self.making.district.organisation.departments.get(id);
            known.map_or_else(|| id.to_string(), |department| department.name.clone())
        });
        let level = request.first_occasion().parse().unwrap_or_else(|_| alert.level());
        let mut standing = self.standing(alert, level);
        if !hidden && self.values.kind() != NoticeKind::ReviewCleared {
            standing += &self.in_whose_place(alert, level, &request.recipient);
        }
        [
            ("matter", matter),
            ("policy", policy),
            ("clock", locale.of(words::of_clock(alert.kind)).to_owned()),
            ("department", department.unwrap_or_default()),
            ("deadline", self.time(alert.deadline)),
            ("standing", standing),
            ("action", locale.of(words::next_step(alert.kind, level)).to_owned()),
            ("alert", alert.id.clone()),
        ]
        .into()
    }

    /// In whose place the recipient is told: of those who are absent from the rung, which the recipient does not stand on.
    fn in_whose_place(&self, alert: &Alert, level: Level, recipient: &str) -> String {
        let District { organisation, time, now, .. } = self.making.district;
        let department = alert.department_id.clone().unwrap_or_else(|| DepartmentId::from(""));
        let matter = Matter { department_id: &department, officer_id: alert.officer_id.as_ref() };
        let absent = organisation.stood_in_for(&recipient.into(), level.rung(), matter, time.day_of(now));
        let names: Vec<String> = absent.iter().map(|one| one.name.chars().take(NAME_MAX).collect()).collect();
        match (names.first(), names.len(), self.locale) {
            (None, _, _) => String::new(),
            (Some(name), 1, Locale::Chinese) => format!("（代{name}）"),
            (Some(name), _, Locale::Chinese) => format!("（代{name}等）"),
            (Some(name), 1, Locale::English) => format!(" (for {name})"),
            (Some(name), _, Locale::English) => format!(" (for {name} and others)"),
        }
    }

    /// When it is read at the earliest: what waits over quiet hours is not, meanwhile.
    fn read_at(&self) -> Timestamp {
        let Making { rules, district: District { now, .. }, .. } = self.making;
        match self.values.kind().traits().quiet {
            Quiet::Goes => now,
            Quiet::Waits => rules.quiet.and_then(|hours| hours.end(now, &rules.zone)).unwrap_or(now),
        }
    }

    /// How long over, how long left, or why it is over.
    fn standing(&self, alert: &Alert, level: Level) -> String {
        let (now, locale) = (self.read_at(), self.locale);
        if alert.cleared.is_some() || self.values.kind() == NoticeKind::ReviewCleared {
            return locale.of(words::of_cleared(alert.kind, alert.cleared.map(|(_, why)| why))).to_owned();
        }
        let long = |from: Timestamp, to: Timestamp| match alert.kind {
            ClockKind::Payout => words::natural(to.duration_since(from).as_mins().max(0), locale),
            ClockKind::Acceptance
            | ClockKind::Step
            | ClockKind::Supplement
            | ClockKind::Review
            | ClockKind::Legal
            | ClockKind::Order => {
                let time = self.making.district.time;
                words::worked(time.minutes_between(from, to), time.minutes_of_a_day(), locale)
            }
        };
        let climbed = match level {
            Level::DueSoon | Level::Rung(0) => String::new(),
            Level::Rung(_) => locale.of(("，", ", ")).to_owned() + &words::of_level(level, locale),
        };
        match (now < alert.deadline, locale) {
            (true, Locale::Chinese) => format!("还剩{}{climbed}", long(now, alert.deadline)),
            (true, Locale::English) => format!("{} left{climbed}", long(now, alert.deadline)),
            (false, Locale::Chinese) => format!("已超期{}{climbed}", long(alert.deadline, now)),
            (false, Locale::English) => format!("over by {}{climbed}", long(alert.deadline, now)),
        }
    }

    fn order(&mut self, order: &Order) {
        let District { time, rules, .. } = self.making.district;
        self.values.text("order", &order.id.to_string());
        self.put_time("issued_at", order.issued_at);
        self.put_time("due_at", order.due_at(time, &rules.counting));
        if let Some(closing) = &order.closed {
            self.put_time("closed_at", closing.at);
        }
        let replied = order.steps.iter().rev().find_map(|step| match step {
            OrderStep::Replied { at, cause, measure, .. } => Some((*at, cause, measure)),
            OrderStep::Returned { .. } => None,
        });
        if let Some((at, ..)) = replied {
            self.put_time("replied_at", at);
        }
        match order.audience {
            Audience::Inspection => {}
            Audience::Supervision => {
                let matter = order.application_id.as_ref().map_or("", |id| id.as_str());
                self.values.text("matter", matter);
                self.values.text("demand", &order.demand);
                if let Some((_, cause, measure)) = replied {
                    self.values.text("cause", cause);
                    self.values.text("measure", measure);
                }
                let returned = order.steps.iter().rev().find_map(|step| match step {
                    OrderStep::Returned { reason, .. } => Some(reason),
                    OrderStep::Replied { .. } => None,
                });
                self.values.text("reason", returned.map_or("", String::as_str));
            }
        }
    }

    fn digest(&mut self, digest: &Digest) {
        let day = self.making.rules.zone.to_datetime(digest.scheduled_at).date();
        self.values.text("date", &day.to_string());
        let breaches = &digest.breaches;
        for (name, count) in [
            ("overdue", breaches.open),
            ("new", breaches.new),
            ("ended", breaches.ended),
            ("unrung", breaches.unrung),
            ("orders_open", digest.orders.open),
            ("orders_overdue", digest.orders.overdue),
        ] {
            self.values.count(name, count);
        }
        let sum = |of: &dyn Fn(&crate::digest::Kept) -> u64| digest.payouts.by_currency.values().map(of).sum();
        self.values.count("payouts_ended", sum(&|kept| kept.ended.count));
        self.values.count("payouts_in_time", sum(&|kept| kept.in_time.count));
        self.values
            .count("payouts_not_credited", sum(&|kept| kept.open.count + kept.enterprise.count + kept.held.count));
        let patterns = digest.patterns.iter().flat_map(|found| found.by_rule.values());
        self.values.count("patterns_new", patterns.filter_map(|states| states.get(&PatternState::New)).sum());
        let years = digest.calendar.missing_years.iter().map(i16::to_string).collect::<Vec<_>>().join(", ");
        self.values.text("years_missing", &years);
        if let Some(url) = &self.making.rules.public_url {
            let link = format!("{}/digest/{day}", url.trim_end_matches('/'));
            self.values.text("link", &link);
        }
    }

    fn integrity(&mut self, facts: &IntegrityFacts) {
        self.values.text("case", &facts.case_id);
        self.values.text("enterprise", &facts.enterprise_name);
        self.values.text("document", &facts.document);
        self.values.text("dated", &facts.dated.to_string());
        self.values.text("until", &facts.until.map_or_else(|| NOT_KNOWN.to_owned(), |day| day.to_string()));
    }
}

/// Whether a payout was refused for something that the enterprise can mend.
pub(super) fn refused_for_the_enterprise(payout: &Payout) -> bool {
    let class = payout.speaking().and_then(|one| one.rejection.as_ref()).map(|one| one.class);
    match class {
        Some(RejectionClass::Payee) => true,
        Some(RejectionClass::Fund | RejectionClass::Window | RejectionClass::Other) | None => false,
    }
}
