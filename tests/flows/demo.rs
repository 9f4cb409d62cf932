//! `zhida demo`, as a newcomer runs it.

use std::process::Command;

#[test]
fn the_demo_pays_the_sample_district_once() {
    let folder = std::env::temp_dir().join(format!("zhida-demo-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let summary = folder.join("summary.json");
    let output = Command::new(env!("CARGO_BIN_EXE_zhida"))
        .args(["demo", "--exit", "--listen", "127.0.0.1:0", "--json", summary.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(&summary).unwrap()).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    for (key, wanted) in [
        ("policies", serde_json::json!(149)),
        ("applications", serde_json::json!(286)),
        ("approved_total", serde_json::json!("35570100.00")),
        ("held", serde_json::json!(5)),
        ("unknown", serde_json::json!(0)),
        ("paid_twice", serde_json::json!(0)),
        ("lost", serde_json::json!(0)),
        ("unexplained", serde_json::json!(0)),
        (
            "reasons",
            serde_json::json!({"held account_name": 2, "held commitment_missing": 1, "held officers_missing": 1,
                "held policy_not_open": 1, "refused refused_payee": 9}),
        ),
    ] {
        assert_eq!(summary[key], wanted, "{key} in {summary}");
    }
    assert_eq!(summary["settled_total"], summary["bank_ledger_total"]);
    let sum = ["settled", "refused", "held"].iter().map(|key| summary[*key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum, 286);
}
