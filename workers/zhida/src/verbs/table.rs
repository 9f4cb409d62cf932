//! Tables for people: columns that stay aligned although a Chinese character is two columns wide. Not a layout engine: the
//! last column is never padded and may be long.

use super::out::plain;

/// Widest cell of a [`Column::Short`].
const SHORT: usize = 36;

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// To the left, never cut.
    Text,
    /// To the left, cut where it is long: names, which nobody copies from here.
    Short,
    /// To the right.
    Number,
}

/// A table under construction.
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads.
    pub(crate) fn new(heads: &[(&str, Column)]) -> Self {
        let head = heads.iter().map(|(head, _)| (*head).to_owned()).collect();
        Self { columns: heads.iter().map(|(_, column)| *column).collect(), rows: vec![head] }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        let cell = |(place, cell): (usize, String)| match self.columns.get(place) {
            Some(Column::Short) => cut(&plain(&cell)),
            Some(Column::Text | Column::Number) | None => plain(&cell),
        };
        let row = cells.into_iter().enumerate().map(cell).collect();
        self.rows.push(row);
    }

    /// The lines, without blanks at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widest = |place: usize| self.rows.iter().filter_map(|row| row.get(place)).map(|cell| width(cell)).max();
        let widths: Vec<usize> = (0..self.columns.len()).map(|place| widest(place).unwrap_or_default()).collect();
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, column), wanted) in row.iter().zip(&self.columns).zip(widths) {
            let blanks = " ".repeat(wanted.saturating_sub(width(cell)));
            match column {
                Column::Text | Column::Short => line.extend([cell, blanks.as_str(), "  "]),
                Column::Number => line.extend([blanks.as_str(), cell, "  "]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

fn cut(text: &str) -> String {
    if width(text) <= SHORT {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |letter: &char| {
        taken += letter_width(*letter);
        taken < SHORT
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// The wide blocks of Unicode's East Asian Width, and marks that stand on the character before them.
fn letter_width(letter: char) -> usize {
    match u32::from(letter) {
        0x0300..=0x036F | 0x200B..=0x200D | 0x20D0..=0x20FF | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF01..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1_F300..=0x1_F64F
        | 0x1_F900..=0x1_F9FF
        | 0x2_0000..=0x3_FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{Column, SHORT, Table, cut, width};

    #[test]
    fn a_chinese_character_is_two_columns_wide() {
        for (text, columns) in [("", 0), ("A-1", 3), ("示例", 4), ("（福州）", 8), ("e\u{301}", 1), ("𠮷", 2)] {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn columns_stay_aligned() {
        let mut table = Table::new(&[("企业 name", Column::Short), ("金额", Column::Number), ("state", Column::Text)]);
        table.row(vec!["示例科技".to_owned(), "1.00".to_owned(), "held".to_owned()]);
        table.row(vec!["ABC\u{1b}".to_owned(), "20000.00".to_owned(), String::new()]);
        assert_eq!(table.lines(), ["企业 name      金额  state", "示例科技       1.00  held", "ABC\\u{1b}  20000.00"]);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let name = cut(&"示".repeat(70));
        assert!(name.ends_with('…') && width(&name) <= SHORT, "{name}");
        assert_eq!(cut(&"示".repeat(18)), "示".repeat(18));
    }
}
