//! Results as short texts.

use analysis::{Analysis, Section, Settings, analyse};
use model::SpanBatch;

use crate::drawn;

const MILLISECOND: f64 = 1e6;

/// A drawn trace and its analysis.
pub(crate) struct Told {
    batch: SpanBatch,
    pub(crate) analysis: Analysis,
}

pub(crate) fn drawn(text: &str) -> Told {
    drawn_with(text, &Settings::default())
}

pub(crate) fn drawn_with(text: &str, settings: &Settings) -> Told {
    let batch = drawn::trace(text);
    let analysis = analyse(&batch, settings);
    Told { batch, analysis }
}

impl Told {
    /// Name of the span, or its service where it has none.
    pub(crate) fn name(&self, position: u32) -> &str {
        let span = &self.batch.spans[self.analysis.spans.row[position as usize] as usize];
        match self.batch.symbols.str(span.name) {
            "" => self.batch.service(span),
            name => name,
        }
    }

    pub(crate) fn names(&self, positions: &[u32]) -> String {
        let names: Vec<&str> = positions
            .iter()
            .map(|&position| self.name(position))
            .collect();
        names.join(" ")
    }

    /// `a 0..10, b 10..20`, in milliseconds.
    pub(crate) fn sections(&self, sections: &[Section]) -> String {
        let told: Vec<String> = sections
            .iter()
            .map(|section| {
                let (start, end) = (ms(section.start_ns), ms(section.end_ns));
                format!("{} {start}..{end}", self.name(section.span))
            })
            .collect();
        told.join(", ")
    }

    /// The paths of all roots, one below the other.
    pub(crate) fn paths(&self) -> String {
        let paths = self.analysis.critical_path.iter();
        let told: Vec<String> = paths.map(|path| self.sections(&path.sections)).collect();
        told.join("\n")
    }

    /// `a 10, b 5` for the values that are not zero, in milliseconds.
    pub(crate) fn times(&self, values: &[i64]) -> String {
        let told: Vec<String> = (0..)
            .zip(values)
            .filter(|&(_, &value)| value != 0)
            .map(|(position, &value)| format!("{} {}", self.name(position), ms(value)))
            .collect();
        told.join(", ")
    }

    /// The tree, indented, with times.
    pub(crate) fn tree(&self) -> String {
        let spans = &self.analysis.spans;
        let mut depths: Vec<usize> = Vec::new();
        let mut text = String::new();
        for position in 0..spans.id.len() {
            let depth = spans.parent[position].map_or(0, |parent| depths[parent as usize] + 1);
            depths.push(depth);
            let start = ms(spans.start_ns[position]);
            let end = ms(spans.start_ns[position] + spans.duration_ns[position]);
            let name = self.name(position as u32);
            text += &format!("{}{name} {start}..{end}\n", "  ".repeat(depth));
        }
        text
    }
}

pub(crate) fn ms(ns: i64) -> f64 {
    ns as f64 / MILLISECOND
}
