//! Aligned columns, and numbers as people read them.

use indicatif::{BinaryBytes, HumanCount};
use model::UnixNanos;

/// Rows of text in aligned columns. Columns of numbers, as their first row tells, are aligned to the right.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(self.rows[0].len(), N);
        self.rows.push(cells.into());
    }

    pub(crate) fn render(&self) -> String {
        let columns = self.rows[0].len();
        let width_of = |column: usize| {
            self.rows
                .iter()
                .map(|row| console::measure_text_width(&row[column]))
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        let is_number = |column: usize| {
            let first = self.rows.get(1).map_or("", |row| &row[column]);
            let is_id = self.rows[0][column].ends_with("id");
            // Times begin with a digit too.
            first.starts_with(|c: char| c.is_ascii_digit()) && !first.contains(':') && !is_id
        };
        let numbers: Vec<bool> = (0..columns).map(is_number).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let (gap, width) = (if column > 0 { "  " } else { "" }, widths[column]);
                let blanks = " ".repeat(width - console::measure_text_width(cell));
                line.push_str(gap);
                if numbers[column] {
                    line.push_str(&blanks);
                }
                line.push_str(cell);
                if !numbers[column] {
                    line.push_str(&blanks);
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

pub(crate) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

pub(crate) fn bytes(number: u64) -> String {
    BinaryBytes(number).to_string()
}

/// To the second, in UTC.
pub(crate) fn time(at: UnixNanos) -> String {
    jiff::Timestamp::from_nanosecond(at.0.into())
        .and_then(|time| time.round(jiff::Unit::Second))
        .map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

/// `part` per `whole`, to a tenth.
pub(crate) fn ratio(part: u64, whole: u64) -> String {
    if whole == 0 {
        "-".into()
    } else {
        format!("{:.1}", part as f64 / whole as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(["name", "spans"]);
        table.row(["checkout".into(), count(1_234_567)]);
        table.row(["tax".into(), count(3)]);
        assert_eq!(
            table.render(),
            "name          spans\ncheckout  1,234,567\ntax               3\n"
        );
    }

    #[test]
    fn times_are_in_utc() {
        assert_eq!(
            time(UnixNanos(1_795_253_400_400_000_000)),
            "2026-11-21T09:30:00Z"
        );
    }
}
