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
    /// Declared under `#[cfg(test)]` by the file above it, or below such a file.
    pub(crate) is_test_module: bool,
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
    let test_modules: Vec<String> = found.iter().flat_map(TextFile::test_modules).collect();
    for file in &mut found {
        let stem = file.path.trim_end_matches(".rs");
        file.is_test_module = test_modules.iter().any(|module| {
            stem.strip_prefix(module.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    }
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
            found.push(TextFile { path, text, is_test_module: false });
        }
    }
}

impl TextFile {
    /// Product code, as opposed to tests (also those that lie beside the code they test).
    pub(crate) fn is_product(&self) -> bool {
        let product = PRODUCT.iter().any(|folder| self.path.starts_with(folder));
        // Named so where `#[path]` puts the tests of `x.rs` into `x_tests.rs`.
        product && !self.is_test_module && !self.path.contains("/tests/") && !self.path.ends_with("_tests.rs")
    }

    /// Paths, without `.rs`, of the modules that this file declares under `#[cfg(test)]`.
    fn test_modules(&self) -> Vec<String> {
        let (folder, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let below = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => self.path.trim_end_matches(".rs").to_owned(),
        };
        let lines: Vec<&str> = self.text.lines().collect();
        let declared = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].ends_with(';'));
        let names = declared.filter_map(|pair| pair[1].split_once("mod ").map(|(_, name)| name.trim_end_matches(';')));
        names.map(|name| format!("{below}/{name}")).collect()
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
    let file = TextFile { path: "workers/core/src/x.rs".to_owned(), text: text.to_owned(), is_test_module: false };
    assert_eq!(file.test_modules(), ["workers/core/src/x/far"]);
    assert_eq!(file.code(), [(2, "fn a() {}"), (5, "fn b() {}"), (10, "fn c() {}")]);
}
