//! What a template may be made of. Far less than the engine can do: values, and in mails conditions and loops over the matters of a
//! combined notice. No arithmetic, no calls, no assignments, so that rendering is bounded by the text and its values.

use crate::notice::Channel;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it stands.
    Text(&'a str),
    /// `{{ … }}`.
    Value(&'a str),
    /// `{% … %}`.
    Block(&'a str),
}

/// Filters that mails may use.
pub(super) const FILTERS: [&str; 2] = ["dash", "length"];

/// Takes a template apart.
///
/// # Errors
/// What is opened and not closed, or is not allowed at all.
pub(super) fn pieces(source: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest) = (Vec::new(), source);
    while let Some(place) = rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min() {
        let (text, tag) = rest.split_at(place);
        let (opening, inside) = tag.split_at(2);
        let closing = match opening {
            "{{" => "}}",
            "{%" => "%}",
            _ => return Err(format!("`{}` is a comment; comments stand in the file, after `#`", clip(tag))),
        };
        let Some((inside, after)) = inside.split_once(closing) else {
            return Err(format!("`{}` is not closed; end it with `{closing}`", clip(tag)));
        };
        push_text(&mut pieces, text)?;
        // `-` at the edges takes blanks around the tag away.
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let inside = inside.strip_suffix('-').unwrap_or(inside).trim();
        pieces.push(if opening == "{{" { Piece::Value(inside) } else { Piece::Block(inside) });
        rest = after;
    }
    push_text(&mut pieces, rest)?;
    Ok(pieces)
}

fn push_text<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str) -> Result<(), String> {
    if let Some(left) = ["}}", "%}", "#}"].into_iter().find(|one| text.contains(one)) {
        return Err(format!("`{left}` is left over; write `{{{{ name }}}}` for a value"));
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(())
}

/// The beginning of something, for a message.
fn clip(text: &str) -> String {
    text.chars().take(30).collect()
}

/// A name: lower-case letters, digits and `_`.
fn is_name(text: &str) -> bool {
    text.starts_with(|letter: char| letter.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The names that the template uses, in the order of first use; of `item.policy` it is the whole.
///
/// # Errors
/// Everything in it that is not allowed on this channel, a sentence each.
pub(super) fn names(source: &str, channel: Channel) -> Result<Vec<String>, Vec<String>> {
    let pieces = pieces(source).map_err(|problem| vec![problem])?;
    let mut reading = Reading { channel, ..Reading::default() };
    for piece in &pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Value(inside) => reading.value(inside),
            Piece::Block(inside) => reading.block(inside),
        }
    }
    if reading.problems.is_empty() { Ok(reading.names) } else { Err(reading.problems) }
}

struct Reading {
    channel: Channel,
    names: Vec<String>,
    problems: Vec<String>,
    /// The names of loops that are open.
    loops: Vec<String>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { channel: Channel::Sms, names: Vec::new(), problems: Vec::new(), loops: Vec::new() }
    }
}

impl Reading {
    fn name(&mut self, name: &str) {
        let known = match name.split_once('.') {
            Some(("loop", "index" | "first" | "last")) => return,
            Some((owner, member)) if self.loops.iter().any(|one| one == owner) && is_name(member) => {
                format!("items.{member}")
            }
            Some(_) => return self.problems.push(format!("`{name}`: only what a loop goes over has parts")),
            None if is_name(name) => name.to_owned(),
            None => {
                return self.problems.push(format!(
                    "`{name}` is not the name of a variable; write `{{{{ name }}}}` with a name of `zhida notices templates preview`"
                ));
            }
        };
        if !self.names.contains(&known) {
            self.names.push(known);
        }
    }

    fn value(&mut self, inside: &str) {
        let mut parts = inside.split('|').map(str::trim);
        self.name(parts.next().unwrap_or_default());
        for filter in parts {
            match self.channel {
                Channel::Sms => {
                    self.problems.push(format!("`{inside}`: an SMS takes values as they are; take `|` out"))
                }
                Channel::Mail if FILTERS.contains(&filter) => {}
                Channel::Mail => {
                    self.problems.push(format!("`{inside}`: there is no filter {filter}, only {}", FILTERS.join(", ")));
                }
            }
        }
    }

    fn block(&mut self, inside: &str) {
        if self.channel == Channel::Sms {
            let problem = format!(
                "`{{% {inside} %}}`: vendors approve one text, so an SMS has no conditions and no loops; write `{{{{ name }}}}` only"
            );
            return self.problems.push(problem);
        }
        let (word, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        match (word, rest.trim()) {
            ("if" | "elif", condition) => self.condition(condition),
            ("else" | "endif", "") => {}
            ("endfor", "") => {
                self.loops.pop();
            }
            ("for", what) => match what.split_once(" in ").map(|(each, list)| (each.trim(), list.trim())) {
                Some((each, "items")) if is_name(each) => {
                    self.loops.push(each.to_owned());
                    self.name("items");
                }
                _ => self.problems.push(format!("`{inside}`: a loop is `for item in items`, and there is no other")),
            },
            _ => self
                .problems
                .push(format!("`{{% {inside} %}}`: only if, elif, else, endif, for and endfor are allowed")),
        }
    }

    /// Names, `not`, `and`, `or`.
    fn condition(&mut self, condition: &str) {
        if condition.is_empty() {
            return self.problems.push("`if` without a condition; name a variable".to_owned());
        }
        for word in condition.split_whitespace() {
            match word {
                "not" | "and" | "or" => {}
                _ => self.name(word),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::names;
    use crate::notice::Channel;

    #[test]
    fn values_conditions_and_the_one_loop_are_read() {
        let source = "{{ policy }} {{amount}} {% if link and not more %}{{ link }}{% endif %}\
            {%- for item in items -%}{{ loop.index }} {{ item.matter|dash }}{% endfor %}{{ policy }}";
        let found = names(source, Channel::Mail).unwrap();
        assert_eq!(found, ["policy", "amount", "link", "more", "items", "items.matter"]);
    }

    #[test]
    fn whatever_else_the_engine_can_do_is_refused() {
        for (channel, source, expected) in [
            (Channel::Sms, "{{ amount | upper }}", "takes values as they are"),
            (Channel::Sms, "{% if amount %}x{% endif %}", "no conditions and no loops"),
            (Channel::Mail, "{{ amount | safe }}", "no filter safe"),
            (Channel::Mail, "{{ 'x' * 1000000 }}", "is not the name of a variable"),
            (Channel::Mail, "{{ amount.real }}", "only what a loop goes over"),
            (Channel::Mail, "{{ range(10) }}", "is not the name of a variable"),
            (Channel::Mail, "{% for i in range(100000) %}x{% endfor %}", "there is no other"),
            (Channel::Mail, "{% set x = 1 %}", "only if, elif"),
            (Channel::Mail, "{% include 'x' %}", "only if, elif"),
            (Channel::Mail, "{% autoescape false %}{% endautoescape %}", "only if, elif"),
            (Channel::Mail, "{% if amount == 'x' %}{% endif %}", "is not the name of a variable"),
            (Channel::Mail, "{% if %}{% endif %}", "without a condition"),
            (Channel::Mail, "{# secret #}", "is a comment"),
            (Channel::Sms, "{{ amount", "is not closed"),
            (Channel::Sms, "{{ amount }} }}", "is left over"),
        ] {
            let problems = names(source, channel).unwrap_err();
            assert!(problems.iter().any(|one| one.contains(expected)), "{source}: {problems:?}");
        }
    }
}
