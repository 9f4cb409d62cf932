//! Table, rules, runbooks and dashboard agree with one another, and no label can carry an enterprise or a payout. Whether the
//! expressions work is asked of a real Prometheus by `tests/all/monitoring.sh`, not here.

// A test says what it expects and stops where it is not so.
#![allow(clippy::unwrap_used)]

mod filled;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use zhida_monitoring::metrics::table::{Kind, TABLE};

const NOW: Duration = Duration::from_secs(1_790_000_000);

fn read(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn alerts_with_runbooks() -> Vec<(String, String)> {
    let rules = read("alerts/zhida.rules.yml");
    let after =
        |key: &str| rules.lines().filter_map(|line| Some(line.split_once(key)?.1.to_owned())).collect::<Vec<String>>();
    let (alerts, runbooks) = (after("- alert: "), after("runbook: "));
    assert_eq!(alerts.len(), runbooks.len(), "every alert has one runbook annotation");
    alerts.into_iter().zip(runbooks).collect()
}

/// Names of our metrics in `text`, without what histograms append.
fn metrics_named_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("zhida_"))
        .map(|word| word.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum").to_owned())
        .collect()
}

#[test]
fn every_metric_of_the_table_is_rendered() {
    let metrics = filled::metrics().unwrap();
    filled::let_everything_happen(&metrics, SystemTime::UNIX_EPOCH + NOW);
    let text = metrics.render();
    for row in TABLE {
        let kind = match row.kind {
            Kind::Counter => "counter",
            Kind::Gauge | Kind::State => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        assert!(text.contains(&format!("# TYPE {} {kind}\n", row.name)), "{} is not rendered as a {kind}", row.name);
        assert!(text.contains(row.chinese) && text.contains(row.english), "{} lacks its help", row.name);
        for label in row.labels {
            let has_label = |line: &str| line.starts_with(row.name) && line.contains(&format!("{label}=\""));
            assert!(text.lines().any(has_label), "{} lacks label {label}", row.name);
        }
    }
    let rendered = metrics_named_in(&text);
    let table = TABLE.iter().map(|row| row.name.to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(rendered, table, "what is rendered is what the table has");
    assert!(text.contains(r#"zhida_fund_left_fen{fund="F-2026"} 3500000000"#), "{text}");
    assert!(text.contains("zhida_oldest_unpaid_age_seconds 3000"), "{text}");
    assert!(text.contains(r#"zhida_alarms_last_hour{kind="mismatch"} 1"#), "{text}");
    assert!(text.contains("zhida_sweep_last_run_timestamp_seconds{sweep=\"doorbells\"} 1790000000"), "{text}");
}

#[test]
fn names_follow_one_form() {
    for row in TABLE {
        assert!(row.name.starts_with("zhida_"), "{}", row.name);
        match row.kind {
            Kind::Counter => assert!(row.name.ends_with("_total"), "{}", row.name),
            Kind::Histogram(bounds) => {
                assert!(row.name.ends_with("_seconds"), "{}", row.name);
                assert!(bounds.is_sorted(), "{}", row.name);
            }
            Kind::Gauge | Kind::State => assert!(!row.name.ends_with("_total"), "{}", row.name),
        }
    }
}

#[test]
fn labels_never_carry_an_enterprise_or_a_payout() {
    let allowed = [
        "state", "reason", "outcome", "kind", "fund", "call", "class", "queue", "link", "sweep", "version", "provider",
    ];
    for row in TABLE {
        for label in row.labels {
            assert!(allowed.contains(label), "{}: is label {label} of few values and about nobody?", row.name);
        }
    }
}

#[test]
fn counters_are_shown_at_zero_before_anything_happens() {
    let text = filled::metrics().unwrap().render();
    for line in [
        r#"zhida_payout_results_total{outcome="settled"} 0"#,
        r#"zhida_bank_calls_total{call="pay",outcome="unauthorised"} 0"#,
        r#"zhida_dead_letters_total{queue="intake"} 0"#,
        "zhida_intake_consumers 0",
    ] {
        assert!(text.contains(line), "{line} is missing: its first increase would go unseen");
    }
}

#[test]
fn state_nobody_can_read_is_absent_and_a_fund_that_is_gone_disappears() {
    let metrics = filled::metrics().unwrap();
    let state = || TABLE.iter().filter(|row| row.kind == Kind::State);
    assert!(state().all(|row| !metrics.render().contains(row.name)), "not read yet");

    let mut figures = filled::figures(SystemTime::UNIX_EPOCH + NOW);
    metrics.show_state(&figures);
    assert!(state().all(|row| metrics.render().contains(row.name)));
    figures.funds.clear();
    metrics.show_state(&figures);
    assert!(!metrics.render().contains("F-2026"));

    metrics.forget_state();
    assert!(state().all(|row| !metrics.render().contains(row.name)), "no longer to be read");
}

#[test]
fn every_alert_has_its_runbook_and_every_runbook_its_alert() {
    let mut expected = BTreeSet::new();
    for (alert, runbook) in alerts_with_runbooks() {
        assert_eq!(runbook, format!("monitoring/runbooks/{alert}.md"));
        let page = read(&format!("runbooks/{alert}.md"));
        assert!(page.starts_with(&format!("# {alert}\n")), "{alert}: the page's title is the alert's name");
        for part in ["**Means.**", "**Look first**", "**Do**", "**Never**"] {
            assert!(page.contains(part), "{alert}: the page lacks {part}");
        }
        assert!(expected.insert(format!("{alert}.md")), "{alert} stands twice");
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("runbooks");
    let pages = fs::read_dir(folder).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap());
    assert_eq!(pages.collect::<BTreeSet<String>>(), expected);
}

#[test]
fn every_alert_is_shown_to_fire_and_to_stay_silent() {
    let tests = read("alerts/zhida.rules.test.yml");
    for (alert, _) in alerts_with_runbooks() {
        for case in ["fires", "stays silent"] {
            assert!(tests.contains(&format!("- name: {alert} {case}\n")), "{alert}: no case in which it {case}");
        }
    }
}

#[test]
fn rules_and_dashboard_name_only_metrics_of_the_table() {
    let table = TABLE.iter().map(|row| row.name.to_owned()).collect::<BTreeSet<String>>();
    let dashboard = serde_json::from_str::<serde_json::Value>(&read("dashboards/zhida.json")).unwrap().to_string();
    let rules = metrics_named_in(&read("alerts/zhida.rules.yml"));
    let shown = metrics_named_in(&dashboard);
    for name in rules.iter().chain(&shown) {
        assert!(table.contains(name), "{name} does not stand in the table");
    }
    let used = rules.union(&shown).cloned().collect::<BTreeSet<String>>();
    let unused = table.difference(&used).collect::<Vec<&String>>();
    assert!(unused.is_empty(), "nobody looks at {unused:?}");
}
