//! `zhida digest`: the daily digest as it was kept, or as it would be now, on a terminal.

use super::out::Out;
use super::table::{Column, Table};
use super::{Form, local};
use crate::cli::DigestVerb;
use crate::wiring::Context;
use jiff::civil::Date;
use serde_json::json;
use std::process::ExitCode;
use zhida_config::Settings;
use zhida_core::digest::{Breaches, CalendarState, Digest, Holder, Orders, Patterns, PayoutRecord, Policies, words};
use zhida_core::organisation::Organisation;
use zhida_core::patterns::HealthWord;
use zhida_core::ports::digests::Outlook;
use zhida_core::view::micros;

/// Breaches and policies that are listed; the page and `--json` have more.
const LISTED: usize = 20;

/// Does one of the verbs.
pub(crate) async fn run(context: &Context, verb: &DigestVerb) -> anyhow::Result<ExitCode> {
    let (digest, json) = match verb {
        DigestVerb::Show { date, json } => (kept(context, *date).await?, *json),
        DigestVerb::Preview { json } => (context.store.digest_preview().await?, *json),
    };
    let outlook = context.store.digest_outlook().await?;
    let mut out = Out::new();
    match Form::from(json) {
        Form::Programs => out.json(&json!({
            "digest": digest, "next_due": micros(outlook.next_due), "missing_since": micros(outlook.missing_since),
        }))?,
        Form::People => {
            let page = Page { settings: &context.settings, organisation: &context.store.organisation().await? };
            if matches!(verb, DigestVerb::Preview { .. }) {
                out.line("预览 a preview; nothing is kept and nobody is told")?;
            }
            out.lines(&page.of(&digest))?;
            out.line("")?;
            out.lines(&outlook_lines(&context.settings, &outlook))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn kept(context: &Context, date: Option<Date>) -> anyhow::Result<Digest> {
    if let Some(digest) = context.store.digest(date).await? {
        return Ok(digest);
    }
    let outlook = outlook_lines(&context.settings, &context.store.digest_outlook().await?).join("; ");
    let which = date.map_or_else(
        || "尚无日报 no digest has been made yet".to_owned(),
        |day| format!("{day} 无日报 there is no digest of that day"),
    );
    anyhow::bail!("{which}; {outlook}; `zhida digest preview` shows what it would say now")
}

fn outlook_lines(settings: &Settings, outlook: &Outlook) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(since) = outlook.missing_since {
        let since = local(settings, since);
        lines.push(format!(
            "日报缺失 a digest is missing: it was due {since} and was not made (runbook ZhidaDigestMissing)"
        ));
    }
    let next = outlook.next_due.map_or_else(|| "无 none".to_owned(), |at| local(settings, at));
    lines.push(format!("下一期 the next is due: {next}"));
    lines
}

/// What is needed to put a digest into words.
struct Page<'a> {
    settings: &'a Settings,
    organisation: &'a Organisation,
}

impl Page<'_> {
    fn of(&self, digest: &Digest) -> Vec<String> {
        let (chinese, english) = digest.headline();
        let mut lines = vec![
            format!(
                "督办日报 digest {}  制作于 made {}  日历 calendar {}",
                digest.id,
                local(self.settings, digest.made_at),
                digest.calendar.version
            ),
            format!("{chinese} {english}"),
        ];
        lines.extend(digest.unread().map(|(chinese, english)| format!("{chinese} {english}")));
        lines.extend(calendar(&digest.calendar));
        lines.extend(self.breaches(&digest.breaches));
        lines.extend(self.holders(digest));
        lines.extend(record(&digest.payouts));
        lines.extend(self.orders(&digest.orders));
        lines.extend(digest.patterns.iter().flat_map(|found| patterns(self.settings, found)));
        lines.extend(digest.policies.iter().flat_map(policies));
        lines
    }

    fn department(&self, id: Option<&zhida_core::ids::DepartmentId>) -> String {
        let Some(id) = id else { return "–".to_owned() };
        let name = self.organisation.departments.get(id).map(|one| one.name.as_str()).unwrap_or_default();
        format!("{id} {name}").trim_end().to_owned()
    }

    fn officer(&self, id: Option<&zhida_core::ids::OfficerId>) -> String {
        let Some(id) = id else { return "–".to_owned() };
        let name = self.organisation.officers.get(id).map(|one| one.name.as_str()).unwrap_or_default();
        format!("{id} {name}").trim_end().to_owned()
    }

    fn breaches(&self, breaches: &Breaches) -> Vec<String> {
        let Breaches { open, new, ended, unrung, listed } = breaches;
        let mut lines = section(format!("超期 overdue: {open} (新增 new {new}, 上期以来办结 ended since {ended})"));
        if *unrung > 0 {
            lines.push(format!("  逾期待核 overdue, not rung yet: {unrung}"));
        }
        if listed.is_empty() {
            return lines;
        }
        let mut table = Table::new(&[
            ("期限 deadline", Column::Text),
            ("逾期 late by", Column::Number),
            ("级别 level", Column::Text),
            ("申请 application", Column::Text),
            ("时限 clock", Column::Text),
            ("部门 department", Column::Short),
            ("经办 officer", Column::Short),
            ("", Column::Text),
        ]);
        for one in listed.iter().take(LISTED) {
            let (chinese, english) = one.climbed();
            let provisional = if one.provisional { " 暂定 provisional" } else { "" };
            let mut marks: Vec<String> = Vec::new();
            marks.extend(one.new.then(|| "新 new".to_owned()));
            let until = one.acknowledged_until.map(|until| local(self.settings, until));
            marks.extend(until.map(|until| format!("已知悉 acknowledged until {until}")));
            table.row(vec![
                format!("{}{provisional}", local(self.settings, one.deadline)),
                one.late(),
                format!("{chinese} {english}"),
                one.application_id.to_string(),
                one.clock.clone(),
                self.department(one.department_id.as_ref()),
                self.officer(one.officer_id.as_ref()),
                marks.join("; "),
            ]);
        }
        lines.extend(indented(&table));
        if *open > LISTED as u64 {
            lines.push(format!("  … 另 {0} 项 {0} more: zhida alerts list", open - LISTED as u64));
        }
        lines
    }

    fn holders(&self, digest: &Digest) -> Vec<String> {
        let mut lines = section("在办 who has to act on what".to_owned());
        if digest.holders.is_empty() {
            lines.push("  无 nothing waits for anybody".to_owned());
            return lines;
        }
        let mut table = Table::new(&[
            ("部门 department", Column::Short),
            ("经办 officer", Column::Short),
            ("在办 open", Column::Number),
            ("黄牌 due soon", Column::Number),
            ("红牌 overdue", Column::Number),
            ("最久 oldest, working time", Column::Number),
        ]);
        for (department, holders) in digest.departments() {
            for Holder { officer_id, open, due_soon, overdue, oldest_minutes, .. } in holders {
                table.row(vec![
                    self.department(department),
                    self.officer(officer_id.as_ref()),
                    open.to_string(),
                    due_soon.to_string(),
                    overdue.to_string(),
                    words::length(*oldest_minutes),
                ]);
            }
        }
        lines.extend(indented(&table));
        lines
    }

    fn orders(&self, orders: &Orders) -> Vec<String> {
        let mut lines =
            section(format!("督办单 supervision orders: 未销号 open {}, 逾期 overdue {}", orders.open, orders.overdue));
        for one in &orders.listed {
            let (chinese, english) = one.state.title();
            let overdue = if one.overdue { "  逾期 overdue" } else { "" };
            lines.push(format!(
                "  {}  {}  {}  限 due {}  {chinese} {english}{overdue}",
                one.id,
                self.department(Some(&one.department_id)),
                self.officer(Some(&one.officer_id)),
                local(self.settings, one.due_at),
            ));
        }
        if orders.for_inspection > 0 {
            lines.push(format!("  仅纪检可见 for discipline inspection alone: {}", orders.for_inspection));
        }
        lines
    }
}

