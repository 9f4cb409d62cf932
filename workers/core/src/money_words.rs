//! Amounts in capitals, as the rules for payment and settlement (支付结算办法, annex on the filling in of vouchers) want them
//! written: 壹仟肆佰零玖元伍角. Yuan only; other currencies have no such form here.

use crate::money::Fen;

const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
const MYRIADS: [&str; 5] = ["", "万", "亿", "万亿", "亿亿"];

/// An amount in capitals without the prefix 人民币. It ends with 整 after yuan and after jiao as the annex allows, and never after
/// fen; a nought between two figures is written once. A negative amount begins with 负.
///
/// 1,409.50 is 壹仟肆佰零玖元伍角 and 16,409.02 is 壹万陆仟肆佰零玖元零贰分.
#[must_use]
pub fn capitals(amount: Fen) -> String {
    let fen = amount.0.unsigned_abs();
    let (yuan, jiao, rest) = (fen / 100, fen / 10 % 10, fen % 10);
    let mut text = String::from(if amount.0 < 0 { "负" } else { "" });
    if yuan > 0 || fen == 0 {
        text.push_str(&whole(yuan));
        text.push('元');
    }
    // A nought stands for jiao that are missing between yuan and fen, and none where the amount begins with them.
    match (jiao, rest) {
        (0, 0) => text.push('整'),
        (0, rest) => {
            if yuan > 0 {
                text.push('零');
            }
            push(&mut text, rest, "分");
        }
        (jiao, 0) => push(&mut text, jiao, "角"),
        (jiao, rest) => {
            push(&mut text, jiao, "角");
            push(&mut text, rest, "分");
        }
    }
    text
}

fn push(text: &mut String, figure: u64, unit: &str) {
    text.push_str(digit(figure));
    text.push_str(unit);
}

fn digit(figure: u64) -> &'static str {
    usize::try_from(figure).ok().and_then(|place| DIGITS.get(place)).copied().unwrap_or("零")
}

/// Whole yuan: groups of four figures, each with its unit; a nought before a group that does not fill its four places.
fn whole(yuan: u64) -> String {
    if yuan == 0 {
        return "零".to_owned();
    }
    let (mut left, mut groups) = (yuan, Vec::new());
    while left > 0 {
        groups.push(left % 10_000);
        left /= 10_000;
    }
    let mut text = String::new();
    let mut gap = false;
    for (place, group) in groups.iter().copied().enumerate().rev() {
        if group == 0 {
            gap = true;
            continue;
        }
        if !text.is_empty() && (gap || group < 1000) {
            text.push('零');
        }
        gap = false;
        text.push_str(&four(group));
        text.push_str(MYRIADS.get(place).copied().unwrap_or_default());
    }
    text
}

/// Up to four figures.
fn four(group: u64) -> String {
    let mut text = String::new();
    let mut gap = false;
    for (place, unit) in PLACES.iter().enumerate().rev() {
        let figure = group / 10_u64.pow(u32::try_from(place).unwrap_or(0)) % 10;
        if figure == 0 {
            gap = !text.is_empty();
            continue;
        }
        if gap {
            text.push('零');
        }
        gap = false;
        push(&mut text, figure, unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MYRIADS, capitals};
    use crate::money::Fen;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    #[test]
    fn amounts_are_written_as_the_annex_writes_them() {
        for (fen, expected) in [
            (140_950, "壹仟肆佰零玖元伍角"),
            (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
            (32_504, "叁佰贰拾伍元零肆分"),
            (600_714, "陆仟零柒元壹角肆分"),
            (168_032, "壹仟陆佰捌拾元叁角贰分"),
            // The annex allows a nought between yuan and jiao where the yuan end with one; it is left out here.
            (10_700_053, "壹拾万柒仟元伍角叁分"),
            (0, "零元整"),
            (1, "壹分"),
            (10, "壹角"),
            (15, "壹角伍分"),
            (100, "壹元整"),
            (1_000, "壹拾元整"),
            (50_000_000, "伍拾万元整"),
            (100_000_000, "壹佰万元整"),
            (3_557_010_000, "叁仟伍佰伍拾柒万零壹佰元整"),
            (10_000_000_000, "壹亿元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (10_001_000_000, "壹亿零壹万元整"),
            (100_000_000_000_000, "壹万亿元整"),
            (100_000_001_000_000, "壹万亿零壹万元整"),
            (-140_950, "负壹仟肆佰零玖元伍角"),
        ] {
            assert_eq!(capitals(Fen(fen)), expected, "{fen}");
        }
    }

    /// Reads capitals back: what a person at a counter would do.
    fn read(text: &str) -> Option<u64> {
        let (mut fen, mut yuan, mut group, mut figure) = (0_u64, 0_u64, 0_u64, None);
        let mut groups: Vec<(u64, usize)> = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            if let Some(value) = "零壹贰叁肆伍陆柒捌玖".chars().position(|one| one == letter) {
                figure = Some(value as u64);
                continue;
            }
            match letter {
                '拾' | '佰' | '仟' => {
                    let unit = match letter {
                        '拾' => 10,
                        '佰' => 100,
                        _ => 1000,
                    };
                    group += figure.take()? * unit;
                }
                '万' | '亿' => {
                    let mut unit = letter.to_string();
                    if letters.peek() == Some(&'亿') {
                        unit.extend(letters.next());
                    }
                    let place = MYRIADS.iter().position(|one| *one == unit)?;
                    groups.push((group + figure.take().unwrap_or(0), place));
                    group = 0;
                }
                '元' => {
                    yuan = group + figure.take().unwrap_or(0);
                    yuan += groups.iter().map(|(count, place)| count * 10_000_u64.pow(*place as u32)).sum::<u64>();
                }
                '角' => fen += figure.take()? * 10,
                '分' => fen += figure.take()?,
                '整' => {}
                _ => return None,
            }
        }
        Some(yuan * 100 + fen)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn capitals_can_be_read_back(fen in 0_i64..=99_999_999_999_999_999, zeros in 0_u32..16) {
            // Amounts with many noughts are where the rules are.
            let fen = fen / 10_i64.pow(zeros) * 10_i64.pow(zeros);
            let text = capitals(Fen(fen));
            prop_assert_eq!(read(&text), Some(fen.unsigned_abs()), "{}", text);
            prop_assert!(!text.contains("零零") && !text.contains("零元元"), "{}", text);
        }

        #[test]
        fn every_amount_has_capitals(fen in any::<i64>()) {
            prop_assert!(!capitals(Fen(fen)).is_empty());
        }
    }
}
