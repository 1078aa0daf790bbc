//! Tempo's API over HTTP: the exact shapes of answers, live and stored, and what is refused.

mod grafana;
pub(crate) mod messages;
mod metrics;
mod search;
mod tags;

use http::StatusCode;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};

use crate::body::{request_of, span};
use crate::world::World;

pub(crate) fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// A trace of three spans of the service `shop`, the second with an error; all have `n` and `route`.
pub(crate) fn spans() -> Vec<Span> {
    let with = |number: u8| {
        let mut span = span(number);
        span.attributes = vec![
            attribute("n", any_value::Value::IntValue(number.into())),
            attribute(
                "route",
                any_value::Value::StringValue(format!("/r/{number}")),
            ),
            attribute("hot", any_value::Value::BoolValue(number == 1)),
        ];
        span
    };
    (1..=3).map(with).collect()
}

/// A world with the trace of [`spans`], live or stored.
pub(crate) async fn world(is_stored: bool) -> World {
    let world = World::new().await;
    let answer = world
        .send(request_of("shop", spans()).encode_to_vec())
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    if is_stored {
        world.flush().await;
    }
    world
}

pub(crate) async fn json_of(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

/// What is told of the cost: that everything is done, and only fields that Tempo has.
pub(crate) fn check_metrics(metrics: &Value) {
    assert_eq!(metrics["completedJobs"], metrics["totalJobs"], "{metrics}");
    assert!(metrics["totalJobs"].as_u64().unwrap() > 0);
    for (name, value) in metrics.as_object().unwrap() {
        let is_text = match &**name {
            "inspectedBytes" | "inspectedSpans" | "totalBlockBytes" => true,
            "inspectedTraces" | "totalBlocks" | "completedJobs" | "totalJobs" => false,
            other => panic!("Tempo knows no {other}"),
        };
        assert_eq!(value.is_string(), is_text, "{name}: {value}");
        assert!(*value != json!(0) && *value != json!("0"), "{name}");
    }
}

pub(crate) fn check_jobs(metrics: &Value) {
    assert_eq!(metrics["completedJobs"], metrics["totalJobs"]);
}
