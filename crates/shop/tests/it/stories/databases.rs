//! Stories of data: one statement per order, and a cache that lost everything.

use model::SpanKind;
use shop::{Scene, Story};

use crate::support::{Tree, telling, without};

#[test]
fn the_order_history_selects_order_by_order() {
    let visit = telling(Story::ManyQueries, Scene::OrderHistory, 1);
    let tree = Tree::of(&visit);
    let served = tree.filter(|seen| seen.is("orders", SpanKind::Server))[0];
    let selects: Vec<_> = tree
        .children(served.span)
        .into_iter()
        .filter(|seen| seen.span.text("db.collection.name") == Some("order_items"))
        .collect();
    assert!((36..=40).contains(&selects.len()), "{}", selects.len());
    let mut texts: Vec<&str> = selects
        .iter()
        .filter_map(|seen| seen.span.text("db.query.text"))
        .collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(
        texts.len(),
        selects.len(),
        "only the numbers in the statements differ"
    );
    for pair in selects.windows(2) {
        assert!(
            pair[0].span.end <= pair[1].span.start,
            "one after the other"
        );
    }
}

#[test]
fn a_miss_storm_sends_every_product_to_the_database() {
    let from_database = |visit: &shop::Visit| {
        Tree::of(visit)
            .filter(|seen| {
                seen.service() == "catalog"
                    && seen.span.text("db.collection.name") == Some("products")
            })
            .iter()
            .map(|seen| seen.span.millis())
            .collect::<Vec<_>>()
    };
    let storm = telling(Story::MissStorm, Scene::Search, 10);
    let millis = from_database(&storm);
    let tree = Tree::of(&storm);
    let served = tree.filter(|seen| seen.is("catalog", SpanKind::Server))[0];
    let hits = match served.span.attribute("catalog.products") {
        Some(model::Value::Int(hits)) => *hits as usize,
        other => panic!("{other:?}"),
    };
    assert!(millis.len() >= hits, "each hit of the search");
    assert!(millis.iter().sum::<f64>() > 200.0, "{millis:?}");
    assert!(tree.spans.iter().any(|seen| {
        seen.span
            .events
            .iter()
            .any(|event| event.name == "cache.miss")
    }));

    let calm = without(Story::MissStorm, Scene::Search, 5);
    assert!(from_database(&calm).len() < 3);
}
