//! `zhida demo`, as a newcomer runs it, and as somebody whose bank has paid what nobody here ordered.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for one demo; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhida-demo-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhida"));
    command.args(["demo", "--exit", "--listen", "127.0.0.1:0"]).args(arguments).output().unwrap()
}

const TRUTH_CSV: &str = include_str!("../../config/sample_district/truth.csv");

/// What supervision has to find in the sample district's month of reviews, line by line.
fn truth(what: &str) -> BTreeSet<String> {
    TRUTH_CSV.lines().filter_map(|line| line.strip_prefix(what)).map(str::to_owned).collect()
}

/// What it found, in the form of the truth.
fn found(summary: &Value, list: &str, line: impl Fn(&dyn Fn(&str) -> String) -> String) -> BTreeSet<String> {
    let items = summary["supervision"][list].as_array().unwrap().iter();
    items.map(|one| line(&|member| one[member].as_str().unwrap_or_default().to_owned())).collect()
}

fn summary(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_summary_that_cannot_be_written_is_told_before_the_run() {
    let output = demo(&["--json", "/no/such/folder/summary.json"]);
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(1) && said.is_empty(), "{said}{told}");
    assert!(told.contains("the summary cannot be written to /no/such/folder/summary.json"), "{told}");
}

#[test]
fn the_demo_pays_the_sample_district_once() {
    let folder = Folder::new("once");
    let file = folder.file("summary.json");
    let output = demo(&["--json", &file]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = summary(&file);
    for (key, wanted) in [
        ("policies", json!(149)),
        ("applications", json!(286)),
        ("approved_total", json!("35570100.00")),
        ("held", json!(5)),
        ("unknown", json!(0)),
        ("paid_twice", json!(0)),
        ("lost", json!(0)),
        ("unexplained", json!(0)),
        (
            "reasons",
            json!({"held account_name": 2, "held commitment_missing": 1, "held officers_missing": 1,
                "held policy_not_open": 1, "refused refused_payee": 9}),
        ),
    ] {
        assert_eq!(summary[key], wanted, "{key} in {summary}");
    }
    assert_eq!(summary["settled_total"], summary["bank_ledger_total"]);
    let sum = ["settled", "refused", "held"].iter().map(|key| summary[*key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum, 286);
    let seconds = ["p50", "p99", "max"].map(|key| summary["approve_to_credit_seconds"][key].as_f64().unwrap());
    assert!(seconds[0] > 0.0 && seconds.is_sorted(), "{summary}");
    supervision_found_all_and_invented_nothing(&summary);
    everybody_was_told_once(&summary);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("超期 stalled 10, 临期 due soon 1, 疑点 findings 2"), "{printed}");
    assert!(printed.contains("到账未告知 paid and not told 0, 重复 told twice 0"), "{printed}");
    assert!(printed.contains("/phone") && printed.contains("/mail"), "{printed}");
    assert!(printed.lines().count() <= 50, "a screen holds it: {printed}");
}

/// By what phones and mailboxes hold, and although a vendor went out of service on the way.
fn everybody_was_told_once(summary: &Value) {
    let notices = &summary["notices"];
    for key in ["paid_without_notice", "twice", "unexplained", "gave_up"] {
        assert_eq!(notices[key], json!(0), "{key} in {notices}");
    }
    // One phone is out of service. Its word of receipt is lost if the money comes before the mail that stands by for it.
    let lost = notices["by_kind"]["payout_received"]["failed"].as_u64().unwrap_or_default();
    assert!(lost <= 1 && notices["failed"] == json!(lost), "{notices}");
    assert_eq!(notices["cost"], notices["billed"], "{notices}");
    // Arrived, or with a mail server, which says no more.
    let told = |kind: &str| {
        let of = &notices["by_kind"][kind];
        of["delivered"].as_u64().unwrap_or_default() + of["sent"].as_u64().unwrap_or_default()
    };
    assert_eq!(told("payout_credited"), summary["settled"].as_u64().unwrap(), "{notices}");
    assert_eq!(told("payout_refused"), summary["refused"].as_u64().unwrap(), "{notices}");
    // One of the five is held for lack of a second officer, which is no affair of the enterprise's.
    assert!(told("payout_held") >= 4, "{notices}");
    for kind in ["review_overdue", "review_escalated", "review_due_soon"] {
        assert!(told(kind) > 0, "{kind} in {notices}");
    }
    for vendor in ["aliyun", "tencent"] {
        assert!(notices["sms_by_provider"][vendor].as_u64().unwrap_or_default() >= 100, "{vendor} in {notices}");
    }
    assert_ne!(notices["cost"], json!("0.0000"));
    let asked = notices["asked"].as_u64().unwrap();
    let made: u64 =
        ["sent", "delivered", "failed", "gave_up", "expired"].iter().map(|key| notices[*key].as_u64().unwrap()).sum();
    let count = |key: &str| notices[key].as_u64().unwrap();
    assert_eq!(
        (asked, made),
        (count("gathered") + count("not_made") + made, count("notices")),
        "it adds up: {notices}"
    );
    assert!(made > 500, "{notices}");
}

fn supervision_found_all_and_invented_nothing(summary: &Value) {
    let alerts = found(summary, "alerts", |of| format!("{},{},{}", of("level"), of("clock"), of("application_id")));
    assert_eq!(alerts, truth("alert,"));
    // Nothing rang that was over when it was heard of, nothing that the next message ended.
    assert!(summary["supervision"]["alerts"].as_array().unwrap().iter().all(|one| one["cleared"] == json!(false)));
    let findings = found(summary, "findings", |of| format!("{},,{}", of("code"), of("application_id")));
    assert_eq!(findings, truth("finding,"));
    let patterns = found(summary, "patterns", |of| {
        let subject = if of("subject_kind") == "fingerprint" { String::new() } else { of("subject") };
        format!("{},{subject}", of("rule"))
    });
    // Of officers the summary says only that there is something for discipline inspection.
    let without_applications = |line: &String| line.rsplit_once(',').map(|(rest, _)| rest.replace("O-802", ""));
    assert_eq!(patterns, truth("pattern,").iter().filter_map(without_applications).collect());
    assert_eq!(summary["patterns"], json!(truth("pattern,").len()));
    let health = found(summary, "policy_health", |of| format!("{},{},", of("word"), of("policy_id")));
    assert_eq!(health, truth("health,"));
    let overdue = truth("alert,overdue,");
    let stalled: BTreeSet<&str> = overdue.iter().filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(summary["stalled_reviews"], json!(stalled.len()));
}

#[test]
fn a_demo_whose_bank_has_paid_what_nobody_ordered_ends_with_1() {
    let folder = Folder::new("stranger");
    let stranger = json!({"end_to_end_id": "NOBODY-KNOWS-IT", "msg_id": "M", "amount": 100, "currency": "CNY",
        "debtor_account": "1", "account": "2", "name": "某公司", "bank_code": "102100099996", "uscc": "", "remittance": "",
        "state": "booked", "reference": "R", "at": "2026-11-23T00:00:00Z"});
    std::fs::write(folder.0.join("bank-ledger.ndjson"), format!("{stranger}\n")).unwrap();
    let (file, dir) = (folder.file("summary.json"), folder.file(""));
    let output = demo(&["--json", &file, "--dir", &dir]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let found = summary(&file);
    assert_eq!((&found["unexplained"], &found["paid_twice"]), (&json!(1), &json!(0)), "{found}");
    assert_ne!(found["settled_total"], found["bank_ledger_total"]);

    // The folder holds an earlier demo now: it is neither mixed with another nor overwritten.
    let before = std::fs::read(folder.0.join("bank-ledger.ndjson")).unwrap();
    let again = demo(&["--json", &file, "--dir", &dir]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("holds an earlier demo"), "{again:?}");
    assert_eq!(std::fs::read(folder.0.join("bank-ledger.ndjson")).unwrap(), before);
}
