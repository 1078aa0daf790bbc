//! Jaeger's legacy JSON.

use model::{DropReason, SpanBatch};
use wire::jaeger_json::to_protobuf;
use wire::otlp::{DecodeLimits, Rejected, decode};

use crate::tell::tell;

fn read(json: &str) -> (SpanBatch, Rejected) {
    let body = to_protobuf(json.as_bytes()).unwrap();
    let mut batch = SpanBatch::default();
    let rejected = decode(&body, &DecodeLimits::default(), &mut batch).unwrap();
    (batch, rejected)
}

fn told(json: &str) -> String {
    let (batch, rejected) = read(json);
    assert_eq!(rejected, Rejected::default());
    tell(&batch)
}

/// What is told of a span with the members `more`, of no process, without ids and times.
fn told_span(more: &str) -> String {
    let json =
        format!(r#"{{"spans":[{{"traceID":"a","spanID":"b","operationName":"op"{more}}}]}}"#);
    let told = told(&json);
    let line = told.strip_prefix("resource \n scope   \n").unwrap();
    let line = line.strip_prefix("  0000000000000000000000000000000a 000000000000000b ");
    line.unwrap().trim_end().to_owned()
}

#[test]
fn a_recorded_trace_of_the_hotel_is_read_whole() {
    let told = told(include_str!("../data/hotel.jaeger.json"));
    assert_eq!(told.matches("resource ").count(), 6);
    assert_eq!(
        told.lines().filter(|line| line.starts_with("  0")).count(),
        11
    );
    let geo: Vec<&str> = told.lines().take(3).collect();
    assert_eq!(
        geo,
        [
            r#"resource  service.name="geo" host.name="geo-6455488cd8-9pdxx" ip="10.0.1.61" opencensus.exporterversion="Jaeger-Go-2.11.2""#,
            " scope   ",
            concat!(
                "  000000000000000000053253c7f9858d 17accd4772146ac8 < 343008ba49cc18e2 \"/geo.Geo/Nearby\" server ",
                "1655759368183644000+515000 flags 1 component=\"gRPC\" internal.span.format=\"proto\""
            ),
        ]
    );
    assert!(told.contains("@jaeger@warnings:[\"clock skew adjustment disabled;"));
    let root = told
        .lines()
        .find(|line| line.contains("GET /hotels\""))
        .unwrap();
    assert!(
        root.contains(" server 1655759368183962000+65902000") && root.contains("sampler.param=0.3")
    );
}

#[test]
fn short_ids_are_filled_with_zeros() {
    let told = told(include_str!("../data/nodejs.jaeger.json"));
    assert_eq!(
        told.lines().filter(|line| line.starts_with("  0")).count(),
        6
    );
    assert!(told.contains(" 0000000000000001 < 1002499809f48d4b \"span-service1\" server"));
    assert!(told.contains(" c5f1d3ad03be6f50 < 0000000000000001 "));
    // Declared float64, written 200.
    assert!(told.contains("http.status_code=200.0"));
}

#[test]
fn an_answer_with_many_traces_is_one_request() {
    let hotel = include_str!("../data/hotel.jaeger.json");
    let nodejs = include_str!("../data/nodejs.jaeger.json");
    let answer = format!(r#"{{"data":[{hotel},{nodejs}],"total":0,"limit":0,"errors":null}}"#);
    assert_eq!(told(&answer), told(hotel) + &told(nodejs));
    assert_eq!(told(r#"{"data":[]}"#), "");
}

#[test]
fn tags_keep_their_types() {
    let tag = |kind: &str, value: &str| {
        let more = format!(r#","tags":[{{"key":"k","type":"{kind}","value":{value}}}]"#);
        told_span(&more).replace("\"op\" unspecified 0+0 ", "")
    };
    assert_eq!(tag("string", "\"1\""), "k=\"1\"");
    assert_eq!(tag("bool", "true"), "k=true");
    assert_eq!(tag("bool", "\"false\""), "k=false");
    assert_eq!(tag("int64", "7"), "k=7");
    assert_eq!(
        tag("int64", "\"9223372036854775807\""),
        "k=9223372036854775807"
    );
    assert_eq!(tag("float64", "7"), "k=7.0");
    assert_eq!(tag("float64", "0.1"), "k=0.1");
    assert_eq!(tag("binary", "\"/+8=\""), "k:{\"$bytes\":\"/+8=\"}");
    assert_eq!(tag("int64", "\"many\""), "k=\"many\"");
    assert_eq!(tag("string", "{\"a\":[1]}"), "k=\"{\\\"a\\\":[1]}\"");
    assert_eq!(tag("string", "null"), "k:null");
}

#[test]
fn kind_status_scope_and_state_leave_the_tags() {
    let cases = [
        (
            r#"["span.kind","string","producer"]"#,
            r#""op" producer 0+0"#,
        ),
        (
            r#"["span.kind","string","odd"]"#,
            r#""op" unspecified 0+0 span.kind="odd""#,
        ),
        (
            r#"["error","bool",true],["otel.status_code","string","OK"],["otel.status_description","string","why"]"#,
            r#""op" unspecified 0+0 error "why""#,
        ),
        (
            r#"["error","bool",true],["http.status_message","string","gone"]"#,
            r#""op" unspecified 0+0 error "gone" http.status_message="gone""#,
        ),
        (
            r#"["error","bool",false]"#,
            r#""op" unspecified 0+0 error=false"#,
        ),
        (
            r#"["otel.status_code","string","OK"]"#,
            r#""op" unspecified 0+0 ok """#,
        ),
        (
            r#"["otel.status_code","string","ERROR"],["otel.status_description","string","why"]"#,
            r#""op" unspecified 0+0 error "why""#,
        ),
        (
            r#"["http.status_code","int64",404],["span.kind","string","client"]"#,
            r#""op" client 0+0 error "" http.status_code=404"#,
        ),
        (
            r#"["http.status_code","int64",404],["span.kind","string","server"]"#,
            r#""op" server 0+0 http.status_code=404"#,
        ),
        (
            r#"["http.status_code","int64",503],["span.kind","string","server"]"#,
            r#""op" server 0+0 error "" http.status_code=503"#,
        ),
        (
            r#"["w3c.tracestate","string","a=b"]"#,
            r#""op" unspecified 0+0 state a=b"#,
        ),
    ];
    for (tags, expected) in cases {
        assert_eq!(told_span(&members("tags", tags)), expected, "{tags}");
    }
    let scoped = told(&format!(
        r#"{{"spans":[{{"traceID":"a","spanID":"b"{}}}]}}"#,
        members(
            "tags",
            r#"["otel.library.name","string","lib"],["otel.scope.version","string","2"]"#
        )
    ));
    assert!(scoped.contains(" scope lib 2 \n"), "{scoped}");
}

/// `,"name":[{"key":…,"type":…,"value":…},…]` from triples.
fn members(name: &str, triples: &str) -> String {
    let triples: Vec<(String, String, serde_json::Value)> =
        serde_json::from_str(&format!("[{triples}]")).unwrap();
    let tags: Vec<_> = triples
        .into_iter()
        .map(|(key, kind, value)| serde_json::json!({"key": key, "type": kind, "value": value}))
        .collect();
    format!(r#","{name}":{}"#, serde_json::Value::from(tags))
}

#[test]
fn references_become_parent_and_links() {
    let references = r#","references":[
        {"refType":"FOLLOWS_FROM","traceID":"a","spanID":"1"},
        {"refType":"CHILD_OF","traceID":"c","spanID":"2"},
        {"refType":"CHILD_OF","traceID":"000a","spanID":"3"},
        {"refType":"CHILD_OF","traceID":"a","spanID":"4"}]"#;
    let link = |trace: &str, span: &str, kind: &str| {
        format!("\n    link {trace:0>32} {span:0>16}  flags 0 opentracing.ref_type=\"{kind}\"")
    };
    assert_eq!(
        told_span(references),
        [
            "< 0000000000000003 \"op\" unspecified 0+0",
            &link("a", "1", "follows_from"),
            &link("c", "2", "child_of"),
            &link("a", "4", "child_of"),
        ]
        .concat()
    );
    assert_eq!(
        told_span(r#","parentSpanID":"9""#),
        "< 0000000000000009 \"op\" unspecified 0+0"
    );
}

#[test]
fn logs_become_events() {
    let fields = |triples| members("fields", triples);
    let logs = format!(
        r#","logs":[{{"timestamp":5{}}},{{"timestamp":"6"{}}},{{"timestamp":7{}}}]"#,
        fields(r#"["event","string","error"],["message","string","boom"],["n","int64",1]"#),
        fields(r#"["message","string","plain"]"#),
        fields(r#"["event","int64",3]"#),
    );
    assert_eq!(
        told_span(&logs),
        concat!(
            "\"op\" unspecified 0+0\n",
            "    event 5000 \"error\" message=\"boom\" n=1\n",
            "    event 6000 \"plain\"\n",
            "    event 7000 \"\" event=3"
        )
    );
}

#[test]
fn a_process_becomes_a_resource() {
    let json = |process: &str| {
        let span = r#"{"traceID":"a","spanID":"b","processID":"p1"}"#;
        let told = told(&format!(
            r#"{{"spans":[{span}],"processes":{{"p1":{process}}}}}"#
        ));
        told.lines().next().unwrap().to_owned()
    };
    let tags = members(
        "tags",
        r#"["hostname","string","h"],["host.name","string","n"],["jaeger.version","string","Go-2"]"#,
    );
    assert_eq!(
        json(&format!(r#"{{"serviceName":"shop"{tags}}}"#)),
        r#"resource  service.name="shop" hostname="h" host.name="n" opencensus.exporterversion="Jaeger-Go-2""#
    );
    assert_eq!(
        json(r#"{"serviceName":"OTLPResourceNoServiceName"}"#),
        "resource "
    );
    let inline = r#"{"spans":[{"traceID":"a","spanID":"b","process":{"serviceName":"x"}}]}"#;
    assert!(told(inline).starts_with("resource  service.name=\"x\"\n"));
}

#[test]
fn a_span_with_a_bad_id_or_time_is_rejected_alone() {
    let (batch, rejected) = read(
        r#"{"spans":[{"traceID":"xyz","spanID":"1"},{"traceID":"1","spanID":"0"},
            {"traceID":"1","spanID":"1","startTime":18446744073709551615},{"traceID":"1","spanID":"1"}]}"#,
    );
    assert_eq!(batch.len(), 1);
    for reason in [
        DropReason::InvalidTraceId,
        DropReason::InvalidSpanId,
        DropReason::TimestampOutOfRange,
    ] {
        assert_eq!(rejected.counts[reason.index()], 1, "{reason}");
    }
}

#[test]
fn what_is_no_trace_is_refused_with_line_and_column() {
    for (json, expected) in [
        (
            "{}",
            "cannot read JSON at line 1 column 1: found neither `spans` of a trace nor `data` of an answer",
        ),
        (
            "{\"spans\":\n[{\"startTime\":\"soon\"}]}",
            "cannot read JSON at line 2 column 21: expected a count of microseconds",
        ),
        (
            "",
            "cannot read JSON at line 1 column 0: EOF while parsing a value",
        ),
    ] {
        assert_eq!(
            to_protobuf(json.as_bytes()).unwrap_err().to_string(),
            expected
        );
    }
    let deep = format!("{{\"spans\":[{{\"tags\":{}", "[".repeat(10_000));
    assert!(to_protobuf(deep.as_bytes()).is_err());
}
