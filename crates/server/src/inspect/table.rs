//! Aligned columns, and numbers as people read them.

use indicatif::{BinaryBytes, HumanCount};
use model::UnixNanos;

/// Rows of text in aligned columns. Columns that start with a digit in their first row are aligned to the right.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<const N: usize>(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned).to_vec()],
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(self.rows[0].len(), N);
        self.rows.push(cells.into());
    }

    pub(super) fn render(&self) -> String {
        let columns = self.rows[0].len();
        let width_of = |column: usize| {
            self.rows
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        let is_number = |column: usize| {
            let first = self.rows.get(1).and_then(|row| row[column].chars().next());
            first.is_some_and(|c| c.is_ascii_digit()) && !self.rows[0][column].ends_with("id")
        };
        let numbers: Vec<bool> = (0..columns).map(is_number).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let (gap, width) = (if column > 0 { "  " } else { "" }, widths[column]);
                let cell = if numbers[column] {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                };
                line.push_str(gap);
                line.push_str(&cell);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

pub(super) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

pub(super) fn bytes(number: u64) -> String {
    BinaryBytes(number).to_string()
}

/// To the second, in UTC.
pub(super) fn time(at: UnixNanos) -> String {
    jiff::Timestamp::from_nanosecond(at.0.into())
        .and_then(|time| time.round(jiff::Unit::Second))
        .map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

/// `part` per `whole`, to a tenth.
pub(super) fn ratio(part: u64, whole: u64) -> String {
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
