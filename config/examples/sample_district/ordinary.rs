//! How the approved applications were reviewed: each kept its promise, on whatever day and at whatever hour they are approved.
//!
//! A moment is written as working days before the day of the approval and the time of day (`-2T09:30`), so that it lies in
//! office hours whatever the calendar says. What is promised within three working days was submitted two before at the
//! earliest, and what is promised within two, one: the time of day of the approval decides nothing. Only closes that fall into a pause
//! make a review longer.

use super::make::{Numbers, Policy};
use super::organisation::officers;
use std::fmt;

/// Minutes of office in a working day: 09:00–12:00 and 14:00–17:30.
const DAY: i64 = 390;

/// A moment in office minutes before the day of the approval begins.
#[derive(Clone, Copy)]
pub(crate) struct At(i64);

impl At {
    /// So many working days before, so many office minutes into the day.
    pub(crate) fn day(before: i64, minutes: i64) -> Self {
        Self(minutes - before * DAY)
    }

    /// So many office minutes later.
    pub(crate) fn later(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.rem_euclid(DAY);
        let of_day = if minutes < 180 { 540 + minutes } else { 840 + minutes - 180 };
        write!(out, "{}T{:02}:{:02}", self.0.div_euclid(DAY), of_day / 60, of_day % 60)
    }
}

/// A history in the making: its steps, oldest first.
#[derive(Default)]
pub(crate) struct History(Vec<String>);

impl History {
    pub(crate) fn add(&mut self, at: impl fmt::Display, what: impl fmt::Display) {
        self.0.push(format!("{at} {what}"));
    }

    pub(crate) fn text(&self) -> String {
        self.0.join("; ")
    }
}

/// An award as far as its review depends on it.
pub(crate) struct Awarded<'a> {
    pub(crate) number: usize,
    pub(crate) policy: &'a Policy,
    /// Who approved it, one or two.
    pub(crate) approvers: Vec<&'a str>,
}

/// The shape of a review.
enum Shape {
    /// Straight through, each part of it shortened to a percentage.
    Straight(i64),
    /// On public notice for so many working days.
    Publicity(i64),
    /// The enterprise was asked for more, and it came on the day before the approval.
    Supplement,
    /// Experts were asked.
    Experts,
    /// The deciding step sent it back once.
    SentBack,
    /// Submitted and approved within seconds, with a mode of application.
    AtOnce(&'static str),
}

/// Whose application was approved seconds after it had come in, although somebody had to read it.
pub(crate) const AT_ONCE: [usize; 2] = [3, 146];
/// Approved although an earlier application under the same policy waits.
pub(crate) const OVERTAKES: usize = 181;
/// The policy whose awards nobody has to apply for (免申即享): approved at once, as they should be.
pub(crate) const NO_APPLICATION: usize = 37;

fn shape(award: &Awarded<'_>, numbers: &mut Numbers) -> Shape {
    if AT_ONCE.contains(&award.number) {
        return Shape::AtOnce("ordinary");
    }
    match award.policy {
        policy if policy.number == NO_APPLICATION => Shape::AtOnce("no-application"),
        policy if policy.is_quick() => Shape::Straight(50),
        _ if award.number == OVERTAKES => Shape::Straight(100),
        _ => match award.number % 20 {
            1..=5 => Shape::Publicity(3 + numbers.below(10) as i64),
            7 | 13 => Shape::Supplement,
            9 => Shape::Experts,
            17 if !award.policy.is_joint() => Shape::SentBack,
            _ => Shape::Straight(100),
        },
    }
}

/// The review of an award, up to the day before its approval.
pub(crate) fn history(award: &Awarded<'_>, numbers: &mut Numbers) -> String {
    let department = award.policy.department;
    let own = |officer: &str| format!("{}/{officer}", department.id);
    let approver = own(award.approvers[0]);
    // Whoever approves does not make the first review.
    let others: Vec<&str> = department.officers.into_iter().filter(|one| !award.approvers.contains(one)).collect();
    let first: &str = numbers.pick::<&str>(&others);
    let first = own(first);
    let shape = shape(award, numbers);
    let mut review = Review { history: History::default(), numbers, percent: 100, at: At(0) };
    match shape {
        Shape::AtOnce(mode) => return at_once(mode, &first, &approver, review.numbers),
        Shape::Straight(percent) => review.percent = percent,
        // All that follows the pause happens within the last day.
        Shape::Supplement | Shape::Experts => review.percent = 60,
        Shape::Publicity(_) | Shape::SentBack => {}
    }
    let days_before = match shape {
        Shape::Publicity(days) => days + 2,
        Shape::Supplement => 3 + review.numbers.below(3) as i64,
        Shape::Experts => 4 + review.numbers.below(6) as i64,
        Shape::Straight(50) => 1,
        Shape::Straight(_) | Shape::SentBack | Shape::AtOnce(_) => 2,
    };
    // Who came earlier is dealt with earlier: the files have the numbers of their order.
    let minutes = award.number as i64 * 110 / 286;
    review.at = At::day(days_before, minutes * review.percent / 100);
    review.history.add(review.at, "submitted ordinary");
    review.pass(20, 60);
    review.history.add(review.at, format!("accepted {first}"));
    if matches!(shape, Shape::Supplement) {
        review.supplement(&first);
    } else {
        review.step("first", std::slice::from_ref(&first));
    }
    if matches!(shape, Shape::Experts) {
        review.experts(award.approvers[0]);
    }
    if award.policy.is_joint() {
        let beside = department.joint;
        let other = review.numbers.pick(&officers(beside)).clone();
        review.step("joint", &[first.clone(), format!("{beside}/{other}")]);
    }
    if let Some(second) = award.approvers.get(1) {
        review.step("second", &[own(second)]);
    }
    if matches!(shape, Shape::SentBack) {
        review.sent_back(&first, &approver, department.id);
    }
    review.step("final", std::slice::from_ref(&approver));
    if let Shape::Publicity(_) = shape {
        review.publicity();
    }
    review.history.text()
}

fn at_once(mode: &str, first: &str, approver: &str, numbers: &mut Numbers) -> String {
    let mut history = History::default();
    let mut seconds = 20 + numbers.below(5);
    let mut add = |what: String, pause: usize| {
        history.add(format!("now-{seconds}s"), what);
        seconds -= pause;
    };
    add(format!("submitted {mode}"), 3);
    add(format!("accepted {first}"), 2);
    add(format!("assigned first {first}"), 6);
    add(format!("decided first {first} approve"), 1);
    add(format!("assigned final {approver}"), 6);
    add(format!("decided final {approver} approve"), 0);
    history.text()
}

/// A review on its way.
struct Review<'a> {
    history: History,
    numbers: &'a mut Numbers,
    percent: i64,
    at: At,
}

