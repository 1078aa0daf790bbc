//! The shard as a state machine: explicit time, no threads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, UnixNanos};
use proptest::prelude::*;

use super::*;
use crate::shard::live::LiveTrace;
use spans::{TestSpan, batch, child, expected, root, told, trace_id};

#[path = "../../tests/it/spans.rs"]
mod spans;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

struct Midnight;

impl Clock for Midnight {
    fn now(&self) -> UnixNanos {
        UnixNanos(0)
    }
}

fn shard_with(change: impl FnOnce(&mut Settings)) -> Shard {
    let mut settings = Settings::for_machine(1, 64 << 20);
    change(&mut settings);
    settings.check().unwrap();
    let ids = BlockIds::new(Arc::new(Midnight), Some(7), 0);
    Shard::new(0, Arc::new(settings), ids)
}

fn shard() -> Shard {
    shard_with(|_| {})
}

fn insert(shard: &mut Shard, now: Moment, segment: u64, spans: &[TestSpan]) {
    let batch = batch(spans);
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    shard.insert(now, &batch, &rows, segment);
}

/// What goes to blocks, as spans and as whether each trace is a piece.
fn written(sealed: &Sealed) -> (Vec<String>, Vec<(u64, bool)>) {
    let order = sealed.order();
    let (mut rows, mut traces) = (Vec::new(), Vec::new());
    for trace in order.groups(usize::MAX).flatten() {
        rows.extend_from_slice(trace.rows);
        let number = u64::from_be_bytes(trace.trace_id.0[8..].try_into().unwrap());
        traces.push((number, trace.partial));
    }
    assert_eq!(rows.len() as u64, sealed.span_count());
    let all = told_rows(sealed, &rows);
    (all, traces)
}

fn told_rows(sealed: &Sealed, rows: &[u32]) -> Vec<String> {
    let mut batch = sealed.batch().clone();
    batch.spans = rows.iter().map(|&row| batch.spans[row as usize]).collect();
    told(&batch)
}

fn list(shard: &Shard, filter: &TraceFilter) -> Vec<String> {
    shard
        .list(filter)
        .into_iter()
        .map(|summary| {
            let services: Vec<String> = summary
                .services
                .iter()
                .map(|(name, spans, errors)| format!("{name} {spans}/{errors}"))
                .collect();
            format!(
                "{} {}..{} {} {} [{}]{}",
                u64::from_be_bytes(summary.trace_id.0[8..].try_into().unwrap()),
                summary.start.0,
                summary.end.0,
                summary.root_service,
                summary.root_name,
                services.join(", "),
                if summary.partial { " partial" } else { "" },
            )
        })
        .collect()
}

fn newest(limit: usize) -> TraceFilter {
    TraceFilter {
        limit,
        ..TraceFilter::default()
    }
}

#[test]
fn a_trace_is_answered_as_soon_as_it_is_inserted() {
    let mut shard = shard();
    let spans = [root(1), child(1, 2), root(2)];
    insert(&mut shard, Moment::default(), 1, &spans);
    assert_eq!(
        told(&shard.find(trace_id(1)).unwrap()),
        expected(&spans[..2])
    );
    assert!(shard.find(trace_id(3)).unwrap().is_empty());
    assert_eq!(
        list(&shard, &newest(9)),
        [
            "1 1000..1100 shop GET / [shop 1/0, stock 1/0]",
            "2 1000..1100 shop GET / [shop 1/0]"
        ]
    );
    assert_eq!((shard.span_count(), shard.first_segment()), (3, 1));
}

#[test]
fn a_span_sent_twice_is_answered_once_and_the_first_is_written_first() {
    let mut shard = shard();
    let spans = [root(1), child(1, 2), child(1, 2)];
    insert(&mut shard, Moment::default(), 1, &spans);
    assert_eq!(
        told(&shard.find(trace_id(1)).unwrap()),
        expected(&spans[..2])
    );
    assert_eq!(
        list(&shard, &newest(9)),
        ["1 1000..1100 shop GET / [shop 1/0, stock 1/0]"]
    );
    shard.seal_all(Moment::default());
    let sealed = &shard.take_sealed()[0];
    // The block writer leaves the second out and counts it.
    assert_eq!(sealed.span_count(), 3);
    let order = sealed.order();
    let rows: Vec<u32> = order
        .groups(9)
        .flatten()
        .flat_map(|t| t.rows.to_vec())
        .collect();
    assert_eq!(rows, [0, 1, 2]);
}

