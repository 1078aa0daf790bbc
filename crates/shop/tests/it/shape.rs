//! The shop as a whole: sizes, counts, times, and that the same seed gives the same traces.

use std::collections::{HashMap, HashSet};

use model::{SpanKind, TraceId};
use shop::{Scene, Shop, Visit};

use crate::support::{OPENED, Tree, after_minutes, hour};

#[test]
fn the_same_seed_gives_the_same_traces() {
    let of = |seed| -> Vec<Visit> {
        let mut shop = Shop::new(seed, OPENED);
        (0..50)
            .map(|minute| shop.visit(after_minutes(minute)))
            .collect()
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn an_hour_has_the_size_that_the_demo_promises() {
    let hour = hour();
    let spans: usize = hour.iter().map(|(_, visit)| visit.span_count()).sum();
    assert!(
        (60_000..=110_000).contains(&spans),
        "{spans} spans in {} visits",
        hour.len()
    );
    let probes = hour
        .iter()
        .filter(|(_, visit)| visit.scene == Scene::HealthCheck)
        .count();
    assert!(
        probes * 4 > hour.len(),
        "{probes} probes in {} visits",
        hour.len()
    );
}

#[test]
fn visits_have_eight_to_eighty_spans() {
    let mut sizes: HashMap<Scene, Vec<usize>> = HashMap::new();
    for (_, visit) in hour() {
        sizes
            .entry(visit.scene)
            .or_default()
            .push(visit.span_count());
    }
    let mut spans = 0;
    let mut visits = 0;
    for (scene, sizes) in &sizes {
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        println!(
            "{scene:?}: {} visits, {mean} spans, {:?} to {:?}",
            sizes.len(),
            sizes.iter().min(),
            sizes.iter().max()
        );
        if *scene != Scene::HealthCheck {
            spans += sizes.iter().sum::<usize>();
            visits += sizes.len();
            assert!(
                sizes.iter().all(|size| (8..=80).contains(size)),
                "{scene:?}"
            );
        }
    }
    let mean = spans as f64 / visits as f64;
    assert!((20.0..=28.0).contains(&mean), "{mean:.1} spans in a visit");
}

#[test]
fn two_dozen_services_take_part_in_many_languages() {
    assert!(Shop::services().count() >= 22);
    let hour = hour();
    let mut services = HashSet::new();
    let mut languages = HashSet::new();
    let mut instances = HashSet::new();
    for (_, visit) in hour {
        for group in &visit.services {
            services.insert(group.resource.service().to_owned());
            for (key, into) in [
                ("telemetry.sdk.language", &mut languages),
                ("service.instance.id", &mut instances),
            ] {
                into.insert(format!("{:?}", shop::find(&group.resource.attributes, key)));
            }
        }
    }
    assert_eq!(services, Shop::services().map(str::to_owned).collect());
    assert_eq!(languages.len(), 10, "{languages:?}");
    assert!(instances.len() >= 3 * services.len(), "{}", instances.len());
}

#[test]
fn ids_are_unique_and_parents_are_there() {
    let mut ids = HashSet::new();
    for (_, visit) in hour().iter().take(1_000) {
        let tree = Tree::of(visit);
        let traces: HashSet<TraceId> = tree.spans.iter().map(|seen| seen.span.trace_id).collect();
        assert_eq!(tree.roots().len(), traces.len(), "one root each");
        for seen in &tree.spans {
            assert!(ids.insert(seen.span.span_id));
            assert!(seen.span.is_root() || tree.parent(seen.span).is_some());
        }
    }
}

#[test]
fn spans_begin_after_they_are_asked_for_and_end_after_they_begin() {
    /// Two hosts whose clocks differ the most.
    const SKEW: i64 = 3_000_001;
    for (at, visit) in hour() {
        let tree = Tree::of(visit);
        for seen in &tree.spans {
            let span = seen.span;
            assert!(span.start <= span.end, "{span:?}");
            assert!(span.start.since(*at).0 > -SKEW);
            assert!(
                span.events
                    .iter()
                    .all(|event| span.start <= event.time && event.time <= span.end)
            );
            let Some(parent) = tree.parent(span) else {
                continue;
            };
            assert!(span.start.since(parent.span.start).0 > -SKEW, "{span:?}");
            if span.kind != SpanKind::Consumer {
                let is_aside = tree
                    .ancestors(span)
                    .iter()
                    .any(|seen| seen.span.kind == SpanKind::Consumer);
                assert!(
                    is_aside || span.end.since(parent.span.end).0 < SKEW,
                    "{span:?}"
                );
            }
        }
    }
}

#[test]
fn clocks_of_hosts_differ_visibly() {
    let early = hour()
        .iter()
        .flat_map(|(_, visit)| {
            let tree = Tree::of(visit);
            tree.filter(|seen| {
                tree.parent(seen.span)
                    .is_some_and(|parent| seen.span.start < parent.span.start)
            })
            .iter()
            .map(|seen| seen.service().to_owned())
            .collect::<Vec<_>>()
        })
        .count();
    assert!(early > 100, "{early} children begin before their parents");
}

#[test]
fn a_service_is_released_during_a_day() {
    let mut shop = Shop::new(7, OPENED);
    let mut versions = HashSet::new();
    for minute in (0..24 * 60).step_by(10) {
        for group in shop.play(Scene::Home, after_minutes(minute)).services {
            if group.resource.service() == "recommendation" {
                versions.insert(format!(
                    "{:?}",
                    shop::find(&group.resource.attributes, "service.version")
                ));
            }
        }
    }
    assert!((2..=5).contains(&versions.len()), "{versions:?}");
}

#[test]
fn a_long_trace_has_exactly_the_spans_asked_for() {
    let mut shop = Shop::new(8, OPENED);
    for wanted in [0, 1, 2, 7, 1_000, 50_000] {
        let groups = shop.long_trace(OPENED, wanted);
        let traces: HashSet<TraceId> = groups
            .iter()
            .flat_map(|group| &group.spans)
            .map(|span| span.trace_id)
            .collect();
        let spans: usize = groups.iter().map(|group| group.spans.len()).sum();
        assert_eq!((spans, traces.len()), (wanted, wanted.min(1)));
    }
}
