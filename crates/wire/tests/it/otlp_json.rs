//! OTLP/JSON in both directions.

use model::{DropReason, SpanBatch};
use proptest::prelude::*;
use prost::Message as _;
use wire::otlp::{DecodeLimits, Rejected, decode, encode};
use wire::otlp_json::{IdStyle, JsonError, to_protobuf, write_resource_spans};

use crate::requests;
use crate::tell::tell;

fn read(json: &str) -> Result<(SpanBatch, Rejected), JsonError> {
    let body = to_protobuf(json.as_bytes())?;
    let mut batch = SpanBatch::default();
    let rejected = decode(&body, &DecodeLimits::default(), &mut batch).unwrap();
    Ok((batch, rejected))
}

fn told(json: &str) -> String {
    let (batch, rejected) = read(json).unwrap();
    assert_eq!(rejected, Rejected::default());
    tell(&batch)
}

/// A request with one span that has the usual members and `more`.
fn request(more: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0102030405060708090a0b0c0d0e0f10",
        "spanId":"0102030405060708"{more}}}]}}]}}]}}"#
    )
}

fn told_span(more: &str) -> String {
    let told = told(&request(more));
    let span = told.strip_prefix("resource \n scope   \n").unwrap();
    span.strip_prefix("  0102030405060708090a0b0c0d0e0f10 0102030405060708 ")
        .unwrap()
        .to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_we_write_as_otlp_json_reads_back_the_same(request in requests::request()) {
        let mut batch = SpanBatch::default();
        decode(&request.encode_to_vec(), &DecodeLimits::default(), &mut batch).unwrap();
        let mut json = r#"{"resourceSpans":"#.to_owned();
        write_resource_spans(&batch, IdStyle::Hex, &mut json);
        json.push('}');
        let (again, rejected) = read(&json).unwrap();
        prop_assert_eq!(rejected, Rejected::default());
        prop_assert_eq!(encode(&again), encode(&batch), "{}", json);
    }
}

#[test]
fn the_example_of_the_specification_is_read() {
    assert_eq!(
        told(include_str!("../data/otlp-example.json")),
        r#"resource  service.name="my.service"
 scope my.library 1.0.0  my.scope.attribute="some scope attribute"
  5b8efff798038103d269b633813fc60c eee19b7ec3c1b174 < eee19b7ec3c1b173 "I'm a server span" server 1544712660000000000+1000000000 my.span.attr="some value"
"#
    );
}

#[test]
fn numbers_are_taken_in_every_spelling() {
    for start in ["1500", "\"1500\"", "1.5e3", "1500.0"] {
        let span = told_span(&format!(
            r#","startTimeUnixNano":{start},"endTimeUnixNano":"2000""#
        ));
        assert_eq!(span, "\"\" unspecified 1500+500\n", "{start}");
    }
    let values = r#","attributes":[
        {"key":"a","value":{"intValue":"-9223372036854775808"}},
        {"key":"b","value":{"intValue":-7}},
        {"key":"c","value":{"doubleValue":"NaN"}},
        {"key":"d","value":{"doubleValue":"-Infinity"}},
        {"key":"e","value":{"doubleValue":3}},
        {"key":"f","value":{"boolValue":false}},
        {"key":"g","value":{"stringValue":""}}]"#;
    assert_eq!(
        told_span(values),
        "\"\" unspecified 0+0 a=-9223372036854775808 b=-7 c=NaN d=-inf e=3.0 f=false g=\"\"\n"
    );
}

#[test]
fn every_kind_of_value_is_taken() {
    let values = r#","attributes":[
        {"key":"array","value":{"arrayValue":{"values":[{"intValue":1},null,{"arrayValue":{}}]}}},
        {"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":true}}]}}},
        {"key":"no map","value":{"kvlistValue":{}}},
        {"key":"bytes","value":{"bytesValue":"_-8"}},
        {"key":"null","value":null},
        {"key":"none"}]"#;
    assert_eq!(
        told_span(values),
        concat!(
            r#""" unspecified 0+0 array:[1,null,[]] map:{"k":true} no map:{} bytes:{"$bytes":"/+8="} null:null none:null"#,
            "\n"
        )
    );
}

