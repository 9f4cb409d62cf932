//! What of the broker's bytes reaches lapin. Anyone who may publish can write properties that lapin cannot survive: a
//! name that is not UTF-8 (a sender that speaks GBK) ends the connection, tables nested thousands deep end the process,
//! and the message comes back each time. So of all properties only the message id passes, and a routing key that is not
//! UTF-8 passes with `?` for its foreign bytes. We read nothing else; bodies are untouched.

use std::ops::Range;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const CLASS_BASIC: u16 = 60;
const METHOD_RETURN: u16 = 50;
const METHOD_DELIVER: u16 = 60;
const MESSAGE_ID: u16 = 1 << 7;
/// Kind, channel and size in front of a frame's payload; one byte ends it.
const FRAME_HEAD: usize = 7;
const FRAME_END: usize = 1;
/// Class, weight and body size in front of the properties.
const CONTENT_HEAD: usize = 12;

/// Frames of one connection, in order. Feed bytes, take bytes.
#[derive(Default)]
pub(super) struct Sieve {
    /// Not yet a whole frame.
    held: Vec<u8>,
    /// Bytes of the present frame that pass unread.
    passing: usize,
    ready: Vec<u8>,
    taken: usize,
}

impl Sieve {
    /// Takes in what the broker sent.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let through = self.passing.min(bytes.len());
        self.ready.extend_from_slice(&bytes[..through]);
        self.passing -= through;
        self.held.extend_from_slice(&bytes[through..]);
        let mut done = 0;
        while let Some(used) = self.next_frame(done) {
            done += used;
        }
        self.held.drain(..done);
    }

    /// Moves what is ready into `buffer`; 0 when nothing is.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
        }
        count
    }

    /// Handles the frame that begins at `from`; how many of the held bytes it used, `None` when more are needed.
    fn next_frame(&mut self, from: usize) -> Option<usize> {
        let held = self.held.get(from..)?;
        let kind = *held.first()?;
        let size = u32::from_be_bytes(held.get(3..FRAME_HEAD)?.try_into().ok()?) as usize;
        let whole = FRAME_HEAD + size + FRAME_END;
        if kind != METHOD && kind != HEADER {
            let through = whole.min(held.len());
            self.ready.extend_from_slice(&held[..through]);
            self.passing = whole - through;
            return Some(through);
        }
        let frame = held.get(..whole)?;
        let (head, payload) = (&frame[..FRAME_HEAD], &frame[FRAME_HEAD..FRAME_HEAD + size]);
        let sifted = if kind == METHOD { sift_method(payload) } else { sift_properties(payload) };
        match sifted.and_then(|payload| u32::try_from(payload.len()).ok().map(|size| (size, payload))) {
            Some((new_size, new_payload)) => {
                self.ready.extend_from_slice(&head[..3]);
                self.ready.extend_from_slice(&new_size.to_be_bytes());
                self.ready.extend_from_slice(&new_payload);
                self.ready.extend_from_slice(&frame[FRAME_HEAD + size..]);
            }
            None => self.ready.extend_from_slice(frame),
        }
        Some(whole)
    }
}

/// A delivered or returned message with a readable routing key; `None` when the frame may pass as it is.
fn sift_method(payload: &[u8]) -> Option<Vec<u8>> {
    if number(payload, 0)? != CLASS_BASIC {
        return None;
    }
    let routing_key = match number(payload, 2)? {
        METHOD_DELIVER => {
            let tag = short_string(payload, 4)?;
            let exchange = short_string(payload, tag.end + 9)?; // delivery tag and redelivered stand between
            short_string(payload, exchange.end)?
        }
        METHOD_RETURN => {
            let text = short_string(payload, 6)?;
            let exchange = short_string(payload, text.end)?;
            short_string(payload, exchange.end)?
        }
        _ => return None, // other methods carry nothing a sender wrote
    };
    if std::str::from_utf8(&payload[routing_key.clone()]).is_ok() {
        return None;
    }
    let mut readable = payload.to_vec();
    for byte in &mut readable[routing_key] {
        if !byte.is_ascii() {
            *byte = b'?';
        }
    }
    Some(readable)
}

/// A content header with the message id alone, or with nothing when even that cannot be read.
fn sift_properties(payload: &[u8]) -> Option<Vec<u8>> {
    let head = payload.get(..CONTENT_HEAD)?;
    let mut sifted = head.to_vec();
    match message_id(payload) {
        Some(id) => {
            sifted.extend_from_slice(&MESSAGE_ID.to_be_bytes());
            sifted.extend_from_slice(&payload[id.start - 1..id.end]);
        }
        None => sifted.extend_from_slice(&[0, 0]),
    }
    Some(sifted)
}