#[test]
fn a_full_generation_is_sealed_and_its_most_active_traces_go_on() {
    let mut shard = shard_with(|settings| settings.generation_spans_max = 8);
    let start = Moment::default();
    insert(
        &mut shard,
        start,
        1,
        &[root(1), child(1, 2), root(2), child(2, 2)],
    );
    insert(&mut shard, start + 500 * MS, 2, &[root(3), child(3, 2)]);
    insert(&mut shard, start + 600 * MS, 3, &[child(4, 2), child(4, 3)]);
    let sealed = shard.take_sealed();
    assert_eq!(sealed.len(), 1);
    assert_eq!(sealed[0].reason, SealReason::Spans);
    let (_, traces) = written(&sealed[0]);
    // 4 has no root yet and takes the budget of two rows. 3 was cut 100 ms after its last span.
    assert_eq!(traces, [(1, false), (2, false), (3, true)]);
    assert_eq!(
        (sealed[0].first_segment(), sealed[0].last_segment()),
        (1, 3)
    );
    assert_eq!(shard.span_count(), 8);
    shard.flushed(start + SECOND, sealed.into_iter().next().unwrap());
    assert_eq!((shard.span_count(), shard.first_segment()), (2, 3));
    assert_eq!(
        told(&shard.find(trace_id(4)).unwrap()),
        expected(&[child(4, 2), child(4, 3)])
    );
    assert!(shard.find(trace_id(1)).unwrap().is_empty());
}

#[test]
fn a_carried_trace_keeps_growing_and_is_written_whole() {
    let mut shard = shard_with(|settings| settings.generation_spans_max = 8);
    let start = Moment::default();
    let old: Vec<TestSpan> = (10..16).map(root).collect();
    insert(&mut shard, start, 1, &old);
    insert(
        &mut shard,
        start + 5 * SECOND,
        2,
        &[child(1, 2), child(1, 3)],
    );
    let first = shard.take_sealed();
    assert_eq!(written(&first[0]).0, expected(&old));
    insert(&mut shard, start + 6 * SECOND, 3, &[root(1)]);
    let whole = [root(1), child(1, 2), child(1, 3)];
    assert_eq!(told(&shard.find(trace_id(1)).unwrap()), expected(&whole));
    shard.seal_all(start + 9 * SECOND);
    let second = shard.take_sealed();
    assert_eq!(written(&second[0]), (expected(&whole), vec![(1, false)]));
    // The segment of its first span is needed until the second block is there.
    assert_eq!(second[0].first_segment(), 2);
    assert_eq!(shard.counts().carried, 2);
}

#[test]
fn age_seals_what_is_complete_and_lets_the_rest_go_on() {
    let mut shard = shard_with(|settings| {
        settings.flush_interval = 10 * SECOND;
        settings.decision_wait = 5 * SECOND;
    });
    let start = Moment::default();
    insert(&mut shard, start, 1, &[root(1), child(2, 2)]);
    insert(&mut shard, start + 9 * SECOND, 2, &[root(3), child(4, 2)]);
    shard.tick(start + 9 * SECOND);
    assert!(shard.take_sealed().is_empty());
    shard.tick(start + 10 * SECOND);
    let sealed = shard.take_sealed();
    assert_eq!(sealed[0].reason, SealReason::Age);
    assert_eq!(written(&sealed[0]).1, [(1, false), (2, true)]);
    shard.flushed(start + 11 * SECOND, sealed.into_iter().next().unwrap());
    assert_eq!((shard.span_count(), shard.first_segment()), (2, 2));
    // What went on is written when its time is up, even if nothing comes any more.
    shard.tick(start + 20 * SECOND);
    assert_eq!(written(&shard.take_sealed()[0]).1, [(3, false), (4, true)]);
}

