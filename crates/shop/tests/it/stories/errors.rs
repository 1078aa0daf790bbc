//! Stories of errors: the VIP's own, swallowed ones, unknown products, conflicts, declined cards.

use std::collections::HashSet;

use model::{SpanKind, Value};
use shop::{Scene, Story, find};

use crate::support::{Seen, Tree, hour, telling};

fn exception(seen: &Seen<'_>) -> Option<(String, String)> {
    let event = seen
        .span
        .events
        .iter()
        .find(|event| event.name == "exception")?;
    let text = |key| match find(&event.attributes, key) {
        Some(Value::Str(text)) => text.clone(),
        other => panic!("{key} is {other:?}"),
    };
    Some((text("exception.type"), text("exception.stacktrace")))
}

#[test]
fn only_the_vip_misses_a_price_list() {
    let visit = telling(Story::VipOnlyError, Scene::Product, 1);
    let tree = Tree::of(&visit);
    let root = tree.roots()[0];
    assert!(root.failed());
    assert_eq!(root.span.text("tenant.id"), Some("tenant-7"));
    assert_eq!(root.span.text("enduser.tier"), Some("vip"));
    let served = tree.filter(|seen| seen.is("pricing", SpanKind::Server))[0];
    let (kind, stack) = exception(&served).expect("an exception");
    assert_eq!(kind, "pricing::contract::Error::ListNotActive");
    assert!(stack.lines().count() >= 6, "{stack}");
}

#[test]
fn the_vip_is_slower_and_nobody_else_has_its_error() {
    let (mut vip, mut others) = (Vec::new(), Vec::new());
    for (_, visit) in hour() {
        let tree = Tree::of(visit);
        for seen in tree.filter(|seen| seen.is("pricing", SpanKind::Server)) {
            if seen.span.text("tenant.id") == Some("tenant-7") {
                vip.push(seen.span.millis());
            } else {
                others.push(seen.span.millis());
                assert!(!seen.failed());
            }
        }
    }
    let mean = |millis: &[f64]| millis.iter().sum::<f64>() / millis.len() as f64;
    assert!(
        vip.len() >= 20 && mean(&vip) > 20.0 * mean(&others),
        "{} against {}",
        mean(&vip),
        mean(&others)
    );
}

#[test]
fn failing_advertisements_are_swallowed() {
    let visit = telling(Story::SwallowedError, Scene::Home, 1);
    let tree = Tree::of(&visit);
    let failed = tree.filter(Seen::failed);
    assert!(failed.iter().any(|seen| seen.service() == "ads"));
    let call = failed
        .iter()
        .find(|seen| seen.span.kind == SpanKind::Client)
        .expect("the caller's side");
    assert!(tree.ancestors(call.span).iter().all(|seen| !seen.failed()));
    let (kind, stack) = exception(
        failed
            .iter()
            .find(|seen| seen.service() == "ads")
            .expect("the server's side"),
    )
    .expect("an exception");
    assert_eq!(kind, "java.util.NoSuchElementException");
    assert!(
        stack.contains("\n\tat com.shop.ads.CampaignIndex.pick(CampaignIndex.java:74)"),
        "{stack}"
    );
}

#[test]
fn an_unknown_product_is_an_error_of_clients_only() {
    let visit = telling(Story::NotFound, Scene::Product, 1);
    let tree = Tree::of(&visit);
    let root = tree.roots()[0];
    assert_eq!(
        root.span.attribute("http.response.status_code"),
        Some(&Value::Int(404))
    );
    for seen in tree.filter(Seen::failed) {
        assert_eq!(seen.span.kind, SpanKind::Client, "{:?}", seen.span);
    }
    assert!(tree.spans.iter().any(Seen::failed));
}

#[test]
fn a_cart_conflict_is_retried_with_success() {
    let visit = telling(Story::CartConflict, Scene::CartAdd, 1);
    let tree = Tree::of(&visit);
    let mut attempts = tree.filter(|seen| {
        seen.is("api-gateway", SpanKind::Client)
            && seen.span.name == "shop.cart.v1.CartService/AddItem"
    });
    attempts.sort_by_key(|seen| seen.span.start);
    assert_eq!(
        attempts.iter().map(Seen::failed).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(!tree.roots()[0].failed());
    let deadlock = tree.filter(|seen| seen.is("cart", SpanKind::Client) && seen.failed())[0];
    assert!(
        exception(&deadlock)
            .expect("an exception")
            .1
            .contains("Npgsql")
    );
}

#[test]
fn a_declined_card_is_no_fault_of_the_shop() {
    let visit = telling(Story::CardDeclined, Scene::Checkout, 1);
    let tree = Tree::of(&visit);
    let root = tree.roots()[0];
    assert_eq!(
        root.span.attribute("http.response.status_code"),
        Some(&Value::Int(422))
    );
    assert!(!root.failed());
    assert!(
        tree.filter(|seen| seen.service() == "orders").is_empty(),
        "no order is placed"
    );
}

#[test]
fn stack_traces_look_as_each_runtime_prints_them() {
    let marks = [
        ("java", "\n\tat java.base/java.lang.Thread.run(Thread.java:"),
        ("python", "Traceback (most recent call last):\n  File \""),
        ("go", "\n\ngoroutine "),
        (
            "nodejs",
            "\n    at process.processTicksAndRejections (node:internal",
        ),
        ("dotnet", "\n   at Microsoft.AspNetCore."),
        ("php", "\nStack trace:\n#0 /var/www/"),
        ("rust", "\n             at src/"),
    ];
    let mut seen = HashSet::new();
    for (_, visit) in hour() {
        for group in &visit.services {
            let Some(Value::Str(language)) =
                find(&group.resource.attributes, "telemetry.sdk.language")
            else {
                panic!("every process says its language");
            };
            for event in group.spans.iter().flat_map(|span| &span.events) {
                let Some(Value::Str(stack)) = find(&event.attributes, "exception.stacktrace")
                else {
                    continue;
                };
                let (_, mark) = marks
                    .iter()
                    .find(|(name, _)| name == language)
                    .expect("a known runtime");
                assert!(
                    stack.contains(mark) && stack.lines().count() >= 5,
                    "{language}: {stack}"
                );
                seen.insert(language.clone());
            }
        }
    }
    assert_eq!(seen.len(), marks.len(), "{seen:?}");
}
