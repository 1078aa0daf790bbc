//! How often each value of each attribute occurs among selected spans, and among the others.

use std::cmp::Reverse;
use std::sync::Arc;

use hashbrown::HashMap;
use model::Symbols;
use traceql::query::{Constant, Field};

use super::cells::{Budget, Cells};
use super::histogram::Full;
use crate::keys::{Keys, Part};
use crate::shown::literal;
use crate::{FoundSeries, Labels};

/// Values that are counted of one attribute. What comes after them is only counted as having the attribute, and the answer
/// says that there were too many. More than 1000 are never listed; of what has so many, any one is rare. Whoever wants the same
/// answer twice adds spans in the same order.
const MAX_VALUES: usize = 4096;

/// What an attribute costs, but for its values and counts.
const ATTRIBUTE_BYTES: usize = 256;

/// What a value costs, but for its text and counts.
const VALUE_BYTES: usize = 64;

/// In pairs of rows: the first counts the other spans, the second the selected ones.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    by_field: HashMap<Field, u32>,
    attributes: Vec<Attribute>,
    cells: Cells<f64>,
    top: usize,
    max_attributes: usize,
}

#[derive(Debug, Clone)]
struct Attribute {
    label: Arc<str>,
    /// Its pair of rows for the spans that have it.
    total: u32,
    values: Keys,
    /// The pair of rows of each value.
    rows: Vec<u32>,
    /// Whether values were left out, among the others and among the selected.
    has_more: [bool; 2],
}

impl Compared {
    pub(super) fn new(points: usize, max_shift: u32, top: usize, max_attributes: usize) -> Self {
        Self {
            by_field: HashMap::new(),
            attributes: Vec::new(),
            cells: Cells::new(points, max_shift, 0.0),
            top,
            max_attributes,
        }
    }

    pub(super) fn attribute(&mut self, field: &Field, budget: &mut Budget) -> Result<u32, Full> {
        if let Some(attribute) = self.by_field.get(field) {
            return Ok(*attribute);
        }
        if self.attributes.len() >= self.max_attributes {
            return Err(Full::Rows);
        }
        let label = field.to_string();
        let taken = budget.take(ATTRIBUTE_BYTES + 2 * label.len());
        taken.ok_or(Full::Memory)?;
        let number = self.attributes.len() as u32;
        let total = self.add_rows(budget)?;
        self.attributes.push(Attribute {
            label: label.into(),
            total,
            values: Keys::new(1),
            rows: Vec::new(),
            has_more: [false; 2],
        });
        self.by_field.insert(field.clone(), number);
        Ok(number)
    }

    fn add_rows(&mut self, budget: &mut Budget) -> Result<u32, Full> {
        let rows = self.cells.add_row(budget).zip(self.cells.add_row(budget));
        rows.map(|(first, _)| first).ok_or(Full::Memory)
    }

    /// The rows of a value; `None` when the attribute has too many.
    pub(super) fn value(
        &mut self,
        attribute: u32,
        value: &Part,
        symbols: &Symbols,
        budget: &mut Budget,
    ) -> Result<Option<u32>, Full> {
        let known = &mut self.attributes[attribute as usize];
        let number = known
            .values
            .number(std::slice::from_ref(value), symbols, MAX_VALUES);
        let Some((number, is_new)) = number else {
            return Ok(None);
        };
        if is_new {
            let text_bytes = match &known.values.key(number as usize)[0] {
                Some(Constant::Str(text)) => text.len(),
                _ => 0,
            };
            budget.take(VALUE_BYTES + text_bytes).ok_or(Full::Memory)?;
            let rows = self.add_rows(budget)?;
            self.attributes[attribute as usize].rows.push(rows);
            return Ok(Some(rows));
        }
        // Where memory ended in between, a key has no rows.
        Ok(known.rows.get(number as usize).copied())
    }

    /// As [`Self::value`], of a text. One that is known costs no memory, not even for a moment.
    pub(super) fn text(
        &mut self,
        attribute: u32,
        text: &str,
        budget: &mut Budget,
    ) -> Result<Option<u32>, Full> {
        let known = &self.attributes[attribute as usize];
        match known.values.find_text(text) {
            Some(number) => Ok(known.rows.get(number as usize).copied()),
            None if known.values.len() >= MAX_VALUES => Ok(None),
            None => {
                let part = Part::Value(Constant::Str(text.into()));
                self.value(attribute, &part, &Symbols::new(), budget)
            }
        }
    }

    /// Counts a span for a value that [`Self::value`] has given rows to, or none.
    #[inline]
    pub(super) fn add(
        &mut self,
        attribute: u32,
        rows: Option<u32>,
        is_selected: bool,
        point: usize,
        weight: f64,
        budget: &mut Budget,
    ) {
        match rows {
            Some(rows) => self.count(rows, is_selected, point, weight, budget),
            None => {
                self.attributes[attribute as usize].has_more[usize::from(is_selected)] = true;
            }
        }
    }

