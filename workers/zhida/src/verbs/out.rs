//! Standard output: whole lines, and JSON. Names and reasons come from outside and may hold anything, so that nothing gets
//! out of here that could steer a terminal.

use serde_json::Value;
use std::io::{self, BufWriter, Stdout, Write};

/// Standard output. A reader who went away (`zhida trace … | head`) is no failure: what comes after is dropped.
pub(crate) struct Out {
    to: BufWriter<Stdout>,
    reader: Reader,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { to: BufWriter::new(io::stdout()), reader: Reader::There }
    }

    /// One line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(&plain(text))
    }

    /// Several lines.
    pub(crate) fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// A JSON document over several lines.
    pub(crate) fn json(&mut self, value: &Value) -> io::Result<()> {
        self.write(&harmless_json(&format!("{value:#}")))
    }

    /// A JSON document on one line.
    pub(crate) fn json_line(&mut self, value: &Value) -> io::Result<()> {
        self.write(&harmless_json(&value.to_string()))
    }

    /// Lets everything out.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let flushed = self.to.flush();
        self.unless_gone(flushed)
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.write_open(text)?;
        self.write_open("\n")
    }

    fn write_open(&mut self, text: &str) -> io::Result<()> {
        if self.reader == Reader::Gone {
            return Ok(());
        }
        let written = self.to.write_all(text.as_bytes());
        self.unless_gone(written)
    }

    fn unless_gone(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader = Reader::Gone;
                Ok(())
            }
            other => other,
        }
    }
}

/// A JSON array with one member a line, written as its members come.
pub(crate) struct JsonList<'a> {
    out: &'a mut Out,
    written: usize,
}

impl<'a> JsonList<'a> {
    pub(crate) fn new(out: &'a mut Out) -> Self {
        Self { out, written: 0 }
    }

    pub(crate) fn member(&mut self, value: &Value) -> io::Result<()> {
        let before = if self.written == 0 { "[" } else { ",\n" };
        self.written += 1;
        self.out.write_open(before)?;
        self.out.write_open(&harmless_json(&value.to_string()))
    }

    pub(crate) fn end(self) -> io::Result<()> {
        self.out.write(if self.written == 0 { "[]" } else { "]" })
    }
}

/// The text with everything escaped that a terminal obeys instead of showing: control characters, and those that turn the
/// direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers(letter) { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    shown
}

/// JSON stays JSON: such characters stand in its strings only, where `\u` means the same. Line ends are the document's own.
fn harmless_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != '\n' && steers(letter) {
            shown.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{harmless_json, plain};
    use serde_json::{Value, json};

    #[test]
    fn nothing_that_steers_a_terminal_gets_out() {
        assert_eq!(plain("示例\u{1b}[31m红\u{202e}\u{9b}2J\r\n"), "示例\\u{1b}[31m红\\u{202e}\\u{9b}2J\\r\\n");
        assert_eq!(plain("=1+1 <b>“示例（福州）”</b>"), "=1+1 <b>“示例（福州）”</b>");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = json!({"name": "a\u{9b}b\u{202e}c\u{7f}\n"});
        let text = harmless_json(&format!("{value:#}"));
        assert!(!text.chars().any(|letter| letter != '\n' && letter.is_control()), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
