//! The floors: arrows between our crates point downward only, so no worker imports another worker or an adapter.
//! Reads `cargo metadata`; dependencies of tests are free.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::{assert_tidy, files};

/// Every crate has a floor and may import crates of lower floors only. The tests stand outside and import what they like.
const FLOORS: [(&str, u8); 15] = [
    ("zhida-schemas", 0),
    ("zhida-config", 0),
    ("zhida-monitoring", 0),
    ("zhida-core", 1),
    ("zhida-intake", 2),
    ("zhida-payout", 2),
    ("zhida-reconcile", 2),
    ("zhida-supervision", 2),
    ("zhida-notice", 2),
    ("zhida-registry", 2),
    ("zhida-relay", 2),
    ("zhida-adapters", 2),
    ("zhida-sandbox", 2),
    ("zhida-console", 2),
    ("zhida", 3),
];

const OUTSIDE: &str = "zhida-tests";

#[test]
fn arrows_point_downward_only() {
    assert_tidy("a crate imports only crates of lower floors", &wrong_arrows(&arrows()));
}

#[test]
fn an_arrow_that_is_not_downward_is_found() {
    let arrows = |from: &str, to: &str| BTreeMap::from([(from.to_owned(), vec![to.to_owned()])]);
    assert_eq!(wrong_arrows(&arrows("zhida-payout", "zhida-core")), [""; 0]);
    assert_eq!(wrong_arrows(&arrows("zhida-payout", "zhida-adapters")).len(), 1);
    assert_eq!(wrong_arrows(&arrows("zhida-payout", "zhida-intake")).len(), 1);
    assert_eq!(wrong_arrows(&arrows("zhida-core", "zhida-payout")).len(), 1);
    assert_eq!(wrong_arrows(&arrows("zhida-config", "zhida-schemas")).len(), 1);
    assert_eq!(wrong_arrows(&arrows("zhida-novelty", "zhida-core")).len(), 1);
    assert_eq!(wrong_arrows(&arrows("zhida", OUTSIDE)).len(), 1);
}

fn wrong_arrows(arrows: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let floor = |name: &str| FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor);
    let mut findings = Vec::new();
    for (from, targets) in arrows.iter().filter(|(from, _)| *from != OUTSIDE) {
        let Some(from_floor) = floor(from) else {
            findings.push(format!("{from} has no floor: give it one in tests/tidiness/floors.rs"));
            continue;
        };
        for to in targets {
            match floor(to) {
                Some(to_floor) if to_floor < from_floor => {}
                Some(to_floor) => findings.push(format!("{from} (floor {from_floor}) imports {to} (floor {to_floor})")),
                None => findings.push(format!("{from} imports {to}, which is outside the floors")),
            }
        }
    }
    findings
}

/// Our crates and those of ours that each imports outside its tests.
fn arrows() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(files::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = packages.iter().map(|package| {
        let imports = package["dependencies"].as_array().expect("dependencies").iter();
        // `kind` is null for ordinary dependencies; those with a path are ours.
        let imports = imports.filter(|import| import["kind"] != "dev" && import["path"].is_string());
        (text(&package["name"]), imports.map(|import| text(&import["name"])).collect())
    });
    ours.collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
