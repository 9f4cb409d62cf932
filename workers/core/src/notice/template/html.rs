//! Whether the HTML of a mail is harmless: a few elements, inline style of few properties with plain values, and links to our own pages
//! only. What is not named here is refused, so that there is no list of dangers to be kept up.

use super::syntax::{Piece, pieces};
use super::variables::VariableType;

/// Elements that may stand in a mail.
const ELEMENTS: [&str; 26] = [
    "p",
    "br",
    "hr",
    "b",
    "strong",
    "em",
    "i",
    "u",
    "small",
    "span",
    "div",
    "h1",
    "h2",
    "h3",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "td",
    "th",
    "a",
    "blockquote",
    "code",
];

/// Of these, those that have no end.
const WITHOUT_END: [&str; 2] = ["br", "hr"];

/// Properties that a style may set. None places, hides or fetches anything.
const PROPERTIES: [&str; 39] = [
    "background-color",
    "border",
    "border-bottom",
    "border-collapse",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-spacing",
    "border-style",
    "border-top",
    "border-width",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "vertical-align",
    "white-space",
    "width",
];

/// Units that a length may have.
const UNITS: [&str; 6] = ["", "px", "em", "rem", "pt", "%"];

/// What is wrong with a fragment, a sentence each. `link_of` says the type of a variable.
pub(super) fn problems(source: &str, type_of: &dyn Fn(&str) -> Option<VariableType>) -> Vec<String> {
    let Ok(pieces) = pieces(source) else { return Vec::new() }; // Told of by the syntax.
    let mut check = Check { type_of, problems: Vec::new(), open: Vec::new(), tag: None };
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                check.problems.extend(super::entities::problems(text));
                check.text(text);
            }
            Piece::Value(name) => check.value(name),
            Piece::Block(_) if check.tag.is_some() => {
                check.problems.push("a condition stands inside of a tag; put it around the element".to_owned());
            }
            Piece::Block(_) => {}
        }
    }
    if let Some(tag) = &check.tag {
        check.problems.push(format!("`<{tag}` is not closed; end it with `>`"));
    }
    if let Some(name) = check.open.last() {
        check.problems.push(format!("<{name}> is not ended; add </{name}>"));
    }
    check.problems
}

struct Check<'a> {
    type_of: &'a dyn Fn(&str) -> Option<VariableType>,
    problems: Vec<String>,
    /// Elements that are open.
    open: Vec<String>,
    /// The tag that is being read: what stands between `<` and here.
    tag: Option<String>,
}

/// Stands in a tag for the value of a link.
const LINK_MARK: char = '\u{1}';

impl Check<'_> {
    fn value(&mut self, name: &str) {
        let is_link = (self.type_of)(name) == Some(VariableType::Link);
        let Some(tag) = &mut self.tag else { return };
        if is_link && tag.ends_with("href=\"") {
            tag.push(LINK_MARK);
        } else {
            self.problems
                .push(format!("`{name}` stands inside of a tag; only href=\"{{{{ link }}}}\" takes a value there"));
        }
    }

    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match (&mut self.tag, letter) {
                (None, '<') => self.tag = Some(String::new()),
                (None, _) => {}
                (Some(_), '>') => {
                    let tag = self.tag.take().unwrap_or_default();
                    self.element(&tag);
                }
                (Some(tag), _) => tag.push(letter),
            }
        }
    }

    fn element(&mut self, tag: &str) {
        if let Some(name) = tag.strip_prefix('/') {
            match self.open.pop() {
                Some(open) if open == name.trim() => {}
                Some(open) => {
                    self.problems.push(format!("</{name}> ends <{open}>; end elements in the order of their nesting"))
                }
                None => self.problems.push(format!("</{name}> ends nothing; take it out")),
            }
            return;
        }
        let tag = tag.strip_suffix('/').unwrap_or(tag).trim_end();
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        if !ELEMENTS.contains(&name) {
            self.problems.push(format!(
                "<{name}> is not allowed; a mail has no scripts, forms, images or remote content, only {}",
                ELEMENTS.join(" ")
            ));
        }
        if !WITHOUT_END.contains(&name) {
            self.open.push(name.to_owned());
        }
        self.attributes(name, attributes);
    }

    fn attributes(&mut self, element: &str, attributes: &str) {
        let mut rest = attributes.trim();
        while !rest.is_empty() {
            let quoted = rest.split_once("=\"").and_then(|(name, after)| Some((name, after.split_once('"')?)));
            let Some((name, (value, after))) = quoted else {
                return self.problems.push(format!("`{rest}` in <{element}>: write attributes as name=\"value\""));
            };
            if value.contains('&') {
                self.problems
                    .push(format!("`{value}` in <{element}>: write characters of attributes as they are, without `&`"));
            }
            match (element, name.trim()) {
                (_, "style") => self.style(element, value),
                ("a", "href") if value == LINK_MARK.to_string() => {}
                ("a", "href") => self.problems.push(format!(
                    "a link leads to `{value}`; only href=\"{{{{ link }}}}\" is allowed: no addresses elsewhere, and none for signing in"
                )),
                ("table" | "td" | "th", "width" | "align" | "colspan" | "cellpadding" | "cellspacing" | "border")
                    if value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'%') => {}
                (_, other) => {
                    self.problems.push(format!("the attribute {other} of <{element}> is not allowed; style=\"…\" is"));
                }
            }
            rest = after.trim_start();
        }
    }

    fn style(&mut self, element: &str, style: &str) {
        for declaration in style.split(';').map(str::trim).filter(|one| !one.is_empty()) {
            let (property, value) = declaration.split_once(':').unwrap_or((declaration, ""));
            let (property, value) = (property.trim().to_lowercase(), value.trim().to_lowercase());
            if !PROPERTIES.contains(&property.as_str()) {
                self.problems.push(format!(
                    "the style of <{element}> sets `{property}`, which is not allowed; take it out, or use one of {}",
                    PROPERTIES.join(" ")
                ));
            } else if value.is_empty() || !value.split([' ', ',']).filter(|one| !one.is_empty()).all(is_plain) {
                self.problems.push(format!(
                    "the style of <{element}> sets {property} to `{value}`; write plain words, #colours and lengths only (nothing in \
                     brackets or quotes, so that nothing is fetched or run)"
                ));
            }
        }
    }
}

