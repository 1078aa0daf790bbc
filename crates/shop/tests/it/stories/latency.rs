//! Stories of time: timeouts, a slow model, a slow look-up, calls in sequence, dark time.

use model::SpanKind;
use shop::{Scene, Span, Story};

use crate::support::{Seen, Tree, hour, telling, without};

#[test]
fn payment_timeouts_are_ten_attempts_of_three_seconds_and_a_success() {
    let visit = telling(Story::PaymentTimeouts, Scene::Checkout, 10);
    let tree = Tree::of(&visit);
    let attempts = tree.filter(|seen| {
        seen.is("payment", SpanKind::Client)
            && seen.span.text("server.address") == Some("api.acquirer.example")
    });
    assert_eq!(attempts.len(), 10);
    for attempt in &attempts {
        assert!((2_999.0..3_001.0).contains(&attempt.span.millis()));
        assert!(attempt.failed());
        let event = &attempt.span.events[0];
        assert_eq!(event.name, "exception");
        let stack = format!(
            "{:?}",
            shop::find(&event.attributes, "exception.stacktrace")
        );
        assert!(
            stack.contains("HttpTimeoutException: request timed out\\n\\tat "),
            "{stack}"
        );
    }
    let root = tree.one("frontend", SpanKind::Server, "POST /checkout");
    assert!(root.span.millis() > 30_000.0);
    assert!(
        tree.ancestors(attempts[0].span)
            .iter()
            .all(|seen| !seen.failed()),
        "nothing above is marked"
    );
}

#[test]
fn checkouts_are_fast_on_average_in_spite_of_the_timeouts() {
    let durations: Vec<f64> = hour()
        .iter()
        .filter(|(_, visit)| visit.scene == Scene::Checkout)
        .map(|(_, visit)| {
            let tree = Tree::of(visit);
            tree.one("frontend", SpanKind::Server, "POST /checkout")
                .span
                .millis()
        })
        .collect();
    let mean = durations.iter().sum::<f64>() / durations.len() as f64;
    assert!(mean < 2_500.0, "{mean:.0} ms");
    assert!(durations.iter().any(|duration| *duration > 30_000.0));
}

fn inference(tree: &Tree<'_>) -> (f64, String) {
    let seen = tree.one("fraud-check", SpanKind::Internal, "model.infer");
    let version = format!(
        "{:?}",
        shop::find(&seen.resource.attributes, "service.version")
    );
    (seen.span.millis(), version)
}

#[test]
fn the_model_is_slow_with_one_version_and_only_after_its_release() {
    let slow = telling(Story::SlowModel, Scene::Checkout, 50);
    let (slow_ms, slow_version) = inference(&Tree::of(&slow));
    assert!(
        slow_ms > 200.0 && slow_version.contains("3.8.0"),
        "{slow_ms} {slow_version}"
    );
    for minute in [10, 50] {
        let visit = without(Story::SlowModel, Scene::Checkout, minute);
        let tree = Tree::of(&visit);
        if tree
            .filter(|seen| seen.span.name == "model.infer")
            .is_empty()
        {
            continue;
        }
        let (ms, version) = inference(&tree);
        assert!(ms < 200.0 && version.contains("3.7.4"), "{ms} {version}");
    }
    let mut early = hour()
        .iter()
        .take_while(|(at, _)| *at < crate::support::after_minutes(35));
    assert!(early.all(|(_, visit)| !visit.stories.contains(&Story::SlowModel)));
}

#[test]
fn a_tax_quote_waits_for_the_geo_provider() {
    let visit = telling(Story::TaxGeoLookup, Scene::Checkout, 10);
    let tree = Tree::of(&visit);
    let quote = tree.one("tax", SpanKind::Server, "POST /v1/quotes");
    let lookup =
        tree.filter(|seen| seen.span.text("server.address") == Some("api.geocoder.example"))[0];
    assert_eq!(lookup.service(), "geo");
    assert!(
        tree.ancestors(lookup.span)
            .iter()
            .any(|seen| seen.span.span_id == quote.span.span_id)
    );
    assert!(lookup.span.millis() > 0.9 * quote.span.millis());
    assert!(
        lookup
            .span
            .text("url.full")
            .is_some_and(|url| url.starts_with("https://api.geocoder.example/v1/geocode?country="))
    );

    let usual = without(Story::TaxGeoLookup, Scene::Checkout, 10);
    let tree = Tree::of(&usual);
    assert!(tree.filter(|seen| seen.service() == "geo").is_empty());
}

#[test]
fn the_product_page_asks_in_sequence() {
    let visit = telling(Story::InSequence, Scene::Product, 1);
    let tree = Tree::of(&visit);
    let parent_of = |part: &str| {
        let call = tree.filter(|seen| {
            seen.span.kind == SpanKind::Client
                && seen
                    .span
                    .text("server.address")
                    .is_some_and(|host| host.starts_with(part))
        })[0];
        (call, tree.parent(call.span).map(|seen| seen.span.span_id))
    };
    let (prices, reviews, stock) = (
        parent_of("pricing."),
        parent_of("review."),
        parent_of("inventory."),
    );
    assert!(prices.1 == reviews.1 && reviews.1 == stock.1, "siblings");
    for (before, after) in [(prices.0, reviews.0), (reviews.0, stock.0)] {
        let gap = after.span.start.since(before.span.end).0;
        assert!(
            (0..1_000_000).contains(&gap),
            "back to back, {gap} ns apart"
        );
    }
}

/// The part of a span that none of its children covers, when they follow one another.
fn own_millis(tree: &Tree<'_>, span: &Span) -> f64 {
    let covered: f64 = tree
        .children(span)
        .iter()
        .map(|seen: &Seen<'_>| seen.span.millis())
        .sum();
    span.millis() - covered
}

#[test]
fn dark_time_has_nothing_below() {
    let own = |visit| {
        let tree = Tree::of(&visit);
        let served = tree.filter(|seen| seen.is("recommendation", SpanKind::Server))[0];
        assert!(!served.failed());
        (own_millis(&tree, served.span), served.span.millis())
    };
    let (dark, whole) = own(telling(Story::DarkTime, Scene::Home, 1));
    assert!(dark > 200.0 && dark > 0.8 * whole, "{dark} of {whole} ms");
    let (usual, _) = own(without(Story::DarkTime, Scene::Home, 1));
    assert!(usual < 60.0, "{usual} ms");
}
