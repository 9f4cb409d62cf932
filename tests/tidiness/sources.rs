//! Rules about what stands in source files: heads, lengths, names, and words that do not belong where they stand.
//! The words are put together at run time so that this file does not find itself.

use crate::assert_tidy;
use crate::files::{self, TextFile};

const LONGEST_FILE: usize = 400;

/// Files that may be longer, each with its reason: tables of data and exhaustive matches only.
const LONGER: &[(&str, &str)] = &[];

const NAMES_THAT_SAY_NOTHING: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "misc"];

#[test]
fn every_rust_file_says_what_it_is() {
    let silent = files::rust().into_iter().filter(|file| !file.text.starts_with("//! "));
    assert_tidy("a file opens with `//! `: what it is and what it is not", &paths(silent));
}

#[test]
fn no_file_is_too_long() {
    let allowed = |file: &TextFile| LONGER.iter().any(|(path, _)| *path == file.path);
    let long = files::rust().into_iter().filter(|file| file.text.lines().count() > LONGEST_FILE && !allowed(file));
    assert_tidy("a file has at most 400 lines (tables may be listed in LONGER with a reason)", &paths(long));
    let idle = LONGER.iter().filter(|(path, _)| {
        files::rust().iter().all(|file| file.path != *path || file.text.lines().count() <= LONGEST_FILE)
    });
    assert_tidy(
        "LONGER names only files that are longer",
        &idle.map(|(path, _)| (*path).to_owned()).collect::<Vec<_>>(),
    );
}

#[test]
fn names_say_what_is_inside() {
    let vague = files::rust()
        .into_iter()
        .filter(|file| file.path.trim_end_matches(".rs").split('/').any(|part| NAMES_THAT_SAY_NOTHING.contains(&part)));
    assert_tidy("no file or folder has a name that says nothing", &paths(vague));
}

#[test]
fn product_code_does_not_panic_at_will() {
    let panics = [".unwrap()", ".expect(", "allow(clippy::unwrap_used", "allow(clippy::expect_used"];
    assert_tidy("unwrap and expect are for tests", &found(&product(), &panics));
}

#[test]
fn tests_neither_wait_blindly_nor_are_switched_off() {
    let tests: Vec<TextFile> = files::rust().into_iter().filter(|file| !file.is_product()).collect();
    let words = [joined(&["sle", "ep("]), joined(&["#[ign", "ore"]), joined(&["sleep_", "until("])];
    assert_tidy("time is a port, and a test is on or deleted", &found(&tests, &words));
}

#[test]
fn core_knows_neither_clock_nor_floats() {
    let core = |file: &TextFile| file.path.starts_with("workers/core/");
    let core: Vec<TextFile> = product().into_iter().filter(core).collect();
    assert_tidy("core reads no clock and computes in integers", &found(&core, &["::now(", "f32", "f64"]));
    let money = ["schemas/", "workers/intake/", "workers/payout/"];
    // The reader of JSON keeps numbers it does not know as they came; amounts are strings.
    let reader = "schemas/src/strict_json.rs";
    let near_money = |file: &TextFile| file.path != reader && money.iter().any(|folder| file.path.starts_with(folder));
    let near_money: Vec<TextFile> = product().into_iter().filter(near_money).collect();
    assert_tidy("no floats near money", &found(&near_money, &["f32", "f64"]));
}

#[test]
fn sql_lies_in_the_store() {
    let store =
        |file: &TextFile| file.path.starts_with("workers/adapters/src/store/") || file.path.starts_with("schemas/");
    let others = product().into_iter().filter(|file| file.path.ends_with(".rs") && !store(file));
    let findings = others.flat_map(|file| {
        let lines = file.code().into_iter().filter(|(_, code)| is_sql(code));
        lines.map(|(number, code)| finding(&file, number, code)).collect::<Vec<_>>()
    });
    assert_tidy("SQL stands in workers/adapters/src/store and in the migrations only", &findings.collect::<Vec<_>>());
}