impl Review<'_> {
    fn pass(&mut self, least: i64, most: usize) {
        let minutes = least + self.numbers.below(most - least as usize) as i64;
        self.at = self.at.later(minutes * self.percent / 100);
    }

    /// Given out and decided by each of them, side by side.
    fn step(&mut self, stage: &str, actors: &[String]) {
        self.pass(5, 15);
        for actor in actors {
            self.history.add(self.at, format!("assigned {stage} {actor}"));
        }
        for actor in actors {
            self.pass(30, if actors.len() > 1 { 60 } else { 100 });
            self.history.add(self.at, format!("decided {stage} {actor} approve"));
        }
    }

    fn supplement(&mut self, first: &str) {
        self.pass(5, 15);
        self.history.add(self.at, format!("assigned first {first}"));
        self.pass(20, 60);
        let missing = self.numbers.pick(&["上年度审计报告", "购销合同", "现场核查记录", "项目备案证明"]);
        self.history.add(self.at, format!("supplement_requested {first} {missing}"));
        self.at = At::day(1, self.numbers.below(20) as i64);
        self.history.add(self.at, "supplement_received");
        self.pass(30, 60);
        self.history.add(self.at, format!("decided first {first} approve"));
    }

    fn experts(&mut self, by: &str) {
        self.pass(5, 30);
        self.history.add(self.at, format!("paused expert_review {by} 专家评审通知"));
        self.at = At::day(1, self.numbers.below(20) as i64);
        self.history.add(self.at, format!("resumed {by}"));
    }

    /// The deciding step finds something; the first one is done again.
    fn sent_back(&mut self, first: &str, approver: &str, department: &str) {
        self.history.add(self.at.later(5), format!("assigned final {approver}"));
        self.pass(30, 60);
        self.history.add(self.at, format!("decided final {approver} return {department} 请核对发票金额"));
        self.step("first", &[first.to_owned()]);
    }

    fn publicity(&mut self) {
        self.pass(5, 15);
        let end = At::day(1, 30 + self.numbers.below(120) as i64);
        self.history.add(self.at, format!("publicity_started {end}"));
        self.history.add(end.later(10), "publicity_ended 公示期满无异议");
    }
}
