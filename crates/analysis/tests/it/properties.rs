//! What holds for every trace, however its parents and times were made up.

use std::collections::HashSet;

use analysis::{Analysis, ComparisonNode, Settings, analyse, compare};
use model::{
    DurationNanos, NO_EXTRA, Range32, ResourceRow, SpanBatch, SpanKind, SpanRow, StatusCode,
    TraceId, UnixNanos,
};
use proptest::prelude::*;

use crate::drawn::id;

/// How one span is made up: id, parent (0 is none), start, duration, kind, host and service, name, failed.
type Made = (u64, u64, i64, i64, i64, usize, usize, bool);

const SERVICES: [&str; 3] = ["web", "pay", "mail"];
const NAMES: [&str; 3] = ["GET", "select 1", ""];

fn batch(made: &[Made]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for service in SERVICES {
        let service = batch.symbols.intern_str(service).unwrap();
        batch.resources.push(ResourceRow {
            service,
            ..ResourceRow::default()
        });
    }
    for &(span, parent, start, duration, kind, service, name, failed) in made {
        batch.spans.push(SpanRow {
            trace_id: TraceId([1; 16]),
            span_id: id(span),
            parent_span_id: id(parent),
            start: UnixNanos(start),
            duration: DurationNanos(duration),
            name: batch.symbols.intern_str(NAMES[name]).unwrap(),
            resource: service as u32,
            attributes: Range32::default(),
            extra: NO_EXTRA,
            flags: 0,
            kind: SpanKind::from_number(kind),
            status: if failed {
                StatusCode::Error
            } else {
                StatusCode::Unset
            },
        });
    }
    batch
}

fn spans(
    time: impl Strategy<Value = i64>,
    duration: impl Strategy<Value = i64>,
) -> impl Strategy<Value = Vec<Made>> {
    let span = (
        1u64..40,
        0u64..40,
        time,
        duration,
        0i64..6,
        0usize..3,
        0usize..3,
        any::<bool>(),
    );
    proptest::collection::vec(span, 0..40)
}

/// Times of a usual size and times at the ends of the range.
fn any_spans() -> impl Strategy<Value = Vec<Made>> {
    prop_oneof![
        spans(0i64..100_000_000, -1_000_000i64..100_000_000),
        spans(0i64..20, -2i64..20),
        spans(any::<i64>(), any::<i64>()),
        spans(
            prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)],
            prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(0)]
        ),
    ]
}

fn end(analysis: &Analysis, position: usize) -> i64 {
    analysis.spans.start_ns[position] + analysis.spans.duration_ns[position]
}

fn partitions_the_roots(analysis: &Analysis) -> Result<(), TestCaseError> {
    for path in &analysis.critical_path {
        let root = path.root as usize;
        let mut moment = analysis.spans.start_ns[root];
        for section in &path.sections {
            prop_assert_eq!(section.start_ns, moment);
            prop_assert!(section.end_ns > section.start_ns);
            let span = section.span as usize;
            prop_assert!(section.start_ns >= analysis.spans.start_ns[span]);
            prop_assert!(section.end_ns <= end(analysis, span));
            moment = section.end_ns;
        }
        prop_assert_eq!(moment, end(analysis, root));
    }
    Ok(())
}

fn keeps_every_id_and_orders_parents_first(
    made: &[Made],
    analysis: &Analysis,
) -> Result<(), TestCaseError> {
    let given: HashSet<u64> = made.iter().map(|span| span.0).collect();
    let kept: HashSet<u64> = analysis
        .spans
        .id
        .iter()
        .map(|id| u64::from_be_bytes(id.0))
        .collect();
    prop_assert_eq!(given, kept);
    prop_assert_eq!(
        analysis.spans.id.len() + analysis.notes.duplicate_rows.len(),
        made.len()
    );
    for (position, parent) in analysis.spans.parent.iter().enumerate() {
        if let Some(parent) = *parent {
            let parent = parent as usize;
            let last = parent + analysis.spans.descendants[parent] as usize;
            prop_assert!(parent < position && position <= last);
        }
    }
    Ok(())
}

fn own_times_fit(analysis: &Analysis) -> Result<(), TestCaseError> {
    let spans = &analysis.spans;
    for position in 0..spans.id.len() {
        prop_assert!((0..=spans.duration_ns[position]).contains(&spans.self_ns[position]));
        prop_assert!((0..=spans.duration_ns[position]).contains(&spans.critical_ns[position]));
        prop_assert!((0..=spans.critical_ns[position]).contains(&spans.dark_ns[position]));
        prop_assert!((0..=spans.self_ns[position]).contains(&spans.dark_ns[position]));
        prop_assert!(
            spans.gap_ns[position] == 0 || spans.gap_ns[position] == spans.self_ns[position]
        );
    }
    Ok(())
}