#[test]
fn a_trace_that_never_ends_does_not_hold_the_journal_for_ever() {
    let shard_settings = |settings: &mut Settings| {
        settings.flush_interval = 40 * SECOND;
        settings.decision_wait = 30 * SECOND;
    };
    let mut shard = shard_with(shard_settings);
    let start = Moment::default();
    let mut lag_max = 0;
    for second in 0..300u64 {
        let now = start + second as u32 * SECOND;
        insert(&mut shard, now, second, &[child(1, 2 + second)]);
        for sealed in shard.take_sealed() {
            shard.flushed(now, sealed);
        }
        lag_max = lag_max.max(second.saturating_sub(shard.first_segment()));
    }
    // What was younger than the decision wait at one seal goes to a block at the next.
    assert!(lag_max <= 30 + 40, "{lag_max}");
    assert!(shard.counts().late_traces >= 3);
}

#[test]
fn spans_after_the_flush_of_their_trace_are_late() {
    let mut shard = shard();
    let now = Moment::default();
    insert(&mut shard, now, 1, &[root(1)]);
    shard.seal_all(now);
    for sealed in shard.take_sealed() {
        shard.flushed(now, sealed);
    }
    insert(&mut shard, now, 2, &[child(1, 2), root(2)]);
    assert_eq!(
        list(&shard, &newest(9)),
        [
            "1 1010..1020   [stock 1/0] partial",
            "2 1000..1100 shop GET / [shop 1/0]"
        ]
    );
    shard.seal_all(now + 5 * SECOND);
    let sealed = shard.take_sealed();
    assert_eq!(written(&sealed[0]).1, [(1, true), (2, false)]);
    assert_eq!(shard.counts().late_traces, 1);
}

#[test]
fn pieces_in_several_generations_are_one_trace_in_answers() {
    let mut shard = shard();
    let now = Moment::default();
    let spans = [
        root(1),
        child(1, 2),
        TestSpan {
            start: 900,
            is_error: true,
            ..child(1, 3)
        },
    ];
    for (segment, span) in spans.iter().enumerate() {
        insert(
            &mut shard,
            now,
            segment as u64,
            &[*span, root(10 + segment as u64)],
        );
        shard.seal_all(now);
    }
    assert_eq!(shard.sealed_count(), 3);
    assert!(shard.is_congested());
    assert_eq!(told(&shard.find(trace_id(1)).unwrap()), expected(&spans));
    let whole = "1 900..1100 shop GET / [shop 1/0, stock 2/1]";
    assert_eq!(list(&shard, &newest(9))[3..], [whole]);
    let slowest = TraceFilter {
        order: ListOrder::Slowest,
        ..newest(1)
    };
    assert_eq!(list(&shard, &slowest), [whole]);
    let failed = TraceFilter {
        error: Some(true),
        service: Some("shop".into()),
        ..newest(9)
    };
    assert_eq!(list(&shard, &failed), [whole]);
}

#[test]
fn bytes_seal_before_spans_do() {
    let mut shard = shard_with(|settings| settings.live_bytes_max = 3 << 20);
    let now = Moment::default();
    for trace in 0..10_000 {
        insert(&mut shard, now, 1, &[root(trace + 1), child(trace + 1, 2)]);
        for sealed in shard.take_sealed() {
            assert_eq!(sealed.reason, SealReason::Bytes);
            assert!(sealed.byte_count() < (1 << 20) + (64 << 10));
            shard.flushed(now, sealed);
        }
    }
    assert!(shard.counts().sealed[SealReason::Bytes as usize] > 3);
}

#[test]
fn a_request_larger_than_a_generation_is_sealed_in_parts() {
    let mut shard = shard_with(|settings| settings.generation_spans_max = 1_000);
    let spans: Vec<TestSpan> = (0..50_000).map(|span| child(1, span + 2)).collect();
    insert(&mut shard, Moment::default(), 1, &spans);
    let sealed = shard.take_sealed();
    assert!(sealed.len() >= 4);
    for generation in &sealed {
        assert!(generation.span_count() as usize <= 1_000 + INSERT_CHUNK);
    }
    assert_eq!(shard.find(trace_id(1)).unwrap().len(), 50_000);
    assert_eq!(shard.span_count(), 50_000);
}

