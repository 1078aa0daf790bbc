//! Large and deep traces: done at all, without a stack of their depth.

use analysis::{Settings, analyse};

use crate::drawn;

const SPANS: usize = 100_000;

fn root(shape: impl Fn(usize) -> (usize, i64, i64)) -> model::SpanBatch {
    let mut batch = drawn::trace("web root | server 0..1000000");
    let first = batch.spans[0];
    for number in 1..SPANS {
        let (parent, start, duration) = shape(number);
        batch.spans.push(model::SpanRow {
            span_id: drawn::id(number as u64 + 1),
            parent_span_id: drawn::id(parent as u64 + 1),
            start: model::UnixNanos(drawn::ORIGIN + start),
            duration: model::DurationNanos(duration),
            ..first
        });
    }
    batch
}

#[test]
fn a_chain_as_deep_as_it_is_long() {
    let last = SPANS as i64;
    let batch = root(|number| (number - 1, number as i64, 2 * (last - number as i64) + 1));
    let analysis = analyse(&batch, &Settings::default());
    assert_eq!(analysis.spans.descendants[0] as usize, SPANS - 1);
    assert_eq!(analysis.critical_path[0].sections.len(), 2 * SPANS - 1);
}

#[test]
fn one_span_with_all_others_below_it() {
    let batch = root(|number| (0, number as i64 * 1_000, 1_000));
    let analysis = analyse(&batch, &Settings::default());
    assert_eq!(analysis.critical_path[0].sections.len(), SPANS + 1);
}

#[test]
fn a_circle_of_all() {
    let mut batch = root(|number| (number - 1, number as i64, 10));
    batch.spans[0].parent_span_id = drawn::id(SPANS as u64);
    let analysis = analyse(&batch, &Settings::default());
    assert_eq!(analysis.notes.circles, [0]);
    assert_eq!(analysis.spans.descendants[0] as usize, SPANS - 1);
}

#[test]
fn every_call_below_one_span_failed_and_was_made_again() {
    let mut batch = root(|number| (0, number as i64 * 1_000, 1_000));
    for (number, span) in batch.spans.iter_mut().enumerate().skip(1) {
        span.kind = model::SpanKind::Client;
        if number % 3 != 0 {
            span.status = model::StatusCode::Error;
        }
    }
    let analysis = analyse(&batch, &Settings::default());
    // Runs of three; besides, the root is wide and mostly dark, and the trace is large.
    let findings = &analysis.findings;
    assert_eq!(findings.list.len() + findings.left_out, SPANS / 3 + 3);
}

#[test]
fn every_span_has_lost_its_parent_and_failed() {
    let mut batch = root(|number| (SPANS + number, number as i64, 2_000_000_000));
    for span in &mut batch.spans {
        span.status = model::StatusCode::Error;
    }
    let analysis = analyse(&batch, &Settings::default());
    assert_eq!(analysis.notes.orphans.len(), SPANS - 1);
    assert_eq!(analysis.critical_path.len(), SPANS);
}
