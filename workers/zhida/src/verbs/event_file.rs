//! Cuts a file of events into its events: NDJSON line by line, however large; a JSON array; one JSON event or several, also
//! over many lines. What an event says is not looked at: what cannot be read is still a piece, to be named and kept.

use anyhow::Context as _;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use zhida_schemas::strict_json;

/// A line above this is no line of events.
const LINE_MAX: u64 = 8 * 1024 * 1024;

/// Where a piece stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Line of the file, from 1.
    Line(u64),
    /// Member of an array, or document in the file, from 1.
    Item(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(out, "第{number}行 line {number}"),
            Self::Item(number) => write!(out, "第{number}项 event {number}"),
        }
    }
}

/// One event as it stood in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where.
    pub(crate) place: Place,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// The events of a file, in order.
pub(crate) struct EventFile {
    reader: Box<dyn BufRead + Send>,
    form: FileForm,
    line: u64,
    read: u64,
    /// Size of the file, where it has one.
    pub(crate) size: Option<u64>,
}

enum FileForm {
    NotSeenYet,
    Lines,
    Items(std::iter::Enumerate<std::vec::IntoIter<Vec<u8>>>),
}

impl EventFile {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::new(Box::new(BufReader::new(io::stdin()))));
        }
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let size = file.metadata()?;
        anyhow::ensure!(!size.is_dir(), "{} is a folder; name a file with events", path.display());
        let opened = Self::new(Box::new(BufReader::with_capacity(1 << 16, file)));
        Ok(Self { size: Some(size.len()).filter(|_| size.is_file()), ..opened })
    }

    fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self { reader, form: FileForm::NotSeenYet, line: 0, read: 0, size: None }
    }

    /// Bytes read so far.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    fn next_piece(&mut self) -> anyhow::Result<Option<Piece>> {
        match &mut self.form {
            FileForm::NotSeenYet => self.first_piece(),
            FileForm::Lines => self.next_line(),
            FileForm::Items(items) => Ok(items.next().map(piece_of_item)),
        }
    }

    fn first_piece(&mut self) -> anyhow::Result<Option<Piece>> {
        self.form = FileForm::Lines;
        if self.first_byte()? == Some(b'[') {
            let mut whole = Vec::new();
            self.read += self.reader.read_to_end(&mut whole)? as u64;
            let events = strict_json::split_events(&whole).map_err(|error| {
                anyhow::anyhow!("the array of events cannot be taken apart, nothing of it was read: {error}")
            })?;
            self.form = items(events.into_iter().map(<[u8]>::to_vec).collect());
            return self.next_piece();
        }
        let Some(first) = self.next_line()? else { return Ok(None) };
        if !is_cut_off(&first.bytes) {
            return Ok(Some(first));
        }
        // An event that goes on over several lines, or NDJSON whose first line is broken.
        let mut rest = Vec::new();
        (&mut self.reader).take(LINE_MAX).read_to_end(&mut rest)?;
        match documents(&first.bytes, &rest) {
            Some(documents) => {
                self.read += rest.len() as u64;
                self.form = items(documents);
                self.next_piece()
            }
            None => {
                let unread = std::mem::replace(&mut self.reader, Box::new(io::empty()));
                self.reader = Box::new(Cursor::new(rest).chain(unread));
                Ok(Some(first))
            }
        }
    }

    /// Passes over blanks and a byte order mark, and looks at what follows.
    fn first_byte(&mut self) -> io::Result<Option<u8>> {
        if self.reader.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
            self.reader.consume(3);
        }
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(&byte) = buffer.first() else { return Ok(None) };
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.line += u64::from(byte == b'\n');
            self.read += 1;
            self.reader.consume(1);
        }
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> anyhow::Result<Option<Piece>> {
        loop {
            let mut bytes = Vec::new();
            let read = (&mut self.reader).take(LINE_MAX + 1).read_until(b'\n', &mut bytes)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.read += read;
            if read > LINE_MAX {
                anyhow::bail!("line {} has more than {LINE_MAX} bytes; is this a file of events?", self.line);
            }
            let trimmed = bytes.trim_ascii();
            if !trimmed.is_empty() {
                return Ok(Some(Piece { place: Place::Line(self.line), bytes: trimmed.to_vec() }));
            }
        }
    }
}

