//! Every case of the suite.

use testkit::suite::{Answer, Case, cases};
use traceql::query::Body;

use crate::answers;

fn answer(case: &Case) -> Answer {
    match traceql::compile(&case.query) {
        Err(_) => Answer::Refused,
        Ok(query) => match &query.body {
            Body::Search(pipeline) => Answer::Spans(answers::search(pipeline, &case.traces)),
            Body::Metrics(_) => Answer::Series(answers::metrics(&query, &case.traces, &case.steps)),
        },
    }
}

/// Quantiles come from sketches.
fn tolerance(case: &Case) -> f64 {
    if case.query.contains("quantile_over_time") {
        0.01
    } else {
        1e-9
    }
}

#[test]
fn every_case_is_answered_as_expected() {
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| case.check(&answer(case), tolerance(case)).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} wrong\n\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n\n")
    );
}
