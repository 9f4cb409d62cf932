//! Comparison of an account's name with the enterprise's registered name (DOMAIN: identifiers). Differences in the width of
//! brackets and in blanks are normalised; nothing else is.

/// Whether two names are the same.
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    normalised(one).eq(normalised(other))
}

fn normalised(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|letter| !letter.is_whitespace()).map(|letter| match letter {
        '（' => '(',
        '）' => ')',
        '【' | '［' => '[',
        '】' | '］' => ']',
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn brackets_and_blanks_do_not_matter_letters_do() {
        for (one, other, same) in [
            ("示例（福州）科技有限公司", "示例(福州)科技有限公司", true),
            ("示例 科技", "示例\u{3000}科技", true),
            ("示例科技", "示例科枝", false),
            ("ABC有限公司", "abc有限公司", false),
        ] {
            assert_eq!(same_name(one, other), same, "{one} {other}");
        }
    }
}
