//! For what each row of a row group counts.

use block::SpanGroup;

use crate::columns::Mask;

/// The row does not count.
const NO_SLOT: u32 = u32::MAX;

/// The rows of a row group that count, and for what: slots are points of time of the spans that are not selected, and behind
/// them those of the selected ones.
pub(in crate::measure) struct Rows {
    points: usize,
    /// Of each row.
    slots: Vec<u32>,
    /// Of each row; empty when all count as one.
    weights: Vec<f64>,
    /// The pages that have rows which count.
    pages: Vec<usize>,
}

impl Rows {
    /// None yet, for so many points of time.
    pub(in crate::measure) fn new(points: usize, spans: &SpanGroup) -> Self {
        let pages = spans.page_count();
        let rows = pages
            .checked_sub(1)
            .map_or(0, |last| spans.page_rows(last).end);
        Self {
            points,
            slots: vec![NO_SLOT; rows as usize],
            weights: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// Adds the rows of a page that are in `mask`. Pages come in their order; `first` is the first row of this one, `points` and
    /// `weights` are those of its rows.
    pub(in crate::measure) fn add(
        &mut self,
        (page, first): (usize, usize),
        mask: &Mask,
        points: &[u32],
        weights: &[f64],
        is_selected: impl Fn(usize) -> bool,
    ) {
        self.pages.push(page);
        for row in mask.rows() {
            let selected = u32::from(is_selected(row)) * self.points as u32;
            self.slots[first + row] = points[row] + selected;
        }
        if !weights.is_empty() {
            self.weights.resize(self.slots.len(), 1.0);
            self.weights[first..first + weights.len()].copy_from_slice(weights);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn pages(&self) -> &[usize] {
        &self.pages
    }

    pub(super) fn points(&self) -> usize {
        self.points
    }

    pub(super) fn slot_count(&self) -> usize {
        2 * self.points
    }

    /// What a row, counted in the row group, counts for.
    #[inline]
    pub(super) fn slot(&self, row: usize) -> Option<u32> {
        let slot = self.slots.get(row).copied();
        slot.filter(|&slot| slot != NO_SLOT)
    }

    #[inline]
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.weights.get(row).copied().unwrap_or(1.0)
    }
}
