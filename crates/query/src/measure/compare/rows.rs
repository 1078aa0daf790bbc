//! For what each row of a row group counts.

use block::SpanGroup;

use crate::columns::Mask;

/// The row does not count.
const NO_SLOT: u32 = u32::MAX;

/// The rows of a row group that count, and for what: a slot stands for a point of time, among the selected spans or among the
/// others. Slots are numbered as they come, so that those of a row group are few even where points are many.
pub(in crate::measure) struct Rows {
    points: usize,
    /// Of each row.
    slots: Vec<u32>,
    /// By point, behind those of the other spans those of the selected ones: the slot.
    known: Vec<u32>,
    /// Whether it is of selected spans, and the point, of each slot.
    cells: Vec<(bool, usize)>,
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
            known: vec![NO_SLOT; 2 * points],
            cells: Vec::new(),
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
        selected: &Mask,
    ) {
        self.pages.push(page);
        mask.each(|row| {
            let (is_selected, point) = (selected.has(row), points[row] as usize);
            let slot = &mut self.known[point + usize::from(is_selected) * self.points];
            if *slot == NO_SLOT {
                *slot = self.cells.len() as u32;
                self.cells.push((is_selected, point));
            }
            self.slots[first + row] = *slot;
        });
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

    pub(super) fn slot_count(&self) -> usize {
        self.cells.len()
    }

    /// Whether a slot is of selected spans, and its point of time.
    pub(super) fn cell(&self, slot: u32) -> (bool, usize) {
        self.cells[slot as usize]
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
