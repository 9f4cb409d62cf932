//! The RFC 8785 (JCS) form of parsed JSON: what is signed and digested. Written out here because every event needs it twice; the
//! numbers that are not whole are left to the library, and a test holds all of it to the library's answers.

use serde_json::{Map, Number, Value};

/// The canonical bytes of an object without the members named in `omitted` (of the object itself, not of those inside it).
pub(crate) fn object_without(members: &Map<String, Value>, omitted: &[&str]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    write_object(members, omitted, &mut out);
    out
}

/// The canonical bytes of any JSON.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => write_object(members, &[], out),
    }
}

fn write_object(members: &Map<String, Value>, omitted: &[&str], out: &mut Vec<u8>) {
    let mut sorted: Vec<_> = members.iter().filter(|(name, _)| !omitted.contains(&name.as_str())).collect();
    // RFC 8785 sorts by UTF-16 units, which differs from UTF-8 only outside the basic plane.
    if sorted.iter().all(|(name, _)| name.is_ascii()) {
        sorted.sort_unstable_by_key(|(name, _)| name.as_bytes());
    } else {
        sorted.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    }
    out.push(b'{');
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write_value(value, out);
    }
    out.push(b'}');
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    // Integers in the range that a double holds exactly are their own canonical form.
    const EXACT: u64 = 1 << 53;
    match number.as_i64() {
        Some(whole) if whole.unsigned_abs() <= EXACT => out.extend_from_slice(whole.to_string().as_bytes()),
        // Formatting a finite number into memory cannot fail.
        Some(_) | None => out.extend(serde_json_canonicalizer::to_vec(number).unwrap_or_default()),
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::canonical;
    use serde_json::Value;

    #[test]
    fn the_form_is_the_librarys() {
        for text in [
            r#"{"b":[1,2.50,1e21,-0.0,1e-7,333333333.33333329,null,true,false],"a":{"z":"","€":1,"\r":2,"1":3}}"#,
            r#"{"\u20ac":"Euro","\r":"CR","\ufb33":"Hebrew","1":"one","\ud83d\ude00":"emoji","\u0080":"control","\u00f6":"o"}"#,
            r#"["\u0000\u0008\u0009\u000a\u000c\u000d\u001f\u007f\"\\/","示例（福州）",9007199254740992,-9007199254740992]"#,
            r#"[18446744073709551615,-9223372036854775808,4.35,0.002,1e30,0.000001,123456789012345680000]"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            let library = serde_json_canonicalizer::to_string(&value).unwrap();
            assert_eq!(String::from_utf8(canonical(&value)).unwrap(), library, "{text}");
        }
    }
}
