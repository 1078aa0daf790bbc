//! A row of cells for each series, one for each point of time; memory is taken for the stretches of time that hold something.

/// Memory that may still be taken.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    used: usize,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self { used: 0, limit }
    }

    /// Takes so many bytes; `None`, now and from here on, when there are not so many left.
    pub(super) fn take(&mut self, bytes: usize) -> Option<()> {
        self.used = self.used.saturating_add(bytes);
        (self.used <= self.limit).then_some(())
    }

    /// How many bytes may still be taken.
    pub(super) fn left(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    /// Whether more was asked for than there was.
    pub(super) fn is_exceeded(&self) -> bool {
        self.used > self.limit
    }
}

/// No stretch.
const NONE: u32 = u32::MAX;

/// Rows of cells.
#[derive(Debug, Clone)]
pub(super) struct Cells<T> {
    /// What a cell holds before something is put into it.
    empty: T,
    points: usize,
    /// A stretch has 2^`shift` points.
    shift: u32,
    /// Stretches in a row.
    per_row: usize,
    /// Of each row its stretches, as numbers of stretches in `cells`, or [`NONE`].
    stretches: Vec<u32>,
    cells: Vec<T>,
}

impl<T: Copy> Cells<T> {
    /// No rows. Stretches have up to 2^`max_shift` points.
    pub(super) fn new(points: usize, max_shift: u32, empty: T) -> Self {
        let shift = points.next_power_of_two().ilog2().min(max_shift);
        Self {
            empty,
            points,
            shift,
            per_row: points.div_ceil(1 << shift),
            stretches: Vec::new(),
            cells: Vec::new(),
        }
    }

    /// Points of a row.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.stretches.len() / self.per_row.max(1)
    }

    /// Adds an empty row and gives its number.
    pub(super) fn add_row(&mut self, budget: &mut Budget) -> Option<u32> {
        budget.take(self.per_row.saturating_mul(size_of::<u32>()))?;
        let row = self.len() as u32;
        self.stretches
            .resize(self.stretches.len() + self.per_row, NONE);
        Some(row)
    }

    /// A cell to be changed; `None` when there is no memory for it.
    #[inline]
    pub(super) fn cell(&mut self, row: u32, point: usize, budget: &mut Budget) -> Option<&mut T> {
        debug_assert!(point < self.points);
        let place = row as usize * self.per_row + (point >> self.shift);
        let mut stretch = self.stretches[place];
        if stretch == NONE {
            stretch = self.add_stretch(place, budget)?;
        }
        let inside = point & ((1 << self.shift) - 1);
        self.cells
            .get_mut(((stretch as usize) << self.shift) + inside)
    }

    #[cold]
    fn add_stretch(&mut self, place: usize, budget: &mut Budget) -> Option<u32> {
        let count = 1usize << self.shift;
        budget.take(count * size_of::<T>())?;
        let stretch = u32::try_from(self.cells.len() >> self.shift).ok()?;
        self.cells.resize(self.cells.len() + count, self.empty);
        self.stretches[place] = stretch;
        Some(stretch)
    }

    /// What a cell holds.
    pub(super) fn get(&self, row: u32, point: usize) -> T {
        let place = row as usize * self.per_row + (point >> self.shift);
        match self.stretches[place] {
            NONE => self.empty,
            stretch => {
                let inside = point & ((1 << self.shift) - 1);
                self.cells[((stretch as usize) << self.shift) + inside]
            }
        }
    }

    /// What a row holds at each point.
    pub(super) fn row(&self, row: u32) -> impl Iterator<Item = T> + '_ {
        (0..self.points).map(move |point| self.get(row, point))
    }

    /// Puts what a row of another table holds into a row of this one. `None` when there is no memory for it.
    pub(super) fn merge_row(
        &mut self,
        row: u32,
        other: &Self,
        other_row: u32,
        budget: &mut Budget,
        merge: impl Fn(&mut T, T),
    ) -> Option<()> {
        debug_assert_eq!((self.points, self.shift), (other.points, other.shift));
        let (first, from) = (
            row as usize * self.per_row,
            other_row as usize * self.per_row,
        );
        for at in 0..self.per_row {
            let theirs = other.stretches[from + at];
            if theirs == NONE {
                continue;
            }
            let mut ours = self.stretches[first + at];
            if ours == NONE {
                ours = self.add_stretch(first + at, budget)?;
            }
            let range = |stretch: u32| {
                let start = (stretch as usize) << self.shift;
                start..start + (1 << self.shift)
            };
            let (ours, theirs) = (range(ours), &other.cells[range(theirs)]);
            for (ours, theirs) in self.cells[ours].iter_mut().zip(theirs) {
                merge(ours, *theirs);
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_where_something_is_put() {
        let mut budget = Budget::new(10_000);
        let mut cells = Cells::new(100, 3, 0.0);
        let rows = [cells.add_row(&mut budget), cells.add_row(&mut budget)];
        assert_eq!((rows, cells.len()), ([Some(0), Some(1)], 2));
        for (row, point) in [(0, 0), (0, 7), (1, 99), (1, 99)] {
            *cells.cell(row, point, &mut budget).unwrap() += 1.0;
        }
        assert_eq!(cells.cells.len(), 16);
        let told = |row| -> Vec<(usize, f64)> {
            let filled = cells.row(row).enumerate();
            filled.filter(|(_, value)| *value != 0.0).collect()
        };
        assert_eq!(told(0), [(0, 1.0), (7, 1.0)]);
        assert_eq!(told(1), [(99, 2.0)]);
        assert_eq!(cells.row(0).count(), 100);
    }

    #[test]
    fn where_memory_ends_nothing_is_put() {
        let mut budget = Budget::new(100);
        let mut cells = Cells::new(10, 3, 0.0);
        assert_eq!(cells.add_row(&mut budget), Some(0));
        assert!(cells.cell(0, 0, &mut budget).is_some());
        assert!(cells.cell(0, 9, &mut budget).is_none());
        assert!(budget.is_exceeded());
        assert!(
            Cells::new(usize::MAX / 2, 5, 0.0)
                .add_row(&mut budget)
                .is_none()
        );
    }

    #[test]
    fn rows_are_merged_point_by_point() {
        let mut budget = Budget::new(10_000);
        let mut filled = |points: &[usize]| {
            let mut cells = Cells::new(5, 1, 0.0);
            cells.add_row(&mut budget);
            for point in points {
                *cells.cell(0, *point, &mut budget).unwrap() += 1.0;
            }
            cells
        };
        let (mut ours, theirs) = (filled(&[0]), filled(&[0, 4]));
        ours.merge_row(0, &theirs, 0, &mut budget, |ours, theirs| *ours += theirs);
        assert_eq!(ours.row(0).collect::<Vec<_>>(), [2.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
