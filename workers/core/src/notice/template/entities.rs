//! Characters that HTML writes as `&name;` or `&#number;`: what they stand for, so that a check reads what a reader will see. The few
//! names that templates need are known here; whatever else begins with `&` is refused in HTML.

/// Names that may be used, and what they stand for.
const NAMES: [(&str, char); 10] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("middot", '·'),
];

/// So many characters are looked at for the end of one.
const LONGEST: usize = 12;

/// What stands for no character that is known here, a sentence each.
pub(super) fn problems(text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (place, _) in text.match_indices('&') {
        if reference(&text[place..]).is_none() {
            let beginning: String = text[place..].chars().take_while(|letter| *letter != '<').take(8).collect();
            problems.push(format!(
                "`{}` stands for no character that is known here; write the character itself, and &amp; for the sign &",
                beginning.trim_end()
            ));
        }
    }
    problems
}

/// The text with the characters themselves; what is none stays as it is.
pub(super) fn decoded(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some(place) = rest.find('&') {
        plain.push_str(&rest[..place]);
        rest = &rest[place..];
        let (letter, length) = reference(rest).unwrap_or(('&', 1));
        plain.push(letter);
        rest = &rest[length..];
    }
    plain + rest
}

/// The character that stands at the beginning of `text` as `&…;`, and how many bytes that is.
fn reference(text: &str) -> Option<(char, usize)> {
    let inside = text.strip_prefix('&')?;
    let end = inside.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = inside.get(..end)?;
    let letter = match name.strip_prefix('#').map(|number| (number, number.strip_prefix(['x', 'X']))) {
        Some((_, Some(hex))) => char::from_u32(u32::from_str_radix(hex, 16).ok()?)?,
        Some((number, None)) => char::from_u32(number.parse().ok()?)?,
        None => NAMES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((letter, end + 2))
}

#[cfg(test)]
mod tests {
    use super::{decoded, problems};

    #[test]
    fn what_stands_for_a_character_is_read_as_it() {
        for (text, plain) in [
            ("a&amp;b&nbsp;c&#165;&#xFFE5;&#x0000a5;", "a&b\u{a0}c¥￥¥"),
            ("&amp;#165;", "&#165;"),
            ("&yen;&", "&yen;&"),
            ("&#4294967296; &#xD800; & 长;", "&#4294967296; &#xD800; & 长;"),
        ] {
            assert_eq!(decoded(text), plain, "{text}");
        }
        assert_eq!(problems("a&amp;b&#165;").len(), 0, "what it stands for is another check's");
        assert_eq!(problems("&yen;&长 &#xD800;").len(), 3);
    }
}