impl Iterator for EventFile {
    type Item = anyhow::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_piece().transpose()
    }
}

fn items(all: Vec<Vec<u8>>) -> FileForm {
    FileForm::Items(all.into_iter().enumerate())
}

fn piece_of_item((index, bytes): (usize, Vec<u8>)) -> Piece {
    Piece { place: Place::Item(index as u64 + 1), bytes }
}

fn is_cut_off(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof())
}

/// The JSON documents of a file whose first line is none; `None` when it is NDJSON after all. A broken document is kept whole
/// rather than in shreds.
fn documents(first: &[u8], rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    if rest.len() as u64 >= LINE_MAX {
        return None;
    }
    let whole = [first, b"\n", rest].concat();
    let read: Result<Vec<Box<RawValue>>, _> = serde_json::Deserializer::from_slice(&whole).into_iter().collect();
    if let Ok(documents) = read {
        return Some(documents.into_iter().map(|document| document.get().as_bytes().to_vec()).collect());
    }
    let mut lines = rest.split(|byte| *byte == b'\n');
    let is_event = |line: &[u8]| line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok();
    if lines.any(|line| is_event(line.trim_ascii_end())) { None } else { Some(vec![whole.trim_ascii().to_vec()]) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{EventFile, Place};
    use std::io::Cursor;

    fn pieces(text: &str) -> Vec<(Place, String)> {
        let file = EventFile::new(Box::new(Cursor::new(text.to_owned().into_bytes())));
        file.map(|piece| piece.unwrap()).map(|one| (one.place, String::from_utf8(one.bytes).unwrap())).collect()
    }

    fn lines(expected: &[(u64, &str)]) -> Vec<(Place, String)> {
        expected.iter().map(|(number, text)| (Place::Line(*number), (*text).to_owned())).collect()
    }

    fn items(expected: &[&str]) -> Vec<(Place, String)> {
        (1..).zip(expected).map(|(number, text)| (Place::Item(number), (*text).to_owned())).collect()
    }

    #[test]
    fn lines_are_numbered_as_in_the_file() {
        assert_eq!(pieces("\n{\"a\":1}\r\n\n  {\"a\":2}"), lines(&[(2, "{\"a\":1}"), (4, "{\"a\":2}")]));
        assert_eq!(pieces("\u{feff}{}\n"), lines(&[(1, "{}")]));
        assert_eq!(pieces(""), []);
        assert_eq!(pieces(" \n\n"), []);
    }

    #[test]
    fn a_line_that_is_no_json_is_a_piece_like_any_other() {
        assert_eq!(pieces("nonsense\n{}\n"), lines(&[(1, "nonsense"), (2, "{}")]));
        assert_eq!(pieces("{}\n{\"a\":\n{}\n"), lines(&[(1, "{}"), (2, "{\"a\":"), (3, "{}")]));
        assert_eq!(pieces("{\"a\":\n{\"b\":1}\n{}\n"), lines(&[(1, "{\"a\":"), (2, "{\"b\":1}"), (3, "{}")]));
    }

    #[test]
    fn arrays_and_documents_over_several_lines_are_taken_apart() {
        assert_eq!(pieces(" [\n {\"a\": 1},\n {}\n]\n"), items(&["{\"a\": 1}", "{}"]));
        assert_eq!(pieces("[]"), []);
        assert_eq!(pieces("{\n \"a\": 1\n}\n{\n}\n"), items(&["{\n \"a\": 1\n}", "{\n}"]));
    }

    #[test]
    fn a_broken_document_is_kept_whole() {
        assert_eq!(pieces("{\n \"a\": 1,\n}\n"), items(&["{\n \"a\": 1,\n}"]));
    }

    #[test]
    fn an_array_that_cannot_be_taken_apart_is_refused() {
        let mut file = EventFile::new(Box::new(Cursor::new(b"[{}, oops]".to_vec())));
        assert!(file.next().unwrap().unwrap_err().to_string().contains("column"));
    }
}
