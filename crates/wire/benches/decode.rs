//! Decoding and encoding, in spans per second (1000 / Mspans/s = ns per span).
//!
//! `recorded` takes a part of the recorded corpus (found through `THROUGHLINE_DATA` or `../shared/data` beside the
//! workspace; left out with a message when absent): about 309 bytes and nine attributes a span, many values repeated.
//! `synthetic` is one service whose spans have events, links, and values of which a third are new: harder than life.

use std::hint::black_box;
use std::io::Read as _;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::SpanBatch;
use wire::otlp::{DecodeLimits, decode, encode};
use wire::otlp_json::{IdStyle, to_protobuf, write_resource_spans};
use wire::proto::{Tag, Writer};

/// Requests of the corpus that are taken: every so-and-so-many-th, since services change over the day.
const STRIDE: usize = 7;

#[expect(clippy::print_stderr, reason = "a tool for a terminal")]
fn recorded() -> Option<Vec<Vec<u8>>> {
    let folder = std::env::var_os("THROUGHLINE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = folder.join("real-shop-and-tickets.otlp.zst");
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            eprintln!("no recorded corpus, left out: {}: {error}", path.display());
            return None;
        }
    };
    let mut decoder = zstd::Decoder::new(file).expect("zstd starts");
    decoder.window_log_max(27).expect("128 MiB is a window");
    let mut requests = Vec::new();
    let mut len = [0; 4];
    while decoder.read_exact(&mut len).is_ok() {
        let mut request = vec![0; u32::from_le_bytes(len) as usize];
        decoder.read_exact(&mut request).expect("a whole request");
        requests.push(request);
    }
    Some(requests.into_iter().step_by(STRIDE).collect())
}

/// One request of 1,000 spans with ten attributes, an event and a link each.
fn synthetic() -> Vec<u8> {
    let mut w = Writer::new();
    w.message(Tag::len(1), |w| {
        w.message(Tag::len(1), |w| {
            attribute(w, Tag::len(1), "service.name", "shop");
        });
        w.message(Tag::len(2), |w| {
            for number in 0..1000u64 {
                w.message(Tag::len(2), |w| span(w, number));
            }
        });
    });
    w.into_bytes()
}

fn span(w: &mut Writer, number: u64) {
    w.bytes(Tag::len(1), &u128::from(number / 10 + 1).to_be_bytes());
    w.bytes(Tag::len(2), &(number + 1).to_be_bytes());
    w.bytes(Tag::len(5), format!("operation {}", number % 50).as_bytes());
    w.varint(Tag::varint(6), number % 5 + 1);
    w.fixed64(Tag::fixed64(7), 1_700_000_000_000_000_000 + number);
    w.fixed64(Tag::fixed64(8), 1_700_000_000_000_001_000 + number * 7);
    for key in 0..10 {
        let value = if key < 7 { number % 13 } else { number };
        let value = format!("a value of some length {value}");
        attribute(w, Tag::len(9), &format!("attribute.number.{key}"), &value);
    }
    w.message(Tag::len(11), |w| {
        w.fixed64(Tag::fixed64(1), 1_700_000_000_000_000_500);
        w.bytes(Tag::len(2), b"retry");
        attribute(w, Tag::len(3), "reason", "timeout");
    });
    w.message(Tag::len(13), |w| {
        w.bytes(Tag::len(1), &[7; 16]);
        w.bytes(Tag::len(2), &[7; 8]);
    });
}

fn attribute(w: &mut Writer, tag: Tag, key: &str, value: &str) {
    w.message(tag, |w| {
        w.bytes(Tag::len(1), key.as_bytes());
        w.message(Tag::len(2), |w| w.bytes(Tag::len(1), value.as_bytes()));
    });
}

fn decoded(request: &[u8]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    let rejected = decode(request, &DecodeLimits::default(), &mut batch).expect("a good request");
    assert_eq!(rejected.total(), 0);
    batch
}

fn measure(c: &mut Criterion, name: &str, requests: &[Vec<u8>]) {
    let batches: Vec<SpanBatch> = requests.iter().map(|r| decoded(r)).collect();
    let spans: usize = batches.iter().map(SpanBatch::len).sum();
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(spans as u64));
    group.sample_size(20);
    let mut batch = SpanBatch::default();
    group.bench_function("decode", |b| {
        b.iter(|| {
            for request in requests {
                let rejected = decode(request, &DecodeLimits::default(), &mut batch);
                black_box(rejected.expect("a good request"));
            }
        });
    });
    group.bench_function("encode", |b| {
        b.iter(|| {
            batches
                .iter()
                .map(|batch| encode(batch).len())
                .sum::<usize>()
        });
    });
    let some = &batches[..batches.len().min(10)];
    let spans: usize = some.iter().map(SpanBatch::len).sum();
    group.throughput(Throughput::Elements(spans as u64));
    let json: Vec<String> = some.iter().map(as_json).collect();
    group.bench_function("write json", |b| {
        b.iter(|| some.iter().map(|batch| as_json(batch).len()).sum::<usize>());
    });
    group.bench_function("json to protobuf", |b| {
        b.iter(|| {
            for json in &json {
                black_box(to_protobuf(json.as_bytes()).expect("good JSON"));
            }
        });
    });
    group.finish();
}

fn as_json(batch: &SpanBatch) -> String {
    let mut json = r#"{"resourceSpans":"#.to_owned();
    write_resource_spans(batch, IdStyle::Hex, &mut json);
    json.push('}');
    json
}

fn benches(c: &mut Criterion) {
    if let Some(requests) = recorded() {
        measure(c, "recorded", &requests);
    }
    measure(c, "synthetic", &[synthetic()]);
}

criterion_group!(decode_benches, benches);
criterion_main!(decode_benches);