    /// Counts a span that has the attribute.
    #[inline]
    pub(super) fn add_total(
        &mut self,
        attribute: u32,
        is_selected: bool,
        point: usize,
        weight: f64,
        budget: &mut Budget,
    ) {
        let rows = self.attributes[attribute as usize].total;
        self.count(rows, is_selected, point, weight, budget);
    }

    #[inline]
    fn count(
        &mut self,
        rows: u32,
        is_selected: bool,
        point: usize,
        weight: f64,
        budget: &mut Budget,
    ) {
        let row = rows + u32::from(is_selected);
        if let Some(cell) = self.cells.cell(row, point, budget) {
            *cell += weight;
        }
    }

    pub(super) fn merge(&mut self, other: &Self, budget: &mut Budget) -> Result<(), Full> {
        let symbols = Symbols::new();
        for (field, theirs) in &other.by_field {
            let number = self.attribute(field, budget)?;
            let theirs = &other.attributes[*theirs as usize];
            let total = self.attributes[number as usize].total;
            self.merge_rows(total, other, theirs.total, budget)?;
            for (at, rows) in theirs.rows.iter().enumerate() {
                let part = match &theirs.values.key(at)[0] {
                    Some(value) => Part::Value(value.clone()),
                    None => Part::Nil,
                };
                match self.value(number, &part, &symbols, budget)? {
                    Some(ours) => self.merge_rows(ours, other, *rows, budget)?,
                    None => {
                        for side in 0..2 {
                            let left_out = other.total_of(rows + side) > 0.0;
                            self.attributes[number as usize].has_more[side as usize] |= left_out;
                        }
                    }
                }
            }
            let ours = &mut self.attributes[number as usize].has_more;
            ours.iter_mut()
                .zip(theirs.has_more)
                .for_each(|(ours, theirs)| *ours |= theirs);
        }
        Ok(())
    }

    fn merge_rows(
        &mut self,
        ours: u32,
        other: &Self,
        theirs: u32,
        budget: &mut Budget,
    ) -> Result<(), Full> {
        for side in 0..2 {
            let add = |ours: &mut f64, theirs: f64| *ours += theirs;
            self.cells
                .merge_row(ours + side, &other.cells, theirs + side, budget, add)
                .ok_or(Full::Memory)?;
        }
        Ok(())
    }

    fn total_of(&self, row: u32) -> f64 {
        self.cells.row(row).sum()
    }

    // === the answer ===

    /// The series; `budget` is asked for their memory.
    pub(super) fn finish(&self, budget: &mut Budget) -> Option<Vec<FoundSeries>> {
        let mut found = Vec::new();
        for attribute in &self.attributes {
            let mut has_more = false;
            for (side, name) in [(0, "baseline"), (1, "selection")] {
                has_more |= self.side(attribute, side, name, &mut found, budget)?;
            }
            if has_more {
                let labels = labels("__meta_error", "__too_many_values__", attribute, nil());
                budget.take(self.cells.points() * size_of::<Option<f64>>())?;
                found.push(FoundSeries {
                    labels,
                    points: vec![None; self.cells.points()],
                    exemplars: Vec::new(),
                });
            }
        }
        Some(found)
    }

    /// Adds the most frequent values on one side, and the total. Tells whether there were more.
    fn side(
        &self,
        attribute: &Attribute,
        side: u32,
        name: &str,
        found: &mut Vec<FoundSeries>,
        budget: &mut Budget,
    ) -> Option<bool> {
        let mut line = |what: &str, value: Constant, rows: u32| {
            budget.take(self.cells.points() * size_of::<Option<f64>>())?;
            found.push(FoundSeries {
                labels: labels("__meta_type", what, attribute, value),
                points: self.cells.row(rows + side).map(Some).collect(),
                exemplars: Vec::new(),
            });
            Some(())
        };
        let mut values: Vec<(f64, String, &Constant, u32)> = Vec::new();
        for (at, rows) in attribute.rows.iter().enumerate() {
            let total = self.total_of(rows + side);
            if let Some(value) = attribute.values.key(at)[0].as_ref().filter(|_| total > 0.0) {
                values.push((total, literal(value).to_string(), value, *rows));
            }
        }
        // Of equally frequent values, the one that comes first as text.
        values.sort_by(|a, b| {
            let order = |value: &(f64, String, &Constant, u32)| Reverse(value.0.to_bits());
            order(a).cmp(&order(b)).then_with(|| a.1.cmp(&b.1))
        });
        for (_, _, value, rows) in values.iter().take(self.top) {
            line(name, (*value).clone(), *rows)?;
        }
        if self.total_of(attribute.total + side) > 0.0 {
            line(&format!("{name}_total"), nil(), attribute.total)?;
        }
        Some(values.len() > self.top || attribute.has_more[side as usize])
    }
}

fn nil() -> Constant {
    Constant::Str("nil".into())
}

fn labels(meta: &str, what: &str, attribute: &Attribute, value: Constant) -> Labels {
    vec![
        (meta.into(), Constant::Str(what.into())),
        (Arc::clone(&attribute.label), value),
    ]
}
