//! Documents point at something that exists, and every dependency says why it is here.
//! A document that is not written yet is reported and passed over. Not a check of prose.

use std::fs;

use crate::{assert_tidy, files};

/// What a path in a document begins with.
const TOP: [&str; 7] = ["workers/", "schemas/", "config/", "monitoring/", "tests/", ".ci/", "./"];

/// Written paths end where one of these stands.
const ENDS: [char; 16] = ['`', '(', ')', '[', ']', '"', '\'', ',', ';', '|', '<', '>', '*', '{', '#', '='];

#[test]
fn every_path_in_the_documents_exists() {
    let mut findings = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let Ok(text) = fs::read_to_string(files::root().join(document)) else {
            println!("{document} does not exist yet: nothing to check in it");
            continue;
        };
        let missing = paths_in(&text).into_iter().filter(|path| !files::root().join(path).exists());
        findings.extend(missing.map(|path| format!("{document} names {path}")));
    }
    assert_tidy("a path named in a document exists", &findings);
}

#[test]
fn paths_are_found_in_prose_links_and_code() {
    let text =
        "See `workers/core/src`, [tests](tests/run) or workers/payout/. Not postgres://x/tests/y; `schemas/v1/*.json`";
    assert_eq!(paths_in(text), ["workers/core/src", "tests/run", "workers/payout/", "schemas/v1/"]);
}

#[test]
fn every_dependency_says_why() {
    let manifest = fs::read_to_string(files::root().join("Cargo.toml")).expect("Cargo.toml");
    let (_, section) = manifest.split_once("[workspace.dependencies]\n").expect("dependencies in one place");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let silent = lines.filter(|line| line.contains(" = ") && !line.contains("{ path =") && !line.contains(" # "));
    assert_tidy("a dependency has its reason beside it", &silent.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn crates_take_versions_from_the_workspace() {
    let manifests =
        files::all().into_iter().filter(|file| file.path.contains('/') && file.path.ends_with("/Cargo.toml"));
    let mut findings = Vec::new();
    for manifest in manifests {
        let mut section = "";
        for line in manifest.text.lines() {
            if line.starts_with('[') {
                section = line;
            } else if section.contains("dependencies]") && line.contains('=') && !line.contains("workspace = true") {
                findings.push(format!("{}: {line}", manifest.path));
            }
        }
    }
    assert_tidy("a crate's dependency is `workspace = true`, its version stands in the root", &findings);
}

fn paths_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || ENDS.contains(&letter) || !letter.is_ascii());
    let words = words.filter(|word| TOP.iter().any(|top| word.starts_with(top) && word.len() > top.len()));
    words.map(|word| word.trim_end_matches(['.', ':', '!', '?']).to_owned()).collect()
}
