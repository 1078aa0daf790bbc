//! Every case of the suite, answered by the plain evaluator.

use testkit::oracle;
use testkit::suite::{Answer, Case, cases};
use traceql::query::Body;

fn answer(case: &Case) -> Answer {
    match traceql::compile(&case.query) {
        Err(_) => Answer::Refused,
        Ok(query) => match query.body {
            Body::Search(_) => Answer::Spans(oracle::search(&query, &case.traces)),
            Body::Metrics(_) => Answer::Series(oracle::metrics(&query, &case.traces, &case.steps)),
        },
    }
}

#[test]
fn the_plain_evaluator_answers_as_expected() {
    let wrong: Vec<String> = cases()
        .iter()
        .filter_map(|case| case.check(&answer(case), 1e-9).err())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}