fn names_spans_that_exist(analysis: &Analysis) -> Result<(), TestCaseError> {
    let count = analysis.spans.id.len();
    let total = analysis
        .main_root
        .map_or(0, |root| analysis.spans.duration_ns[root as usize]);
    for finding in &analysis.findings.list {
        prop_assert!(finding.spans.iter().all(|&span| (span as usize) < count));
        prop_assert!(finding.spans.is_sorted());
        prop_assert!(finding.at_stake_ns >= 0);
        prop_assert!((0.0..=1.0).contains(&finding.share));
    }
    let told: i64 = analysis
        .summary
        .parts
        .iter()
        .map(|part| part.critical_ns)
        .sum();
    prop_assert!(told <= total);
    Ok(())
}

/// Self time by counting moments; for traces of few nanoseconds.
fn self_time_by_moments(analysis: &Analysis, position: usize) -> i64 {
    let spans = &analysis.spans;
    let is_covered = |moment: i64| {
        (0..spans.id.len()).any(|child| {
            spans.parent[child] == Some(position as u32)
                && !spans.is_detached[child]
                && spans.start_ns[child] <= moment
                && moment < end(analysis, child)
        })
    };
    let moments = spans.start_ns[position]..end(analysis, position);
    moments.filter(|&moment| !is_covered(moment)).count() as i64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_trace_has_an_analysis_that_adds_up(made in any_spans(), correct_skew in any::<bool>()) {
        let settings = Settings { correct_skew, ..Settings::default() };
        let analysis = analyse(&batch(&made), &settings);
        keeps_every_id_and_orders_parents_first(&made, &analysis)?;
        partitions_the_roots(&analysis)?;
        own_times_fit(&analysis)?;
        names_spans_that_exist(&analysis)?;
        serde_json::to_string(&analysis).expect("an analysis is JSON");
    }

    #[test]
    fn corrected_clocks_leave_roots_and_durations_alone(made in any_spans()) {
        let batch = batch(&made);
        let plain = Settings { correct_skew: false, ..Settings::default() };
        let (recorded, corrected) = (analyse(&batch, &plain), analyse(&batch, &Settings::default()));
        prop_assert_eq!(&recorded.spans.duration_ns, &corrected.spans.duration_ns);
        for (position, parent) in corrected.spans.parent.iter().enumerate() {
            let (was, is) = (recorded.spans.start_ns[position], corrected.spans.start_ns[position]);
            prop_assert_eq!(is - was, corrected.spans.shift_ns[position]);
            if parent.is_none() {
                prop_assert_eq!(is, was);
            }
        }
    }

    #[test]
    fn a_comparison_holds_every_span_of_both(left in any_spans(), right in any_spans()) {
        let (left, right) = (batch(&left), batch(&right));
        let settings = Settings::default();
        let comparison = compare(&left, &right, &settings);
        let count = |side: fn(&ComparisonNode) -> u32| -> usize {
            comparison.nodes.iter().map(|node| side(node) as usize).sum()
        };
        prop_assert_eq!(count(|node| node.left.count), analyse(&left, &settings).spans.id.len());
        prop_assert_eq!(count(|node| node.right.count), analyse(&right, &settings).spans.id.len());
        for (place, node) in comparison.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                let last = parent + comparison.nodes[parent as usize].descendants;
                prop_assert!((parent as usize) < place && place <= last as usize);
            }
        }
    }

    #[test]
    fn self_time_is_what_counting_moments_gives(made in spans(0i64..20, -2i64..20)) {
        let analysis = analyse(&batch(&made), &Settings::default());
        for position in 0..analysis.spans.id.len() {
            prop_assert_eq!(analysis.spans.self_ns[position], self_time_by_moments(&analysis, position));
        }
    }

    #[test]
    fn the_order_in_which_spans_arrive_does_not_matter(made in spans(0i64..1_000_000_000, 0i64..100_000_000)) {
        // Of spans with one id, which comes first may matter: they are left out here.
        let mut seen = HashSet::new();
        let made: Vec<Made> = made.into_iter().filter(|span| seen.insert(span.0)).collect();
        let mut reversed = made.clone();
        reversed.reverse();
        let told = |made: &[Made]| {
            let mut analysis = analyse(&batch(made), &Settings::default());
            analysis.spans.row.clear();
            serde_json::to_string(&analysis).expect("an analysis is JSON")
        };
        prop_assert_eq!(told(&made), told(&reversed));
    }
}