fn calendar(state: &CalendarState) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((chinese, english)) = state.years_missing() {
        lines.push(format!("{chinese} {english}: zhida calendar import FILE"));
    }
    if state.day_is_assumed {
        lines.push(
            "本日暂按周一至周五 this day was taken for worked because it is Monday to Friday; the calendar has no data for it"
                .to_owned(),
        );
    }
    lines
}

fn record(record: &PayoutRecord) -> Vec<String> {
    let mut lines = section(format!("24 小时兑付 the 24 hours  {}", record.days()));
    if record.by_currency.is_empty() {
        lines.push("  无 no payout".to_owned());
    }
    for (currency, kept) in &record.by_currency {
        let mut table = Table::new(&[
            ("", Column::Text),
            ("笔数 payouts", Column::Number),
            (&format!("金额 {currency}"), Column::Number),
        ]);
        for (chinese, english, total) in kept.lines() {
            table.row(vec![format!("{chinese} {english}"), total.count.to_string(), total.fen.to_string()]);
        }
        lines.extend(indented(&table));
    }
    lines
}

fn patterns(settings: &Settings, patterns: &Patterns) -> Vec<String> {
    let at = local(settings, patterns.looked_for_at);
    let mut lines = section(format!("值得核实 worth a look  (zhida patterns list; 截至 as of {at})"));
    for (rule, states) in &patterns.by_rule {
        let (chinese, english) = rule.title();
        lines.push(format!("  {chinese} {english} [{}]: {}", rule.code(), words::states(states)));
    }
    if !patterns.for_inspection.is_empty() {
        let states = words::states(&patterns.for_inspection);
        lines.push(format!("  仅纪检可见 for discipline inspection alone: {states}"));
    }
    if lines.len() == 2 {
        lines.push("  无 none".to_owned());
    }
    lines
}

fn policies(policies: &Policies) -> Vec<String> {
    let word = |(word, count): (&HealthWord, &u64)| {
        let (chinese, english) = word.title();
        format!("{chinese} {english} {count}")
    };
    let words = policies.by_word.iter().map(word).collect::<Vec<_>>().join(", ");
    let mut lines = section(format!("政策 policies: {words}"));
    for one in policies.listed.iter().take(LISTED) {
        let (chinese, english) = one.word.title();
        lines.push(format!("  {}  {chinese} {english}  {}", one.policy_id, one.figures()));
    }
    if policies.listed.len() > LISTED {
        lines.push(format!("  … 另 {0} 项 {0} more: zhida policies health", policies.listed.len() - LISTED));
    }
    lines
}

fn section(title: String) -> Vec<String> {
    vec![String::new(), title]
}

fn indented(table: &Table) -> Vec<String> {
    table.lines().iter().map(|line| format!("  {line}")).collect()
}
