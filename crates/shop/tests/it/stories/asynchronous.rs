//! Stories of context: events consumed later or never, and a service that drops the trace.

use std::collections::HashSet;

use model::SpanKind;
use shop::{Scene, Story};

use crate::support::{Seen, Tree, telling};

#[test]
fn an_order_event_is_processed_in_a_trace_that_links_back() {
    let visit = telling(Story::OrderEvent, Scene::Checkout, 1);
    let tree = Tree::of(&visit);
    let sent = tree.one("orders", SpanKind::Producer, "send orders.placed");
    let fulfilled = tree.one(
        "order-fulfilment",
        SpanKind::Consumer,
        "process orders.placed",
    );
    assert!(fulfilled.span.is_root());
    assert_ne!(fulfilled.span.trace_id, sent.span.trace_id);
    let link = &fulfilled.span.links[0];
    assert_eq!(
        (link.trace_id, link.span_id),
        (sent.span.trace_id, sent.span.span_id)
    );
    assert!(
        fulfilled.span.start.since(sent.span.start).0 > 10_000_000,
        "later"
    );
    assert!(!tree.children(fulfilled.span).is_empty());
}

#[test]
fn other_consumers_go_on_in_the_trace_after_its_root_has_ended() {
    let visit = telling(Story::OrderEvent, Scene::Checkout, 1);
    let tree = Tree::of(&visit);
    let sent = tree.one("orders", SpanKind::Producer, "send orders.placed");
    for service in ["notification", "invoice"] {
        let processed = tree.one(service, SpanKind::Consumer, "process orders.placed");
        assert_eq!(processed.span.parent_span_id, sent.span.span_id);
        assert_eq!(processed.span.links.len(), 1);
        assert!(processed.span.end > sent.span.end);
    }
}

#[test]
fn a_lost_order_event_leaves_no_error() {
    let visit = telling(Story::OrderEventLost, Scene::Checkout, 1);
    let tree = Tree::of(&visit);
    tree.one("orders", SpanKind::Producer, "send orders.placed");
    assert!(
        tree.filter(|seen| seen.service() == "order-fulfilment")
            .is_empty()
    );
    assert!(
        !tree
            .filter(|seen| seen.service() == "notification")
            .is_empty(),
        "the customer was told"
    );
    let failed = tree.filter(Seen::failed);
    let failed: Vec<_> = failed.iter().map(|seen| &seen.span.name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn the_legacy_warehouse_begins_a_trace_without_a_link() {
    let visit = telling(Story::LostContext, Scene::Product, 1);
    let tree = Tree::of(&visit);
    let asked = tree.filter(|seen| {
        seen.is("inventory", SpanKind::Client)
            && seen
                .span
                .text("server.address")
                .is_some_and(|host| host.starts_with("warehouse-legacy."))
    })[0];
    assert!(tree.children(asked.span).is_empty());
    let answered = tree.filter(|seen| seen.is("warehouse-legacy", SpanKind::Server))[0];
    assert!(answered.span.is_root() && answered.span.links.is_empty());
    assert_ne!(answered.span.trace_id, asked.span.trace_id);
    let skew = 3_000_000;
    assert!(
        answered.span.start.0 > asked.span.start.0 - skew
            && answered.span.end.0 < asked.span.end.0 + skew
    );
    // The service is as old as its manners.
    assert!(
        answered.span.text("http.method").is_some()
            && answered.span.text("http.request.method").is_none()
    );
}

#[test]
fn a_visit_with_lost_context_has_as_many_traces_as_roots() {
    let visit = telling(Story::LostContext, Scene::Product, 1);
    let tree = Tree::of(&visit);
    let traces: HashSet<_> = tree.spans.iter().map(|seen| seen.span.trace_id).collect();
    assert_eq!(traces.len(), tree.roots().len());
    assert!(traces.len() >= 2);
}
