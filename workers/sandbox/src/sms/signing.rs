//! The cryptography and the encodings by which vendors check who speaks to them. Written for the sandbox alone: nothing of it is shared
//! with the code that it checks.

use data_encoding::HEXLOWER;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};
use ring::{digest, hmac};

pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

pub(super) fn hmac_sha256(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), bytes).as_ref().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Pairs of a query as a server reads them: `%XX` decoded, a plus read as a blank. None when it is not UTF-8.
pub(super) fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// RFC 3986: only unreserved characters stand for themselves.
pub(super) fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The value behind `name=` in an `Authorization` header whose parts are separated by commas.
pub(super) fn part_of<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let (_, parts) = header.split_once(' ')?;
    parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
}

/// As the vendors write times, by China's clock.
pub(super) fn china_time(at: Timestamp) -> String {
    china(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The day by China's clock.
pub(super) fn china_day(at: Timestamp) -> civil::Date {
    china(at).date()
}

fn china(at: Timestamp) -> civil::DateTime {
    TimeZone::fixed(Offset::constant(8)).to_datetime(at)
}

#[cfg(test)]
mod tests {
    use super::{pairs, part_of, percent_encoded};

    #[test]
    fn queries_are_read_as_servers_read_them() {
        let query = "a=1%202&b=%E5%88%B0&c=x+y&d=%2A~&e";
        let read = pairs(query).unwrap_or_default();
        let expected = [("a", "1 2"), ("b", "到"), ("c", "x y"), ("d", "*~"), ("e", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(percent_encoded("1 2到*~"), "1%202%E5%88%B0%2A~");
        for wrong in ["a=%", "a=%zz", "a=%ff"] {
            assert_eq!(pairs(wrong), None, "{wrong}");
        }
        assert_eq!(part_of("A3 Credential=id/1,SignedHeaders=a;b, Signature=ff", "Signature"), Some("ff"));
    }
}