#[test]
fn lists_filter_order_and_page() {
    let mut shard = shard();
    let spans: Vec<TestSpan> = (1..=20u64)
        .map(|trace| TestSpan {
            start: 1_000 * (trace as i64 / 2),
            duration: 7 * ((trace * 11) % 20) as i64,
            service: if trace % 3 == 0 { "three" } else { "shop" },
            name: if trace % 5 == 0 { "five" } else { "GET /" },
            is_error: trace % 4 == 0,
            ..root(trace)
        })
        .collect();
    insert(&mut shard, Moment::default(), 1, &spans);
    let numbers = |filter: &TraceFilter| -> Vec<u64> {
        let list = shard.list(filter);
        list.iter()
            .map(|s| u64::from_be_bytes(s.trace_id.0[8..].try_into().unwrap()))
            .collect()
    };
    let filter = newest(99);
    assert_eq!(
        numbers(&TraceFilter {
            limit: 4,
            ..filter.clone()
        }),
        [20, 18, 19, 16]
    );
    let three = TraceFilter {
        service: Some("three".into()),
        ..filter.clone()
    };
    assert_eq!(numbers(&three), [18, 15, 12, 9, 6, 3]);
    let five = TraceFilter {
        root_name: Some("five".into()),
        ..filter.clone()
    };
    assert_eq!(numbers(&five), [20, 15, 10, 5]);
    let failed = TraceFilter {
        error: Some(true),
        ..filter.clone()
    };
    assert_eq!(numbers(&failed), [20, 16, 12, 8, 4]);
    let fine = TraceFilter {
        error: Some(false),
        ..three.clone()
    };
    assert_eq!(numbers(&fine), [18, 15, 9, 6, 3]);
    let window = TraceFilter {
        start: Some(UnixNanos(3_000)),
        end: Some(UnixNanos(4_000)),
        ..filter.clone()
    };
    assert_eq!(numbers(&window), [6, 7]);
    let long = TraceFilter {
        min_duration: Some(model::DurationNanos(7 * 18)),
        max_duration: Some(model::DurationNanos(7 * 18)),
        ..filter.clone()
    };
    assert_eq!(numbers(&long), [18]);
    assert!(
        numbers(&TraceFilter {
            service: Some("none".into()),
            ..filter.clone()
        })
        .is_empty()
    );

    for order in [ListOrder::Newest, ListOrder::Slowest] {
        let whole = numbers(&TraceFilter {
            order,
            ..filter.clone()
        });
        assert_eq!(whole.len(), 20);
        let mut paged = Vec::new();
        let mut page = TraceFilter {
            order,
            limit: 3,
            ..filter.clone()
        };
        loop {
            let summaries = shard.list(&page);
            let Some(last) = summaries.last() else {
                break;
            };
            let key = match order {
                ListOrder::Newest => last.start.0,
                ListOrder::Slowest => last.duration().0,
            };
            page.after = Some((key, last.trace_id));
            paged.extend(
                summaries
                    .iter()
                    .map(|s| u64::from_be_bytes(s.trace_id.0[8..].try_into().unwrap())),
            );
        }
        assert_eq!(paged, whole, "{order:?}");
    }
}

#[test]
fn a_service_is_told_from_others_that_share_its_bit() {
    let mut shard = shard();
    let names: Vec<&'static str> = (0..200).map(|i| &*format!("service {i}").leak()).collect();
    let spans: Vec<TestSpan> = (0..200)
        .map(|i| TestSpan {
            service: names[i],
            ..root(i as u64 + 1)
        })
        .collect();
    insert(&mut shard, Moment::default(), 1, &spans);
    for i in [0, 63, 64, 199] {
        let filter = TraceFilter {
            service: Some(names[i].into()),
            ..newest(9)
        };
        assert_eq!(shard.list(&filter).len(), 1);
        assert_eq!(shard.list(&filter)[0].trace_id, trace_id(i as u64 + 1));
    }
}

#[test]
fn services_and_operations_are_counted_across_generations() {
    let mut shard = shard_with(|settings| settings.generation_spans_max = 8);
    let start = Moment::default();
    let told = |shard: &mut Shard| -> Vec<String> {
        let services = shard
            .services()
            .into_values()
            .map(|s| format!("{} {}/{}", s.name, s.spans, s.errors));
        let operations = shard.operations("stock").into_values();
        let operations = operations.map(|o| format!("{} {}/{}", o.name, o.spans, o.roots));
        services.chain(operations).collect()
    };
    insert(
        &mut shard,
        start,
        1,
        &[
            root(1),
            TestSpan {
                is_error: true,
                ..child(1, 2)
            },
        ],
    );
    assert_eq!(told(&mut shard), ["shop 1/0", "stock 1/1", "look 1/0"]);
    // The last two go on into the next generation; they must not count twice.
    insert(
        &mut shard,
        start + SECOND,
        1,
        &[
            root(2),
            root(3),
            root(4),
            child(4, 2),
            child(5, 2),
            child(5, 3),
        ],
    );
    assert_eq!(shard.sealed_count(), 1);
    assert_eq!(shard.counts().carried, 2);
    assert_eq!(told(&mut shard), ["shop 4/0", "stock 4/1", "look 4/0"]);
}

