//! Tempo's messages: what proto3 JSON leaves out, and requests that are none.

use model::Value;
use proptest::prelude::*;
use serde_json::json;
use wire::tempo::{
    KeyValue, Partial, QueryInstantRequest, QueryRangeRequest, QueryRangeResponse, Sample,
    SearchRequest, SearchResponse, TagValuesRequest, TagsRequest, TimeSeries,
};

fn json_of(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn an_empty_answer_has_its_lists_and_nothing_else() {
    let search = json_of(&SearchResponse::default());
    assert_eq!(search, json!({"traces": [], "metrics": {}}));
    let range = json_of(&QueryRangeResponse::default());
    assert_eq!(range, json!({"series": [], "metrics": {}}));
    assert_eq!(
        SearchResponse::default().to_protobuf(),
        [0x12, 0],
        "the metrics, which clients look into without asking"
    );
}

#[test]
fn zeros_are_left_out_of_points_and_kept_in_values() {
    let label = |value: Value| KeyValue {
        key: "k".into(),
        value,
    };
    let map = Value::Map(vec![("a".into(), Value::Bool(false))]);
    let answer = QueryRangeResponse {
        series: vec![TimeSeries {
            labels: vec![
                label(Value::Int(0)),
                label(Value::Double(0.5)),
                label(Value::Double(f64::INFINITY)),
                label(Value::Str(String::new())),
                label(Value::Array(vec![Value::Int(i64::MIN), Value::Empty])),
                label(map),
                label(Value::Bytes(vec![0xff])),
            ],
            samples: vec![Sample {
                timestamp_ms: -1,
                value: 0.0,
            }],
            ..TimeSeries::default()
        }],
        partial: Partial(Some("why".into())),
        ..QueryRangeResponse::default()
    };
    let label = |value| json!({"key": "k", "value": value});
    assert_eq!(
        json_of(&answer),
        json!({
            "series": [{
                "labels": [
                    label(json!({"intValue": "0"})),
                    label(json!({"doubleValue": 0.5})),
                    label(json!({"doubleValue": "Infinity"})),
                    label(json!({"stringValue": ""})),
                    label(json!({"arrayValue": {"values": [{"intValue": "-9223372036854775808"}, {}]}})),
                    label(json!({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": false}}]}})),
                    label(json!({"bytesValue": "/w=="})),
                ],
                "samples": [{"timestampMs": "-1"}],
            }],
            "metrics": {},
            "status": "PARTIAL",
            "message": "why",
        })
    );
}

#[test]
fn unknown_fields_and_fields_of_another_type_are_passed_over() {
    // Field 8 as text, field 4 as text though it is a number, field 100.
    let bytes = b"\x42\x03{ }\x22\x02no\xa0\x06\x01";
    let request = SearchRequest::decode(bytes).unwrap();
    assert_eq!((&*request.query, request.limit), ("{ }", 0));
    let tags = SearchRequest::decode(b"\x0a\x06\x0a\x01a\x12\x01b")
        .unwrap()
        .tags;
    assert_eq!(tags, [("a".to_owned(), "b".to_owned())]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = SearchRequest::decode(&bytes);
        let _ = TagsRequest::decode(&bytes);
        let _ = TagValuesRequest::decode(&bytes);
        let _ = QueryRangeRequest::decode(&bytes);
        let _ = QueryInstantRequest::decode(&bytes);
    }
}