/// Where the message id stands, without its length, if there is one and it is UTF-8. The properties stand in the order
/// of their flags, from the highest; those before the id are skipped unread.
fn message_id(payload: &[u8]) -> Option<Range<usize>> {
    let flags = number(payload, CONTENT_HEAD)?;
    if flags & MESSAGE_ID == 0 || flags & 1 != 0 {
        return None; // the lowest bit announces a second word of flags: nobody sends it
    }
    let mut at = CONTENT_HEAD + 2;
    for bit in (8..16).rev().filter(|bit| flags & (1 << bit) != 0) {
        at = match bit {
            13 => at + 4 + usize::try_from(u32::from_be_bytes(payload.get(at..at + 4)?.try_into().ok()?)).ok()?,
            11 | 12 => at + 1, // priority, delivery mode
            _ => short_string(payload, at)?.end,
        };
    }
    let id = short_string(payload, at)?;
    std::str::from_utf8(&payload[id.clone()]).is_ok().then_some(id)
}

fn number(payload: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(payload.get(at..at + 2)?.try_into().ok()?))
}

/// The text of the short string whose length stands at `at`.
fn short_string(payload: &[u8], at: usize) -> Option<Range<usize>> {
    let length = usize::from(*payload.get(at)?);
    let text = at + 1..at + 1 + length;
    payload.get(text.clone()).map(|_| text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test that fails may say so by panicking

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 1];
        bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(payload);
        bytes.push(0xCE);
        bytes
    }

    fn deliver(routing_key: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 60, 3, b't', b'a', b'g', 0, 0, 0, 0, 0, 0, 0, 7, 0, 2, b'e', b'x'];
        payload.push(u8::try_from(routing_key.len()).unwrap());
        payload.extend_from_slice(routing_key);
        frame(METHOD, &payload)
    }

    /// Content type, headers of 5 bytes, delivery mode, message id, application id.
    fn header(message_id: &[u8]) -> Vec<u8> {
        let flags: u16 = 1 << 15 | 1 << 13 | 1 << 12 | MESSAGE_ID | 1 << 3;
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4];
        payload.extend_from_slice(&flags.to_be_bytes());
        payload.extend_from_slice(b"\x03\xff\xfe\xfd\x00\x00\x00\x05\xff\xff\xff\xff\xff\x02");
        payload.push(u8::try_from(message_id.len()).unwrap());
        payload.extend_from_slice(message_id);
        payload.extend_from_slice(b"\x02\xd6\xd0");
        frame(HEADER, &payload)
    }

    fn header_with(flags: u16, rest: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4];
        payload.extend_from_slice(&flags.to_be_bytes());
        payload.extend_from_slice(rest);
        frame(HEADER, &payload)
    }

    /// Fed whole, and again byte by byte: the answer must not depend on how the bytes arrive.
    fn sift(bytes: &[u8]) -> Vec<u8> {
        let [whole, piecewise] = [bytes.len(), 1].map(|step| {
            let (mut sieve, mut out, mut buffer) = (Sieve::default(), Vec::new(), [0; 3]);
            for piece in bytes.chunks(step) {
                sieve.feed(piece);
                loop {
                    match sieve.take(&mut buffer) {
                        0 => break,
                        count => out.extend_from_slice(&buffer[..count]),
                    }
                }
            }
            out
        });
        assert_eq!(whole, piecewise);
        whole
    }

    #[test]
    fn frames_pass_or_are_sifted() {
        let body = frame(3, b"\xff\xfe not text at all \xce");
        let heartbeat = frame(8, b"");
        let start = frame(METHOD, b"\x00\x0a\x00\x0a\xff\xff");
        let torn = frame(METHOD, b"\x00\x3c\x00\x3c\x09x");
        let with_id = header_with(MESSAGE_ID, b"\x04id-1");
        let without = header_with(0, b"");
        let rows: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
            ("body", body.clone(), body.clone()),
            ("heartbeat", heartbeat.clone(), heartbeat),
            ("a method of the connection", start.clone(), start),
            ("a torn method", torn.clone(), torn),
            ("readable routing key", deliver("批准".as_bytes()), deliver("批准".as_bytes())),
            ("routing key in GBK", deliver(b"a.\xc5\xfa.v1"), deliver(b"a.??.v1")),
            ("only the message id", header(b"id-1"), with_id.clone()),
            ("unreadable message id", header(b"\xc5\xfa"), without.clone()),
            ("no properties", without.clone(), without.clone()),
            (
                "properties shorter than their flags say",
                header_with(MESSAGE_ID | 1 << 13, b"\xff\xff\xff\xff"),
                without,
            ),
        ];
        for (name, from_broker, expected) in &rows {
            assert_eq!(sift(from_broker), *expected, "{name}");
        }
        let together: Vec<u8> = rows.iter().flat_map(|row| row.1.clone()).collect();
        let expected: Vec<u8> = rows.iter().flat_map(|row| row.2.clone()).collect();
        assert_eq!(sift(&together), expected);
    }
}
