//! Hints. Those that nobody knows, and values of a wrong type, are ignored with a warning: that is what Tempo does, in silence.

use super::Checker;
use crate::ast::{Hint, Literal};
use crate::diagnostic::{Code, Diagnostic};
use crate::query::{Exemplars, Hints, Sample};
use crate::suggest::closest;

const KNOWN: [&str; 6] = [
    "most_recent",
    "exemplars",
    "sample",
    "span_sample",
    "trace_sample",
    "extrapolate",
];

/// Hints that steer Tempo's inner workings, which this server does not have.
const INTERNAL: [&str; 10] = [
    "job_size",
    "time_overlap_cutoff",
    "concurrent_blocks",
    "debug",
    "info",
    "debug_return_in",
    "debug_std_dev",
    "debug_data_factor",
    "skip_ast_transformations",
    "spanonly_fetch",
];

impl Checker<'_> {
    pub(super) fn hints(&mut self, hints: &[Hint]) -> Hints {
        let mut known = Hints::default();
        for hint in hints {
            if !self.hint(hint, &mut known) {
                self.ignored(hint);
            }
        }
        known
    }

    /// Takes a hint over; false when it means nothing.
    fn hint(&mut self, hint: &Hint, into: &mut Hints) -> bool {
        let value = &hint.value.kind;
        match &*hint.name.kind {
            "most_recent" => set(&mut into.most_recent, boolean(value)),
            "extrapolate" => set(&mut into.extrapolate, boolean(value)),
            "span_sample" => set(&mut into.span_sample, share(value)),
            "trace_sample" => set(&mut into.trace_sample, share(value)),
            "exemplars" => set(
                &mut into.exemplars,
                match value {
                    Literal::Bool(wanted) => Some(Exemplars::Wanted(*wanted)),
                    Literal::Int(count) => u64::try_from(*count).ok().map(Exemplars::AtMost),
                    _ => None,
                },
            ),
            "sample" => set(
                &mut into.sample,
                match value {
                    Literal::Bool(wanted) => Some(Sample::Chosen(*wanted)),
                    other => share(other).map(Sample::Share),
                },
            ),
            name => INTERNAL.contains(&name),
        }
    }

    fn ignored(&mut self, hint: &Hint) {
        let name = &*hint.name.kind;
        let diagnostic = if KNOWN.contains(&name) {
            let wanted = match name {
                "most_recent" | "extrapolate" => "`true` or `false`",
                "exemplars" => "`true`, `false` or a whole number",
                "sample" => "`true`, `false` or a share above 0 and up to 1",
                _ => "a share above 0 and up to 1",
            };
            Diagnostic::warning(
                Code::IgnoredHint,
                hint.value.range,
                format!("the hint `{name}` is ignored: it takes {wanted}"),
            )
        } else {
            let diagnostic = Diagnostic::warning(
                Code::IgnoredHint,
                hint.name.range,
                format!("the hint `{name}` is ignored: nobody knows it"),
            );
            match closest(name, KNOWN.into_iter()) {
                Some(right) => diagnostic
                    .hint(format!("did you mean `{right}`?"))
                    .fix(hint.name.range, right),
                None => diagnostic.hint(format!("known are {}", KNOWN.join(", "))),
            }
        };
        self.report(diagnostic);
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let fits = value.is_some();
    if fits {
        *slot = value;
    }
    fits
}

fn boolean(value: &Literal) -> Option<bool> {
    match value {
        Literal::Bool(value) => Some(*value),
        _ => None,
    }
}

fn share(value: &Literal) -> Option<f64> {
    let share = match value {
        Literal::Float(value) => *value,
        Literal::Int(value) => *value as f64,
        _ => return None,
    };
    (share > 0.0 && share <= 1.0).then_some(share)
}