#[test]
fn unknown_members_snake_case_and_nulls_are_passed_over() {
    let more = r#","name":"a","span_id":"zz","Name":"b","x":{"y":[1,{"z":null}]},"kind":null,"status":null,
        "attributes":null,"events":[],"links":null,"traceState":null"#;
    assert_eq!(told_span(more), "\"a\" unspecified 0+0\n");
    assert_eq!(told("{}"), "");
    assert_eq!(told(r#"{"resourceSpans":null}"#), "");
    assert_eq!(told(r#"{"resourceSpans":[{},{"scopeSpans":[{}]}]}"#), "");
}

#[test]
fn what_a_type_cannot_have_is_refused_with_line_and_path() {
    let in_span = "in resourceSpans[0].scopeSpans[0].spans[0]";
    for (more, expected) in [
        (
            r#","kind":"SPAN_KIND_SERVER""#,
            format!(
                "{in_span}.kind: invalid value: string \"SPAN_KIND_SERVER\", expected the number of an enum"
            ),
        ),
        (
            r#","startTimeUnixNano":-1"#,
            format!(
                "{in_span}.startTimeUnixNano: invalid value: integer `-1`, expected an unsigned 64-bit integer, as a \
                 number or a decimal string"
            ),
        ),
        (
            r#","attributes":[{"key":"k"},{"key":"k","value":{"arrayValue":{"values":[{"intValue":"x"}]}}}]"#,
            format!(
                "{in_span}.attributes[1].value.arrayValue.values[0].intValue: invalid value: string \"x\", expected a \
                 signed 64-bit integer, as a number or a decimal string"
            ),
        ),
        (
            r#","name":7"#,
            format!("{in_span}.name: invalid type: integer `7`, expected a string"),
        ),
        (
            r#","events":{}"#,
            format!("{in_span}.events: invalid type: map, expected an array"),
        ),
        (
            r#","status":[]"#,
            format!("{in_span}.status: invalid type: sequence, expected an object"),
        ),
    ] {
        let error = read(&request(more)).unwrap_err();
        assert_eq!(error.line, 2, "{error}");
        let text = error.to_string();
        assert!(text.ends_with(&expected), "{text}\n{expected}");
    }
    for (json, expected) in [
        (
            "",
            "cannot read JSON at line 1 column 0: EOF while parsing a value",
        ),
        (
            "[]",
            "cannot read JSON at line 1 column 0: invalid type: sequence, expected an object",
        ),
        (
            "{} {}",
            "cannot read JSON at line 1 column 4: trailing characters",
        ),
        (
            "{\"resourceSpans\":\n[{]}",
            "cannot read JSON at line 2 column 3 in resourceSpans[0]: key must be a string",
        ),
    ] {
        assert_eq!(read(json).unwrap_err().to_string(), expected);
    }
}

#[test]
fn rules_about_content_reject_single_spans() {
    let (_, rejected) =
        read(&request("").replace("0102030405060708090a0b0c0d0e0f10", "0102")).unwrap();
    assert_eq!(rejected.counts[DropReason::InvalidTraceId.index()], 1);
    assert_eq!(
        rejected.first.unwrap(),
        "resource_spans[0].scope_spans[0].spans[0]: trace_id must be 16 bytes and not all zeros; in JSON 32 hex digits"
    );
}

/// Base64, as protobuf's own JSON has it, an odd number of digits, sixteen letters that are none: the others are kept.
#[test]
fn an_id_that_is_not_hex_rejects_its_span_alone() {
    const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";
    for (id, reason) in [
        (
            format!(
                r#""traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"{:016}""#,
                1
            ),
            DropReason::InvalidTraceId,
        ),
        (
            format!(r#""traceId":"zz","spanId":"{:016}""#, 1),
            DropReason::InvalidTraceId,
        ),
        (
            format!(r#""traceId":"{}","spanId":"{:016}""#, "g".repeat(16), 1),
            DropReason::InvalidTraceId,
        ),
        (
            format!(r#""traceId":"{TRACE}","spanId":"123""#),
            DropReason::InvalidSpanId,
        ),
        (
            format!(
                r#""traceId":"{TRACE}","spanId":"{:016}","parentSpanId":"5B8E+/98A==""#,
                1
            ),
            DropReason::InvalidSpanId,
        ),
    ] {
        let spans = format!(r#"{{"traceId":"{TRACE}","spanId":"{:016}"}},{{{id}}}"#, 7);
        let json = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#);
        let (batch, rejected) = read(&json).unwrap();
        assert_eq!((batch.len(), rejected.total()), (1, 1), "{id}");
        assert_eq!(rejected.counts[reason.index()], 1, "{id}");
    }
}

#[test]
fn a_value_nested_ten_thousand_deep_rejects_its_span_alone() {
    let nested = |depth: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let close = "]}}".repeat(depth);
        format!(r#","attributes":[{{"key":"k","value":{open}{close}}}]"#)
    };
    let (batch, rejected) = read(&request(&nested(model::MAX_VALUE_DEPTH))).unwrap();
    assert_eq!((batch.len(), rejected.total()), (1, 0));
    for depth in [model::MAX_VALUE_DEPTH + 1, 10_000] {
        let (batch, rejected) = read(&request(&nested(depth))).unwrap();
        assert_eq!(batch.len(), 0);
        assert_eq!(rejected.counts[DropReason::NestedTooDeep.index()], 1);
    }
    let unknown = format!(r#","x":{}{}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(told_span(&unknown), "\"\" unspecified 0+0\n");
}

const FULL: &str = r#","parentSpanId":"1112131415161718","name":"pay \"now\"\n","kind":3,"flags":257,
    "traceState":"a=b","startTimeUnixNano":"1","endTimeUnixNano":"3","attributes":[
    {"key":"n","value":{"intValue":"5"}},{"key":"d","value":{"doubleValue":1e300}}],
    "events":[{"timeUnixNano":"2","name":"e"}],"links":[{"traceId":"ffffffffffffffffffffffffffffffff",
    "spanId":"eeeeeeeeeeeeeeee"}],"droppedLinksCount":4,"status":{"code":2,"message":"no"}"#;

#[test]
fn otlp_json_has_hex_ids_and_numbers_for_enums() {
    let (batch, _) = read(&request(FULL)).unwrap();
    let mut out = String::new();
    write_resource_spans(&batch, IdStyle::Hex, &mut out);
    assert_eq!(
        out,
        concat!(
            r#"[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","#,
            r#""spanId":"0102030405060708","traceState":"a=b","parentSpanId":"1112131415161718","flags":257,"#,
            r#""name":"pay \"now\"\n","kind":3,"startTimeUnixNano":"1","endTimeUnixNano":"3","attributes":["#,
            r#"{"key":"n","value":{"intValue":"5"}},{"key":"d","value":{"doubleValue":1e300}}],"#,
            r#""events":[{"timeUnixNano":"2","name":"e"}],"links":[{"traceId":"ffffffffffffffffffffffffffffffff","#,
            r#""spanId":"eeeeeeeeeeeeeeee"}],"droppedLinksCount":4,"status":{"message":"no","code":2}}]}]}]"#,
        )
    );
}

#[test]
fn the_json_of_tempo_has_base64_ids_and_names_for_enums() {
    let (batch, _) = read(&request(FULL)).unwrap();
    let mut out = String::new();
    write_resource_spans(&batch, IdStyle::Base64, &mut out);
    for part in [
        r#""traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AQIDBAUGBwg=""#,
        r#""parentSpanId":"ERITFBUWFxg=""#,
        r#""kind":"SPAN_KIND_CLIENT""#,
        r#""status":{"message":"no","code":"STATUS_CODE_ERROR"}"#,
        r#""links":[{"traceId":"/////////////////////w==""#,
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
}

#[test]
fn no_spans_are_an_empty_array() {
    let mut out = String::new();
    write_resource_spans(&SpanBatch::default(), IdStyle::Hex, &mut out);
    assert_eq!(out, "[]");
}
