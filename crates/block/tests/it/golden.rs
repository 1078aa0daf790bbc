//! Golden blocks: files of each version of the format as they were once written, which every later reader must read.
//!
//! `tests/golden/v<version>/` holds the files of a block, its manifest entry and what it says. `UPDATE=1` writes those of
//! the present version anew; while blocks of that version are anywhere, a change of the format is a new version instead.

use std::fs;
use std::path::{Path, PathBuf};

use block::{BlockMeta, Bloom, FORMAT_VERSION, FinishedBlock, TraceTable, WriteOptions};
use bytes::Bytes;
use model::{SpanBatch, TraceId, Value};
use serde_json::{Value as Json, json};

use crate::batches::{Told, ToldResource, batch_of, block_of, tell};
use crate::masks::check_by_id;
use crate::merges::check_same;
use crate::readers::{by_arrow, footer_of, in_order};

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"))
}

#[test]
fn every_golden_block_says_what_it_always_said() {
    for version in 1..=FORMAT_VERSION {
        let folder = folder(version);
        let block = load(&folder);
        assert_eq!(block.meta.format, version);
        let wanted: Json = serde_json::from_slice(&read(&folder, "expected.json")).unwrap();
        let footer = footer_of(&block.spans);
        let readings = [
            by_arrow(&block, &footer, 1000),
            by_arrow(&block, &footer, 2),
            in_order(&block, &footer, 1000, false),
            in_order(&block, &footer, 2, true),
        ];
        for spans in readings {
            assert_eq!(spans_told(&spans.unwrap()), wanted["spans"], "v{version}");
        }
        assert_eq!(traces_told(&block), wanted["traces"], "v{version}");
        check_by_id(&block).unwrap();
        let bloom = Bloom::from_bytes(&block.bloom).unwrap();
        for trace in wanted["traces"].as_array().unwrap() {
            let id: TraceId = trace["trace_id"].as_str().unwrap().parse().unwrap();
            assert!(bloom.may_contain(id), "v{version}: {id}");
        }
    }
}

#[test]
fn golden_blocks_of_all_versions_are_merged() {
    let blocks: Vec<FinishedBlock> = (1..=FORMAT_VERSION)
        .map(|version| load(&folder(version)))
        .collect();
    check_same(&blocks, 2, &WriteOptions::default());
}

/// A difference is no defect by itself: when it is meant, see the top of this file.
#[test]
fn the_writer_writes_the_golden_block_to_the_byte() {
    let folder = folder(FORMAT_VERSION);
    let options = WriteOptions {
        columns_max: 6,
        ..WriteOptions::default()
    };
    let block = block_of(&batch_of(&sample()), 2, &options);
    let spans = by_arrow(&block, &footer_of(&block.spans), 1000).unwrap();
    let says = json!({ "spans": spans_told(&spans), "traces": traces_told(&block) });
    let files = [
        ("spans.parquet", block.spans),
        ("traces.parquet", block.traces),
        ("resources.parquet", block.resources),
        ("trace_id.bloom", block.bloom),
        ("meta.json", pretty(&block.meta)),
        ("expected.json", pretty(&says)),
    ];
    for (name, bytes) in files {
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(name), bytes).unwrap();
        } else {
            let same = bytes == read(&folder, name);
            assert!(
                same,
                "{name} is no longer what version {FORMAT_VERSION} was; UPDATE=1 accepts"
            );
        }
    }
}

