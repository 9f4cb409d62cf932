//! A small XML reader for messages of banks: a tree of local names, deliberately without namespaces, attributes, document type
//! definitions or entities of one's own. Not a validator; what cannot be read with certainty is refused.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

/// Elements nested deeper than this are refused; ISO 20022 messages stay below 20.
const MAX_DEPTH: usize = 64;

/// One element: its name without prefix, its own text, its children in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// The children called `name`, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child called `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text without surrounding blanks; `None` when nothing remains.
    pub(crate) fn text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The text of the first element at `path` below this one.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        path.iter().try_fold(self, |element, name| element.first(name))?.text()
    }
}

/// Reads a whole document into its root element. The reason of a refusal names no content.
pub(crate) fn read(bytes: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find(is_forbidden) {
        return Err(format!("a character XML does not allow at byte {at}"));
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    loop {
        let at = reader.buffer_position();
        match reader.read_event().map_err(|error| format!("broken XML at byte {at}: {}", kind_of(&error)))? {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(format!("nested deeper than {MAX_DEPTH} at byte {at}"));
                }
                if root.is_some() {
                    return Err(format!("a second root element at byte {at}"));
                }
                open.push(named(start.local_name().as_ref()));
            }
            Event::Empty(start) => {
                let element = named(start.local_name().as_ref());
                close(element, &mut open, &mut root).map_err(|why| format!("{why} at byte {at}"))?;
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| format!("an end without a start at byte {at}"))?;
                close(element, &mut open, &mut root).map_err(|why| format!("{why} at byte {at}"))?;
            }
            Event::Text(text) => {
                add_text(&mut open, &text.xml10_content()).map_err(|why| format!("{why} at byte {at}"))?
            }
            Event::CData(text) => {
                add_text(&mut open, &text.xml10_content()).map_err(|why| format!("{why} at byte {at}"))?
            }
            Event::GeneralRef(reference) => {
                let letter = resolve(&reference).ok_or_else(|| format!("an entity not of XML itself at byte {at}"))?;
                add_text(&mut open, letter.encode_utf8(&mut [0; 4])).map_err(|why| format!("{why} at byte {at}"))?;
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let name = encoding.map_err(|_| "a broken XML declaration".to_owned())?;
                    // Other encodings were converted by the bank or never used; plain ASCII reads the same in all of them.
                    if !name.eq_ignore_ascii_case("utf-8") && !text.is_ascii() {
                        return Err("declared in another encoding than UTF-8".to_owned());
                    }
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(format!("a document type definition at byte {at}")),
            Event::Eof => break,
        }
    }
    if let Some(element) = open.last() {
        return Err(format!("ends inside <{}>", element.name));
    }
    root.ok_or_else(|| "no root element".to_owned())
}

fn named(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) -> Result<(), &'static str> {
    match (open.last_mut(), &root) {
        (Some(parent), _) => parent.children.push(element),
        (None, None) => *root = Some(element),
        (None, Some(_)) => return Err("a second root element"),
    }
    Ok(())
}

fn add_text(open: &mut [Element], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err("text outside the root element"),
    }
    Ok(())
}

/// The five entities of XML itself and character references; nothing else exists without a document type definition.
fn resolve(reference: &BytesRef<'_>) -> Option<char> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten().filter(|letter| !is_forbidden(*letter));
    }
    let name: &str = reference;
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Characters outside the production `Char` of XML 1.0.
pub(crate) fn is_forbidden(letter: char) -> bool {
    (letter < ' ' && !matches!(letter, '\t' | '\n' | '\r')) || matches!(letter, '\u{fffe}' | '\u{ffff}')
}

fn kind_of(error: &quick_xml::Error) -> &'static str {
    match error {
        quick_xml::Error::Syntax(_) => "syntax",
        quick_xml::Error::IllFormed(_) => "ill-formed",
        _ => "unreadable", // the enum is open to additions
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::read;

    #[test]
    fn prefixes_comments_references_and_blanks_do_not_matter() {
        let root = read("<?xml version=\"1.0\" encoding='utf-8'?>\n<!-- x --><a:Doc xmlns:a='u'><b>\n 1&lt;<![CDATA[2&]]>&#x33; </b><c/></a:Doc>\n".as_bytes()).unwrap();
        assert_eq!(root.name, "Doc");
        assert_eq!(root.text_at(&["b"]), Some("1<2&3"));
        assert_eq!(root.text_at(&["c"]), None);
        assert_eq!(root.text_at(&["c", "d"]), None);
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        let deep = "<a>".repeat(65) + &"</a>".repeat(65);
        let cases: &[(&str, &[u8])] = &[
            ("nothing", b""),
            ("blanks", b" \n"),
            ("text", b"Service temporarily unavailable"),
            ("truncated", b"<a><b>1</b>"),
            ("truncated in a tag", b"<a><b>1</b></"),
            ("crossed", b"<a><b></a></b>"),
            ("two roots", b"<a></a><b></b>"),
            ("two empty roots", b"<a/><b/>"),
            ("tail", b"<a></a>x"),
            ("head", b"x<a></a>"),
            ("end alone", b"</a>"),
            ("document type", b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
            ("own entity", b"<a>&e;</a>"),
            ("NUL", b"<a>\0</a>"),
            ("NUL by reference", b"<a>&#0;</a>"),
            ("not UTF-8", b"<a>\xff</a>"),
            ("UTF-16", b"\xff\xfe<\0a\0/\0>\0"),
            ("other encoding", "<?xml version='1.0' encoding='GBK'?><a>银</a>".as_bytes()),
            ("deep", deep.as_bytes()),
        ];
        for (case, bytes) in cases {
            assert!(read(bytes).is_err(), "{case}");
        }
    }
}
