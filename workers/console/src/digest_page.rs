//! The page of a digest: what its template shows, every text ready. It decides nothing; words and sums come from the core.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use zhida_core::digest::{Breach, Digest, Holder, OrderLine, Orders, Patterns, Policies, PolicyLine, words};
use zhida_core::ids::{DepartmentId, OfficerId};
use zhida_core::money::Fen;
use zhida_core::organisation::Organisation;
use zhida_core::ports::digests::Outlook;

/// The style, as it stands in the page; its hash is in the page's policy.
pub(crate) const STYLE: &str = include_str!("../templates/digest.css");

/// The page.
#[derive(Template)]
#[template(path = "digest.html")]
pub(crate) struct DigestPage {
    style: &'static str,
    day: String,
    id: String,
    made_at: String,
    calendar_version: String,
    /// Not the newest: a day was asked for.
    of_day: bool,
    quiet: bool,
    headline: (String, String),
    warnings: Vec<(String, String)>,
    open: u64,
    new: u64,
    ended: u64,
    unrung: u64,
    breaches: Vec<BreachRow>,
    more: u64,
    departments: Vec<DepartmentRow>,
    record_days: String,
    record: Vec<Currency>,
    orders: OrderList,
    patterns: Option<PatternList>,
    policies: Option<PolicyList>,
    next_due: String,
}

struct BreachRow {
    deadline: String,
    provisional: bool,
    late: String,
    level: (String, String),
    application: String,
    measures: (&'static str, &'static str),
    clock: String,
    department: Named,
    officer: Named,
    new: bool,
    acknowledged_until: Option<String>,
}

struct DepartmentRow {
    department: Named,
    open: u64,
    due_soon: u64,
    overdue: u64,
    officers: Vec<HolderRow>,
}

struct HolderRow {
    officer: Named,
    open: u64,
    due_soon: u64,
    overdue: u64,
    oldest: String,
}

/// An id with the name that the organisation has for it today.
struct Named {
    id: String,
    name: String,
}

struct Currency {
    code: String,
    lines: Vec<RecordLine>,
}

struct RecordLine {
    chinese: &'static str,
    english: &'static str,
    count: u64,
    amount: String,
}

struct OrderList {
    open: u64,
    overdue: u64,
    listed: Vec<OrderRow>,
    for_inspection: u64,
}

struct OrderRow {
    id: String,
    department: Named,
    officer: Named,
    due_at: String,
    state: (&'static str, &'static str),
    overdue: bool,
}

struct PatternList {
    looked_for_at: String,
    /// Titles of a rule, its code, and its patterns by state.
    rules: Vec<((&'static str, &'static str), &'static str, String)>,
    /// Those that discipline inspection alone reads, by state.
    for_inspection: Option<String>,
}

struct PolicyList {
    words: Vec<((&'static str, &'static str), u64)>,
    listed: Vec<PolicyRow>,
}

struct PolicyRow {
    id: String,
    word: (&'static str, &'static str),
    figures: String,
}

impl DigestPage {
    pub(crate) fn of(
        digest: &Digest,
        outlook: &Outlook,
        organisation: &Organisation,
        zone: &TimeZone,
        of: Option<Date>,
    ) -> Self {
        let names = Names { organisation, zone };
        let record = &digest.payouts;
        Self {
            style: STYLE,
            day: names.day(digest.scheduled_at),
            id: digest.id.clone(),
            made_at: names.time(digest.made_at),
            calendar_version: digest.calendar.version.clone(),
            of_day: of.is_some(),
            quiet: digest.is_quiet(),
            headline: digest.headline(),
            warnings: names.warnings(digest, outlook),
            open: digest.breaches.open,
            new: digest.breaches.new,
            ended: digest.breaches.ended,
            unrung: digest.breaches.unrung,
            breaches: digest.breaches.listed.iter().map(|one| names.breach(one)).collect(),
            more: digest.breaches.open.saturating_sub(digest.breaches.listed.len() as u64),
            departments: names.departments(digest),
            record_days: record.days(),
            record: currencies(digest),
            orders: names.orders(&digest.orders),
            patterns: digest.patterns.as_ref().map(|found| names.patterns(found)),
            policies: digest.policies.as_ref().map(policy_list),
            next_due: outlook.next_due.map_or_else(|| "–".to_owned(), |at| names.time(at)),
        }
    }
}

/// What names and times are told by.
struct Names<'a> {
    organisation: &'a Organisation,
    zone: &'a TimeZone,
}