fn pretty(what: &impl serde::Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(what).unwrap();
    text.push(b'\n');
    text
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn load(folder: &Path) -> FinishedBlock {
    let meta: BlockMeta = serde_json::from_slice(&read(folder, "meta.json")).unwrap();
    FinishedBlock {
        meta,
        spans: read(folder, "spans.parquet"),
        traces: read(folder, "traces.parquet"),
        resources: read(folder, "resources.parquet"),
        bloom: read(folder, "trace_id.bloom"),
        duplicates: 0,
    }
}

fn traces_told(block: &FinishedBlock) -> Json {
    let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
    let told = (0..table.len()).map(|index| {
        let (summary, rows) = (table.summary(index), table.rows(index));
        json!({
            "trace_id": summary.trace_id.to_string(),
            "start": summary.start.0,
            "end": summary.end.0,
            "root": summary.has_root.then_some([summary.root_service, summary.root_name]),
            "errors": summary.error_count,
            "services": summary.services,
            "partial": summary.partial,
            "rows": [rows.start, rows.len],
        })
    });
    told.collect()
}

fn spans_told(batch: &SpanBatch) -> Json {
    tell(batch).iter().map(span_told).collect()
}

fn span_told(told: &Told) -> Json {
    let [url, scope, version, scope_url] = &told.resource.scope;
    let events = told.events.iter().map(|(time, name, attributes, dropped)| {
        json!({ "time": time, "name": name, "attributes": pairs(attributes), "dropped": dropped })
    });
    let links = told
        .links
        .iter()
        .map(|(trace, span, state, flags, attributes, dropped)| {
            json!({
                "trace": trace, "span": span, "state": state, "flags": flags,
                "attributes": pairs(attributes), "dropped": dropped,
            })
        });
    json!({
        "trace": told.trace, "span": told.span, "parent": told.parent,
        "start": told.start, "duration": told.duration,
        "name": told.name, "kind": told.kind, "status": told.status, "message": told.message,
        "state": told.state, "flags": told.flags, "dropped": told.dropped,
        "resource": {
            "attributes": pairs(&told.resource.attributes),
            "schema_url": url,
            "scope": [scope, version, scope_url],
            "scope_attributes": pairs(&told.resource.scope_attributes),
            "dropped": told.resource.dropped,
        },
        "attributes": pairs(&told.attributes),
        "events": events.collect::<Json>(),
        "links": links.collect::<Json>(),
    })
}

/// Values as canonical text, which keeps their types.
fn pairs(attributes: &[(String, Value)]) -> Json {
    let pairs = attributes
        .iter()
        .map(|(key, value)| json!([key, value.to_canonical()]));
    pairs.collect()
}

fn text(text: &str) -> Value {
    Value::Str(text.into())
}

fn named<const N: usize>(attributes: [(&str, Value); N]) -> Vec<(String, Value)> {
    attributes
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// Spans of four traces with everything that a span can have: each type of value with a column of its own and without,
/// lists that are empty, short and nested, what may be absent both absent and there, and the ends of every range.
fn sample() -> Vec<Told> {
    let shop = ToldResource {
        attributes: named([
            ("service.name", text("shop")),
            ("host.cpus", Value::Int(8)),
            (
                "process.args",
                Value::Array(vec![text("--port"), Value::Int(80)]),
            ),
        ]),
        scope: ["https://schema/1", "http-lib", "1.2.3", "https://schema/2"].map(str::to_owned),
        scope_attributes: named([("beta", Value::Bool(true))]),
        dropped: [3, u32::MAX],
    };
    let nameless = ToldResource {
        attributes: Vec::new(),
        scope: Default::default(),
        scope_attributes: Vec::new(),
        dropped: [0, 0],
    };
    let start = 1_795_266_000_123_456_789;
    let span = |trace: u8, span: u8, parent: u8, resource: &ToldResource| Told {
        trace,
        span,
        parent,
        start: start + i64::from(span) * 1_000,
        duration: 50_000 - i64::from(span),
        name: format!("step {}", span % 3),
        kind: span % 6,
        status: span % 3,
        flags: 0x101,
        resource: resource.clone(),
        attributes: named([
            ("http.route", text(["/cart", "/pay"][usize::from(span % 2)])),
            ("retries", Value::Int(i64::from(span % 4))),
            ("cached", Value::Bool(span.is_multiple_of(2))),
            ("share", Value::Double(f64::from(span) / 4.0)),
        ]),
        message: String::new(),
        state: String::new(),
        dropped: [0; 3],
        events: Vec::new(),
        links: Vec::new(),
    };
    let rich = Told {
        name: "Zahlung prüfen 💶".into(),
        message: "declined: \"card\"\nexpired".into(),
        state: "vendor=1,other=2".into(),
        flags: u32::MAX,
        dropped: [1, 2, u32::MAX],
        attributes: named([
            ("http.route", text("")),
            ("retries", Value::Int(i64::MIN)),
            ("retries", text("many")),
            ("share", Value::Double(f64::MAX)),
            ("share", Value::Double(-0.0)),
            ("huge", Value::Int(i64::MAX)),
            ("none", Value::Empty),
            ("raw", Value::Bytes(vec![0, 255])),
            ("no", Value::Bool(false)),
            ("tiny", Value::Double(5e-324)),
            (
                "order",
                Value::Map(vec![
                    ("items".into(), Value::Array(vec![Value::Map(Vec::new())])),
                    ("$bytes".into(), Value::Double(1.0)),
                ]),
            ),
        ]),
        events: vec![
            (
                start,
                "exception".into(),
                named([
                    ("exception.type", text("Declined")),
                    ("attempt", Value::Int(2)),
                ]),
                4,
            ),
            (0, String::new(), Vec::new(), 0),
        ],
        links: vec![
            (
                2,
                7,
                "vendor=3".into(),
                1,
                named([("why", text("batch"))]),
                5,
            ),
            (0, 0, String::new(), 0, Vec::new(), 0),
        ],
        ..span(1, 2, 1, &shop)
    };
    let extremes = |number, start, duration| Told {
        start,
        duration,
        attributes: Vec::new(),
        flags: 0,
        ..span(3, number, 0, &nameless)
    };
    let one_event = vec![(1, "log".to_owned(), Vec::new(), 0)];
    vec![
        span(1, 1, 0, &shop),
        rich,
        Told {
            events: one_event,
            ..span(1, 3, 2, &nameless)
        },
        span(1, 4, 2, &shop),
        // No root among them, and the parent of one is in another block.
        span(2, 5, 200, &shop),
        span(2, 6, 5, &nameless),
        // Two roots, at the ends of time.
        extremes(1, 0, -1),
        extremes(2, i64::MAX, i64::MAX),
        extremes(3, i64::MIN, i64::MIN + 1),
        span(4, 1, 0, &shop),
        span(4, 2, 1, &shop),
        span(4, 3, 1, &shop),
    ]
}