#[test]
fn the_earlier_of_two_roots_names_the_trace() {
    let mut shard = shard();
    let second = TestSpan {
        span: 9,
        start: 990,
        name: "earlier",
        ..root(1)
    };
    insert(
        &mut shard,
        Moment::default(),
        1,
        &[
            TestSpan {
                start: 5,
                ..child(1, 2)
            },
            root(1),
            second,
            TestSpan {
                span: 10,
                ..root(1)
            },
        ],
    );
    assert_eq!(
        list(&shard, &newest(1)),
        ["1 5..1100 shop earlier [shop 3/0, stock 1/0]"]
    );
}

#[test]
fn a_live_trace_is_small() {
    assert!(size_of::<LiveTrace>() <= 96, "{}", size_of::<LiveTrace>());
}

/// What can happen to a shard.
#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<(u64, u64)>),
    Wait(u32),
    SealAll,
    /// The block of one of the sealed generations becomes visible.
    Flush(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => proptest::collection::vec((1u64..9, 1u64..6), 1..12).prop_map(Step::Insert),
        2 => (0u32..40_000).prop_map(Step::Wait),
        1 => Just(Step::SealAll),
        2 => any::<usize>().prop_map(Step::Flush),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens in whatever order: every span is answered, once, until its block is visible, and then it is in that
    /// block; the counts agree; and the lowest segment is never above that of a span that is not in a visible block.
    #[test]
    fn no_interleaving_loses_a_span(steps in proptest::collection::vec(step(), 1..60)) {
        let mut shard = shard_with(|settings| settings.generation_spans_max = 24);
        let mut now = Moment::default();
        let mut segment = 0;
        let mut inserted: Vec<(TestSpan, u64)> = Vec::new();
        let mut visible: Vec<String> = Vec::new();
        let mut waiting: Vec<Arc<Sealed>> = Vec::new();
        for step in steps {
            match step {
                Step::Insert(ids) => {
                    segment += 1;
                    let spans: Vec<TestSpan> = ids
                        .into_iter()
                        .map(|(trace, span)| if span == 1 { root(trace) } else { child(trace, span) })
                        .collect();
                    insert(&mut shard, now, segment, &spans);
                    inserted.extend(spans.into_iter().map(|span| (span, segment)));
                }
                Step::Wait(millis) => {
                    now = now + millis * MS;
                    shard.tick(now);
                }
                Step::SealAll => shard.seal_all(now),
                Step::Flush(which) => {
                    if !waiting.is_empty() {
                        let sealed = waiting.swap_remove(which % waiting.len());
                        visible.extend(written(&sealed).0);
                        shard.flushed(now, sealed);
                    }
                }
            }
            waiting.extend(shard.take_sealed());
            prop_assert_eq!(shard.sealed_count(), waiting.len() as u64);

            prop_assert_eq!(shard.span_count() + visible.len() as u64, inserted.len() as u64);
            let mut held = visible.clone();
            for trace in 1..9 {
                held.extend(told(&shard.find(trace_id(trace)).unwrap()));
            }
            held.sort();
            held.dedup();
            let all: Vec<TestSpan> = inserted.iter().map(|(span, _)| *span).collect();
            prop_assert_eq!(held, expected(&all));
            let stored: HashSet<&String> = visible.iter().collect();
            let lowest = inserted.iter().filter(|(span, _)| !stored.contains(&expected(&[*span])[0]));
            if let Some(lowest) = lowest.map(|(_, segment)| *segment).min() {
                prop_assert!(shard.first_segment() <= lowest);
            }
            let listed = shard.list(&newest(99));
            let live: u64 = listed.iter().map(|summary| summary.span_count).sum();
            let found: usize = (1..9).map(|trace| shard.find(trace_id(trace)).unwrap().len()).sum();
            prop_assert_eq!(live, found as u64);
        }
    }
}
