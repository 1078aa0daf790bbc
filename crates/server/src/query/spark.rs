//! A series as a line of blocks.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws values in at most `width` columns, from zero to the greatest (from the least when some are negative). Where several
/// share a column the greatest is drawn; a column without any is blank.
pub(super) fn sparkline(points: &[Option<f64>], width: usize) -> String {
    let columns = points.len().min(width);
    let values = || points.iter().flatten().copied();
    let top = values().fold(0.0, f64::max);
    let bottom = values().fold(0.0, f64::min);
    let column = |at: usize| {
        let range = at * points.len() / columns..(at + 1) * points.len() / columns;
        points[range].iter().flatten().copied().reduce(f64::max)
    };
    let block = |value: f64| {
        if top <= bottom {
            return BLOCKS[0];
        }
        let height = (value - bottom) / (top - bottom) * BLOCKS.len() as f64;
        BLOCKS[(height.ceil() as usize).clamp(1, BLOCKS.len()) - 1]
    };
    (0..columns)
        .map(|at| column(at).map_or(' ', block))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_blocks() {
        let points = [0.0, 1.0, 4.0, 8.0].map(Some);
        assert_eq!(sparkline(&points, 10), "▁▁▄█");
        assert_eq!(sparkline(&points, 2), "▁█");
        assert_eq!(sparkline(&[Some(1.0), None, Some(2.0)], 3), "▄ █");
        assert_eq!(sparkline(&[Some(-1.0), Some(0.0), Some(1.0)], 3), "▁▄█");
        assert_eq!(sparkline(&[Some(0.0)], 3), "▁");
        assert_eq!(sparkline(&[], 3), "");
    }
}
