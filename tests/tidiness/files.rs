//! The files of the repository as the other checks see them: paths relative to its root, text, code without its tests.
//! No rules here.

use std::fs;
use std::path::{Path, PathBuf};

/// What a build or a tool leaves behind; not ours.
const NOT_OURS: [&str; 5] = ["target", ".git", "node_modules", "demo-data", "Cargo.lock"];

/// Folders whose Rust is the product; the rest of the Rust is tests.
const PRODUCT: [&str; 4] = ["schemas/", "config/", "monitoring/", "workers/"];

/// A text file of the repository.
pub(crate) struct TextFile {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    // As cargo says now: a checkout may have been moved since it was built.
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&here).parent().expect("tests/ lies in the root").to_owned()
}

/// Every file of ours that is text, sorted by path.
pub(crate) fn all() -> Vec<TextFile> {
    let mut found = Vec::new();
    gather(&root(), "", &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 20, "only {} files found: is this the repository?", found.len());
    found
}

pub(crate) fn rust() -> Vec<TextFile> {
    all().into_iter().filter(|file| file.path.ends_with(".rs")).collect()
}

fn gather(folder: &Path, prefix: &str, found: &mut Vec<TextFile>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().into_string().expect("names of files are UTF-8");
        let path = format!("{prefix}{name}");
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if entry.file_type().expect("a kind of file").is_dir() {
            gather(&entry.path(), &format!("{path}/"), found);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(TextFile { path, text });
        }
    }
}

impl TextFile {
    /// Product code, as opposed to tests (also those that lie beside the code they test).
    pub(crate) fn is_product(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let beside = name == "tests.rs" || name.ends_with("_tests.rs") || self.path.contains("/tests/");
        PRODUCT.iter().any(|folder| self.path.starts_with(folder)) && !beside
    }

    /// Numbered lines of code: outside comments and outside items under `#[cfg(test)]`.
    pub(crate) fn code(&self) -> Vec<(usize, &str)> {
        let lines = self.outside_tests().into_iter().filter(|(_, line)| !line.trim_start().starts_with("//"));
        let code = lines.map(|(number, line)| (number, line.split(" //").next().unwrap_or_default()));
        code.filter(|(_, code)| !code.trim().is_empty()).collect()
    }

    /// Numbered lines outside items under `#[cfg(test)]`. It relies on rustfmt: an item ends with its first line of the
    /// same indentation that closes it.
    pub(crate) fn outside_tests(&self) -> Vec<(usize, &str)> {
        let mut lines = Vec::new();
        let mut test_item: Option<usize> = None;
        for (number, line) in self.text.lines().enumerate() {
            let indentation = line.len() - line.trim_start().len();
            match test_item {
                Some(start) if indentation == start && !line.is_empty() => {
                    let ends = line.ends_with(';') || line.ends_with('}');
                    test_item = if ends { None } else { Some(start) };
                }
                Some(_) => {}
                None if line.trim_start().starts_with("#[cfg(test)]") => test_item = Some(indentation),
                None => lines.push((number + 1, line)),
            }
        }
        lines
    }
}

#[test]
fn code_is_seen_without_comments_and_test_items() {
    let text = "//! head\nfn a() {} // why\n#[cfg(test)]\nmod far;\nfn b() {}\n#[cfg(test)]\nmod tests {\n    fn hidden() {}\n}\nfn c() {}\n";
    let file = TextFile { path: "workers/core/src/x.rs".to_owned(), text: text.to_owned() };
    assert_eq!(file.code(), [(2, "fn a() {}"), (5, "fn b() {}"), (10, "fn c() {}")]);
}