/// A word, a colour such as `#06c`, or a number with its unit.
fn is_plain(value: &str) -> bool {
    if let Some(colour) = value.strip_prefix('#') {
        return matches!(colour.len(), 3 | 6) && colour.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let number = value.strip_prefix('-').unwrap_or(value);
    if number.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
        let unit = number.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        return number.len() <= 12 && UNITS.contains(&unit);
    }
    value.len() <= 40 && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::{VariableType, problems};

    fn of(html: &str) -> Vec<String> {
        problems(html, &|name| match name {
            "link" => Some(VariableType::Link),
            _ => Some(VariableType::Id),
        })
    }

    #[test]
    fn simple_html_with_inline_style_passes() {
        let html = "<h2 style=\"color:#222; Font-Size: 1.2em;margin:-1px 0 auto;font-family:Arial, sans-serif\">到账 &amp; &#8364;&nbsp;</h2><table border=\"0\"><tr><td>{{ amount }}</td></tr></table>\
            <p>a<br>b<br/>{% if link %}<a href=\"{{ link }}\" style=\"color:#06c\">看</a>{% endif %}</p>";
        assert_eq!(of(html), Vec::<String>::new());
    }

    #[test]
    fn what_could_run_fetch_or_lure_is_refused() {
        for (html, expected) in [
            ("<script>alert(1)</script>", "<script> is not allowed"),
            ("<SCRIPT>x</SCRIPT>", "<SCRIPT> is not allowed"),
            ("<form action=\"x\"></form>", "<form> is not allowed"),
            ("<img src=\"https://x\"/>", "<img> is not allowed"),
            ("<iframe></iframe>", "<iframe> is not allowed"),
            ("<style>p{}</style>", "<style> is not allowed"),
            ("<!-- x -->", "is not allowed"),
            ("<p onclick=\"x()\">a</p>", "attribute onclick"),
            ("<p onclick=x>a</p>", "name=\"value\""),
            ("<p style=\"background:url(x)\">a</p>", "sets `background`"),
            ("<p style=\"background-image:image-set('//x.example/a')\">a</p>", "sets `background-image`"),
            ("<p style=\"background-color:image-set('//x.example/a' 1x)\">a</p>", "to `image-set("),
            ("<p style=\"color:u\\72l(x)\">a</p>", "sets color to `u"),
            ("<p style=\"width:expression(x)\">a</p>", "sets width to `expression(x)`"),
            ("<p style=\"position:fixed\">a</p>", "sets `position`"),
            ("<p style=\"COLOR:#12\">a</p>", "sets color to `#12`"),
            ("<p style=\"color:&#117;rl(x)\">a</p>", "without `&`"),
            ("<td width=\"&#49;\">a</td>", "without `&`"),
            ("<td width=\"1;x\">a</td>", "attribute width"),
            ("<p>5 & 6</p>", "`& 6` stands for no character"),
            ("<p>&yen;5</p>", "`&yen;5` stands for no character"),
            ("<p>&yen5</p>", "`&yen5` stands for no character"),
            ("<p>&#xA5</p>", "`&#xA5` stands for no character"),
            ("<a href=\"https://bank.example/login\">登录</a>", "only href=\"{{ link }}\""),
            ("<a href=\"javascript:x\">a</a>", "only href=\"{{ link }}\""),
            ("<a href=\"{{ application }}\">a</a>", "inside of a tag"),
            ("<a href=\"{{ link }}x\">a</a>", "only href=\"{{ link }}\""),
            ("<p {{ application }}>a</p>", "inside of a tag"),
            ("<p {% if link %}style=\"x\"{% endif %}>a</p>", "inside of a tag"),
            ("<p>a", "is not ended"),
            ("a</p>", "ends nothing"),
            ("<p><b>a</p></b>", "in the order of their nesting"),
            ("<p", "is not closed"),
        ] {
            let problems = of(html);
            assert!(problems.iter().any(|one| one.contains(expected)), "{html}: {problems:?}");
        }
    }
}
