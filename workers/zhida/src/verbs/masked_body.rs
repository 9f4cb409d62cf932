//! The text of a quarantined message with account numbers and mobiles hidden. It may be no JSON at all, or broken in the middle:
//! what looks like such a number is hidden wherever it stands.

use zhida_core::view::masked;

/// Members whose text is hidden whatever it looks like.
const HIDDEN: [&str; 3] = ["\"account_no\"", "\"debtor_account\"", "\"mobile\""];

/// A number of so many digits is an account's or a mobile's: dates and amounts have fewer.
const DIGITS: usize = 11;

/// All but the last four characters of each hidden.
pub(crate) fn masked_body(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((place, name)) = next_hidden(rest) {
        let (before, after) = rest.split_at(place + name.len());
        let value_at = after.find(|letter: char| letter != ':' && !letter.is_whitespace()).unwrap_or(after.len());
        let (between, value) = after.split_at(value_at);
        let value = value.strip_prefix('"').unwrap_or(value);
        let end = value.find(['"', ',', '}', '\n']).unwrap_or(value.len());
        let quote = &after[between.len()..after.len() - value.len()];
        shown.extend([&masked_runs(before), between, quote, &masked(&value[..end])]);
        rest = &value[end..];
    }
    shown.push_str(&masked_runs(rest));
    shown
}

fn next_hidden(text: &str) -> Option<(usize, &'static str)> {
    HIDDEN.iter().filter_map(|name| Some((text.find(name)?, *name))).min()
}

/// Digits count as one number also where single blanks or hyphens stand between them. Codes of banks are no secret.
fn masked_runs(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut run = String::new();
    for letter in text.chars() {
        let joins = matches!(letter, ' ' | '-') && run.ends_with(char::is_numeric);
        if letter.is_numeric() || joins {
            run.push(letter);
        } else {
            end_run(&mut shown, &mut run);
            shown.push(letter);
        }
    }
    end_run(&mut shown, &mut run);
    shown
}

fn end_run(shown: &mut String, run: &mut String) {
    let is_code = shown.ends_with("\"bank_code\":\"") || shown.ends_with("\"bank_code\": \"");
    if run.chars().filter(|letter| letter.is_numeric()).count() >= DIGITS && !is_code {
        shown.push_str(&masked(run));
    } else {
        shown.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::masked_body;

    #[test]
    fn account_numbers_and_mobiles_are_hidden_whatever_stands_around_them() {
        let harmless = r#"{"bank_code":"102100099996","at":"2026-11-23T09:30:00+08:00","value":"500000.00"}"#;
        for (text, shown) in [
            (r#"{"account_no":"4000020109000000001","x":1}"#, r#"{"account_no":"***************0001","x":1}"#),
            (r#"{"account_no" : "GB29NWBK60161331926819"}"#, r#"{"account_no" : "******************6819"}"#),
            (r#"{"account_no": 123456789"#, r#"{"account_no": *****6789"#),
            (r#"{"mobile":"+8613800000000","email":"a@b.cn"}"#, r#"{"mobile":"**********0000","email":"a@b.cn"}"#),
            (harmless, harmless),
            ("no JSON: 6222 0201 0900 0000 001, 50000.00", "no JSON: ******************* 001, 50000.00"),
            ("\u{ff14}0000201090000\u{ff10}01", "*************0\u{ff10}01"),
            ("", ""),
        ] {
            assert_eq!(masked_body(text), shown, "{text}");
        }
    }
}