#[test]
fn sql_is_lower_case() {
    let words =
        ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE ", "ALTER ", " FROM ", " WHERE ", " VALUES"];
    let with_sql =
        |file: &TextFile| file.path.ends_with(".sql") || file.path.starts_with("workers/adapters/src/store/");
    let mut findings = Vec::new();
    for file in files::all().into_iter().filter(with_sql) {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("--").next().unwrap_or_default().split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                findings.push(finding(&file, number + 1, code));
            }
        }
    }
    assert_tidy("SQL is written in lower case", &findings);
}

#[test]
fn files_speak_of_the_product_alone() {
    let everywhere = [joined(&["/wo", "rk/main"]), joined(&["/wo", "rk/shared"]), joined(&["/tm", "p/z/"])];
    assert_tidy("no file names a place on somebody's machine", &found_in_text(&files::all(), &everywhere));
    let words = [joined(&["../sh", "ared"])];
    let other = |file: &TextFile| !file.path.ends_with(".rs") && !file.path.starts_with("tests/");
    let mut findings = found_in_text(&files::all().into_iter().filter(other).collect::<Vec<_>>(), &words);
    for file in product() {
        let lines = file.outside_tests().into_iter().filter(|(_, line)| line.contains(&words[0]));
        findings.extend(lines.map(|(number, line)| finding(&file, number, line)));
    }
    assert_tidy("only a test may look outside the repository", &findings);
}

#[test]
fn no_package_registry_is_named() {
    let hosts =
        ["://index.crates", "://static.crates", "://registry.", "://pypi.", "://files.pythonhosted", "://proxy.golang"];
    let hosts = hosts.map(str::to_owned);
    let others: Vec<TextFile> =
        files::all().into_iter().filter(|file| file.path != "tests/tidiness/sources.rs").collect();
    assert_tidy(
        "packages come through their tools, whose hosts are set outside the repository",
        &found_in_text(&others, &hosts),
    );
}

#[test]
fn the_scanners_find_what_they_look_for() {
    let text = "//! x\nfn a() { b.unwrap() }\n#[cfg(test)]\nmod tests {\n    c.unwrap()\n}\n";
    let file = TextFile { path: "workers/core/src/x.rs".to_owned(), text: text.to_owned(), is_test_module: false };
    assert_eq!(found(&[file], &[".unwrap()"]), ["workers/core/src/x.rs:2: fn a() { b.unwrap() }"]);
    assert!(is_sql(r#"query("select id from payouts")"#) && is_sql(r#""update payouts set state""#));
    assert!(!is_sql("let chosen = select(from);") && !is_sql(r#""an update of the settings""#));
}

/// A string that begins or continues a statement; a heuristic that suits our own way of writing.
fn is_sql(code: &str) -> bool {
    let Some((_, text)) = code.split_once('"') else { return false };
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().all(|word| text.contains(word));
    has(&["insert into "]) || has(&["delete from "]) || has(&["select ", " from "]) || has(&["update ", " set "])
}

fn product() -> Vec<TextFile> {
    files::rust().into_iter().filter(TextFile::is_product).collect()
}

/// Lines of code (no comments, no test items) that contain one of the words.
fn found(files: &[TextFile], words: &[impl AsRef<str>]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, code) in file.code() {
            if words.iter().any(|word| code.contains(word.as_ref())) {
                findings.push(finding(file, number, code));
            }
        }
    }
    findings
}

/// Lines of any text that contain one of the words.
fn found_in_text(files: &[TextFile], words: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                findings.push(finding(file, number + 1, line));
            }
        }
    }
    findings
}

fn finding(file: &TextFile, number: usize, line: &str) -> String {
    format!("{}:{number}: {}", file.path, line.trim())
}

fn paths(files: impl Iterator<Item = TextFile>) -> Vec<String> {
    files.map(|file| file.path).collect()
}

fn joined(parts: &[&str]) -> String {
    parts.concat()
}
