//! Traces drawn, printed, made into batches and back.

use proptest::prelude::*;
use testkit::drawing::{draw, print};
use testkit::random::{Size, traces};
use testkit::trace::{Trace, from_batch, split, to_batch};
use traceql::testing::Choices;

const ODD: Size = Size {
    traces: 4,
    spans: 10,
    odd: true,
};

/// The traces as text, spans in an order that does not depend on where they stood. NaN equals itself in a text.
fn told(traces: &[Trace]) -> Vec<String> {
    let mut spans: Vec<String> = traces
        .iter()
        .flat_map(|trace| {
            trace
                .spans
                .iter()
                .map(|span| format!("{} {span:?}", trace.id))
        })
        .collect();
    spans.sort();
    spans
}

proptest! {
    #[test]
    fn a_printed_trace_is_drawn_again(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let traces = traces(&mut Choices::new(&bytes), ODD);
        let text = print(&traces);
        let again = draw(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(told(&again), told(&traces), "{}", text);
    }

    #[test]
    fn a_batch_holds_the_traces(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let traces = traces(&mut Choices::new(&bytes), ODD);
        let again = from_batch(&to_batch(&traces));
        prop_assert_eq!(format!("{again:?}"), format!("{traces:?}"));
    }

    #[test]
    fn split_traces_lose_nothing(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        parts in 1usize..5,
        seed in any::<u64>(),
    ) {
        let traces = traces(&mut Choices::new(&bytes), ODD);
        let parts = split(&traces, parts, seed);
        prop_assert_eq!(told(&parts.concat()), told(&traces));
    }
}
