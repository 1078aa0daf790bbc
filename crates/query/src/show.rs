//! Spansets as answers show them.

use evaluate::{Display, Spanset, Tree};

use crate::{MatchedAttribute, MatchedSpan, MatchedSpanset};

/// The spansets of a tree, with the first few spans of each.
pub(crate) fn spansets(
    found: Vec<Spanset>,
    tree: &Tree<'_>,
    display: &Display,
    spans_per_spanset: usize,
) -> Vec<MatchedSpanset> {
    let show = |spanset: Spanset| MatchedSpanset {
        matched: spanset.spans.len(),
        spans: spanset
            .spans
            .iter()
            .take(spans_per_spanset)
            .map(|&at| span(tree, at, display))
            .collect(),
        keys: spanset.keys,
    };
    found.into_iter().map(show).collect()
}

fn span(tree: &Tree<'_>, at: u32, display: &Display) -> MatchedSpan {
    let (batch, span) = (tree.batch(), tree.span(at));
    let attributes = display.show(tree, at).into_iter();
    MatchedSpan {
        span_id: span.span_id,
        name: batch.symbols.str(span.name).to_owned(),
        service: batch.service(span).to_owned(),
        start: span.start,
        duration: span.duration,
        attributes: attributes
            .map(|(label, field, value)| MatchedAttribute {
                label,
                field,
                value,
            })
            .collect(),
    }
}
