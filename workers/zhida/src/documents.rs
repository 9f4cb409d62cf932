//! README and runbooks name commands and flags that exist: whoever is woken at night types what stands there. A test only.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

use crate::cli::Cli;
use clap::{Command, CommandFactory as _};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_command_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runbooks = fs::read_dir(root.join("monitoring/runbooks")).unwrap();
    let mut documents: Vec<PathBuf> = runbooks.map(|entry| entry.unwrap().path()).collect();
    documents.extend([root.join("README.md"), root.join("monitoring/README.md"), root.join("ARCHITECTURE.md")]);
    documents.extend([root.join("monitoring/alerts/zhida.rules.yml"), root.join("config/default.toml")]);
    let (mut found, mut wrong) = (0, Vec::new());
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for command in commands_in(&text) {
            found += 1;
            if let Err(why) = known(&command) {
                wrong.push(format!("{}: `zhida {command}`: {why}", document.file_name().unwrap().display()));
            }
        }
    }
    assert!(found > 60, "only {found} commands found: does the test still read what is there?");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_does_not_exist_is_found() {
    let text =
        "Run `zhida payouts\nlist --state held`, then `zhida audit verify`.\n\n- `zhida reconcile` is to come.\n";
    let commands = commands_in(text);
    assert_eq!(commands, ["payouts list --state held", "audit verify"]);
    assert_eq!(commands.iter().map(|one| known(one).is_ok()).collect::<Vec<_>>(), [true, false]);
    assert!(known("payouts list --colour").is_err() && known("payouts pay").is_err() && known("config").is_ok());
    assert_eq!(commands_in("```sh\nid=$(zhida sign x) | zhida submit - # zhida no\n```"), ["sign x)", "submit -"]);
}

/// What follows `zhida` in code spans and in shell examples; passages that say that something is to come are left out.
fn commands_in(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut prose, mut fence) = (String::new(), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &fence) {
            (Some(language), None) => fence = Some(language.to_owned()),
            (Some(_), Some(_)) => fence = None,
            (None, Some(language)) if language == "sh" => {
                let (typed, _) = line.split_once('#').unwrap_or((line, ""));
                let pieces = typed.split(['|', '&', ';', '(']).map(str::trim);
                commands.extend(pieces.filter_map(|piece| piece.strip_prefix("zhida ")).map(str::to_owned));
            }
            (None, Some(_)) => {}
            (None, None) => {
                prose.push_str(if line.trim().is_empty() || line.starts_with("- ") { "\n" } else { " " });
                prose.push_str(line.trim().trim_start_matches('#').trim());
            }
        }
    }
    for passage in prose.lines().filter(|passage| !passage.contains("to come")) {
        let spans = passage.split('`').skip(1).step_by(2);
        commands.extend(spans.filter_map(|span| span.strip_prefix("zhida ")).map(str::to_owned));
    }
    commands
}

/// Whether the program has these verbs with these flags. What is no verb and no flag is a value.
fn known(command: &str) -> Result<(), String> {
    let program = Cli::command();
    let mut verb: &Command = &program;
    for word in command.split_whitespace() {
        if let Some(flag) = word.strip_prefix("--").filter(|flag| !flag.is_empty()) {
            let flag = flag.split('=').next().unwrap_or_default();
            let globals = program.get_arguments().filter(|one| one.is_global_set());
            let has = verb.get_arguments().chain(globals).any(|one| one.get_long() == Some(flag));
            if !has && flag != "help" {
                return Err(format!("{} has no flag --{flag}", verb.get_name()));
            }
        } else if let Some(next) = verb.find_subcommand(word) {
            verb = next;
        } else if verb.has_subcommands() && word.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-') {
            return Err(format!("{} has no verb {word}", verb.get_name()));
        }
    }
    Ok(())
}
