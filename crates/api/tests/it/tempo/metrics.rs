//! Series over time, and single numbers.

use opentelemetry_proto::tonic::common::v1::any_value;
use prost::Message as _;
use serde_json::json;

use super::{attribute, check_metrics, json_of, messages as pb, world};
use crate::body::TRACE_ID;
use crate::query::encoded;
use crate::world::NOW;

/// A minute around the spans, in steps of half a minute.
const MINUTE: &str = "start=1795253370&end=1795253430&step=30s";

#[tokio::test(flavor = "multi_thread")]
async fn series_have_the_shape_of_tempo() {
    for is_stored in [false, true] {
        let world = world(is_stored).await;
        let q = encoded("{ } | count_over_time() by (status)");
        let found = json_of(
            &world,
            &format!("/api/metrics/query_range?q={q}&{MINUTE}&exemplars=0"),
        )
        .await;
        check_metrics(&found["metrics"]);
        assert_eq!(found.get("status"), None);
        let series = |status: &str, count: u32| {
            json!({
                "labels": [{"key": "status", "value": {"stringValue": status}}],
                "samples": [
                    // A value of zero has no key.
                    {"timestampMs": "1795253370000"},
                    {"timestampMs": "1795253400000", "value": f64::from(count)},
                    {"timestampMs": "1795253430000"},
                ],
            })
        };
        let mut found = found["series"].as_array().unwrap().clone();
        found.sort_by_key(ToString::to_string);
        assert_eq!(found, [series("error", 1), series("unset", 2)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_typed_and_exemplars_name_their_span() {
    let world = world(true).await;
    let q = encoded("{ span.n = 2 } | quantile_over_time(duration, .5) by (span.n)");
    let found = json_of(
        &world,
        &format!("/api/metrics/query_range?query={q}&{MINUTE}"),
    )
    .await;
    let series = &found["series"][0];
    assert_eq!(
        series["labels"],
        json!([
            {"key": "span.n", "value": {"intValue": "2"}},
            {"key": "p", "value": {"doubleValue": 0.5}},
        ])
    );
    let value = series["samples"][0]["value"].as_f64().unwrap();
    assert!((value - 0.25).abs() < 0.0025, "{value}");
    assert_eq!(
        series["exemplars"],
        json!([{
            "labels": [
                {"key": "trace:id", "value": {"stringValue": TRACE_ID}},
                {"key": "span:id", "value": {"stringValue": "0000000000000002"}},
            ],
            "value": 0.25,
            "timestampMs": "1795253399000",
        }])
    );
    let without = encoded("{ } | rate() with(exemplars=false)");
    let found = json_of(
        &world,
        &format!("/api/metrics/query_range?q={without}&{MINUTE}"),
    )
    .await;
    assert_eq!(found["series"][0].get("exemplars"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn series_in_protobuf_say_the_same() {
    let world = world(true).await;
    let q = encoded("{ } | count_over_time()");
    let accept = [("accept", "application/protobuf")];
    let path = format!("/api/metrics/query_range?q={q}&{MINUTE}");
    let answer = world.get_with(&path, &accept).await;
    let found = pb::QueryRangeResponse::decode(&answer.body[..]).unwrap();
    let sample = |timestamp_ms, value| pb::Sample {
        value,
        timestamp_ms,
    };
    assert_eq!(
        found.series[0].samples,
        [
            sample(1_795_253_370_000, 0.0),
            sample(1_795_253_400_000, 3.0),
            sample(1_795_253_430_000, 0.0)
        ]
    );
    let name = any_value::Value::StringValue("count_over_time".into());
    assert_eq!(found.series[0].labels, [attribute("__name__", name)]);
    assert_eq!((found.status, &*found.message), (0, ""));

    let longest = encoded("{ } | max_over_time(duration)");
    let path = format!("/api/metrics/query_range?q={longest}&{MINUTE}");
    let answer = world.get_with(&path, &accept).await;
    let found = pb::QueryRangeResponse::decode(&answer.body[..]).unwrap();
    let exemplar = &found.series[0].exemplars[0];
    assert_eq!(
        (exemplar.value, exemplar.timestamp_ms),
        (0.25, 1_795_253_399_000)
    );
    let trace = any_value::Value::StringValue(TRACE_ID.into());
    assert_eq!(exemplar.labels[0], attribute("trace:id", trace));

    let path = format!("/api/metrics/query?q={q}&{MINUTE}");
    let answer = world.get_with(&path, &accept).await;
    let found = pb::QueryInstantResponse::decode(&answer.body[..]).unwrap();
    assert_eq!(found.series[0].value, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_number_is_answered_without_a_field_too_many() {
    let world = world(false).await;
    let q = encoded("{ } | count_over_time()");
    let mut found = json_of(&world, &format!("/api/metrics/query?q={q}&since=1h")).await;
    check_metrics(&found["metrics"].take());
    assert_eq!(
        found,
        json!({
            "series": [{
                "labels": [{"key": "__name__", "value": {"stringValue": "count_over_time"}}],
                "value": 3.0,
            }],
            "metrics": null,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_series_come_in_every_form() {
    let world = world(true).await;
    let q = encoded("{ } | count_over_time()");
    let from = [
        "start=1795253370&end=1795253430",
        "start=1795253370.0&end=1795253430.000",
        "start=1795253370000000000&end=1795253430000000000",
        "start=2026-11-21T09:29:30Z&end=2026-11-21T09:30:30Z",
    ];
    let expected = json_of(&world, &format!("/api/metrics/query_range?q={q}&{MINUTE}")).await;
    for range in from {
        for step in ["30", "30s", "0.5m", "30.0"] {
            let path = format!("/api/metrics/query_range?q={q}&{range}&step={step}");
            let found = json_of(&world, &path).await;
            assert_eq!(found["series"], expected["series"], "{range} {step}");
        }
    }
    // The last hour, in steps of 15 seconds, up to now: no hidden half minute.
    let found = json_of(&world, &format!("/api/metrics/query_range?q={q}")).await;
    let samples = found["series"][0]["samples"].as_array().unwrap();
    assert_eq!(samples.len(), 241);
    assert_eq!(samples[240]["timestampMs"], (NOW / 1_000_000).to_string());
    assert_eq!(samples[240]["value"], 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn series_left_out_are_said_to_be() {
    let world = world(true).await;
    let q = encoded("{ } | rate() by (span.n)");
    let path = format!("/api/metrics/query_range?q={q}&{MINUTE}&maxSeries=2");
    let found = json_of(&world, &path).await;
    assert_eq!(found["series"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["status"], "PARTIAL");
    assert_eq!(
        found["message"],
        "2 of 3 series are shown, as maxSeries says"
    );
}