impl Names<'_> {
    fn time(&self, at: Timestamp) -> String {
        self.zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn day(&self, at: Timestamp) -> String {
        self.zone.to_datetime(at).date().to_string()
    }

    fn department(&self, id: Option<&DepartmentId>) -> Named {
        let name = id.and_then(|id| self.organisation.departments.get(id)).map(|one| one.name.clone());
        Named { id: id.map(DepartmentId::to_string).unwrap_or_default(), name: name.unwrap_or_default() }
    }

    fn officer(&self, id: Option<&OfficerId>) -> Named {
        let name = id.and_then(|id| self.organisation.officers.get(id)).map(|one| one.name.clone());
        Named { id: id.map(OfficerId::to_string).unwrap_or_default(), name: name.unwrap_or_default() }
    }

    fn warnings(&self, digest: &Digest, outlook: &Outlook) -> Vec<(String, String)> {
        let mut warnings = Vec::new();
        if let Some(since) = outlook.missing_since {
            let since = self.time(since);
            warnings.push((
                format!("{since} 的日报应出未出，以下不是最新情况。"),
                format!("The digest of {since} was not made; what follows is not the newest."),
            ));
        }
        let state = &digest.calendar;
        warnings.extend(digest.unread().map(|(chinese, english)| (format!("{chinese}。"), format!("{english}."))));
        warnings.extend(state.years_missing());
        if state.day_is_assumed {
            warnings.push((
                "日历没有本日的数据，暂按周一至周五为工作日。".to_owned(),
                "The calendar has no data for this day: Monday to Friday were taken for worked.".to_owned(),
            ));
        }
        warnings
    }

    fn breach(&self, one: &Breach) -> BreachRow {
        BreachRow {
            deadline: self.time(one.deadline),
            provisional: one.provisional,
            late: one.late(),
            level: one.climbed(),
            application: one.application_id.to_string(),
            measures: one.measures.title(),
            clock: one.clock.clone(),
            department: self.department(one.department_id.as_ref()),
            officer: self.officer(one.officer_id.as_ref()),
            new: one.new,
            acknowledged_until: one.acknowledged_until.map(|until| self.time(until)),
        }
    }

    fn departments(&self, digest: &Digest) -> Vec<DepartmentRow> {
        let sum = |holders: &[&Holder], of: fn(&Holder) -> u64| holders.iter().map(|one| of(one)).sum();
        let row = |(department, holders): (Option<&DepartmentId>, Vec<&Holder>)| DepartmentRow {
            department: self.department(department),
            open: sum(&holders, |one| one.open),
            due_soon: sum(&holders, |one| one.due_soon),
            overdue: sum(&holders, |one| one.overdue),
            officers: holders.iter().map(|one| self.holder(one)).collect(),
        };
        digest.departments().into_iter().map(row).collect()
    }

    fn holder(&self, one: &Holder) -> HolderRow {
        HolderRow {
            officer: self.officer(one.officer_id.as_ref()),
            open: one.open,
            due_soon: one.due_soon,
            overdue: one.overdue,
            oldest: words::length(one.oldest_minutes),
        }
    }

    fn patterns(&self, found: &Patterns) -> PatternList {
        let rules = found.by_rule.iter();
        let states = Some(words::states(&found.for_inspection));
        PatternList {
            looked_for_at: self.time(found.looked_for_at),
            rules: rules.map(|(rule, counts)| (rule.title(), rule.code(), words::states(counts))).collect(),
            for_inspection: states.filter(|states| !states.is_empty()),
        }
    }

    fn orders(&self, orders: &Orders) -> OrderList {
        let row = |one: &OrderLine| OrderRow {
            id: one.id.clone(),
            department: self.department(Some(&one.department_id)),
            officer: self.officer(Some(&one.officer_id)),
            due_at: self.time(one.due_at),
            state: one.state.title(),
            overdue: one.overdue,
        };
        let Orders { open, overdue, listed, for_inspection } = orders;
        OrderList {
            open: *open,
            overdue: *overdue,
            listed: listed.iter().map(row).collect(),
            for_inspection: *for_inspection,
        }
    }
}

fn currencies(digest: &Digest) -> Vec<Currency> {
    let line = |(chinese, english, total): (&'static str, &'static str, zhida_core::digest::Total)| RecordLine {
        chinese,
        english,
        count: total.count,
        amount: grouped(total.fen),
    };
    let by_currency = digest.payouts.by_currency.iter();
    by_currency.map(|(code, kept)| Currency { code: code.clone(), lines: kept.lines().map(line).into() }).collect()
}

fn policy_list(policies: &Policies) -> PolicyList {
    let row =
        |one: &PolicyLine| PolicyRow { id: one.policy_id.to_string(), word: one.word.title(), figures: one.figures() };
    PolicyList {
        words: policies.by_word.iter().map(|(word, count)| (word.title(), *count)).collect(),
        listed: policies.listed.iter().map(row).collect(),
    }
}

/// Yuan with a comma for every three digits.
fn grouped(amount: Fen) -> String {
    let text = amount.to_string();
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::{Fen, grouped};

    #[test]
    fn yuan_are_grouped_by_three() {
        for (fen, text) in [
            (0, "0.00"),
            (99, "0.99"),
            (100_000, "1,000.00"),
            (3_557_010_000, "35,570,100.00"),
            (-100_000, "-1,000.00"),
            (-10_000, "-100.00"),
        ] {
            assert_eq!(grouped(Fen(fen)), text);
        }
    }
}
