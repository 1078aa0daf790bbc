//! The whole generator against a small receiver in the same process.

pub(crate) mod sink;

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use model::{Clock, SpanBatch, SpanId, TraceId, UnixNanos};
use tokio::net::TcpListener;

use super::corpus::Corpus;
use super::patch::{Index, Shift};
use super::report::Report;
use super::settings::Settings;
use super::{LoadArgs, measure};
use sink::{Manner, Sink};

/// The time of every test: no test sees the machine's clock.
const NOW: UnixNanos = UnixNanos(1_800_000_000_000_000_000);

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> UnixNanos {
        NOW
    }
}

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    load: LoadArgs,
}

fn settings(line: &str) -> Settings {
    let words = std::iter::once("load").chain(line.split_whitespace());
    Settings::new(Line::parse_from(words).load).unwrap()
}

/// Runs the load against a sink of this manner; `line` without the endpoint.
async fn run(manner: Manner, grpc: bool, line: &str) -> (Arc<Sink>, serde_json::Value) {
    let (sink, address) = Sink::listen(manner, grpc).await;
    let scheme = if grpc { "grpc" } else { "http" };
    let settings = settings(&format!(
        "--endpoint {scheme}://{address} --json --seed 5 {line}"
    ));
    let report: Report = measure(settings, Arc::new(Fixed)).await.unwrap();
    (sink, serde_json::to_value(&report).unwrap())
}

/// No span came twice, and every parent is there.
fn check_whole(batches: &[SpanBatch]) -> u64 {
    let mut ids: HashMap<TraceId, HashSet<SpanId>> = HashMap::new();
    let mut spans = 0;
    for span in batches.iter().flat_map(|batch| &batch.spans) {
        assert!(
            ids.entry(span.trace_id).or_default().insert(span.span_id),
            "{span:?} came twice"
        );
        spans += 1;
    }
    for span in batches.iter().flat_map(|batch| &batch.spans) {
        assert!(
            span.is_root() || ids[&span.trace_id].contains(&span.parent_span_id),
            "{span:?}"
        );
    }
    spans
}

#[tokio::test(flavor = "multi_thread")]
async fn repetitions_have_their_own_ids_and_keep_their_traces_whole() {
    for (grpc, compression) in [
        (false, "none"),
        (true, "none"),
        (false, "gzip"),
        (true, "zstd"),
    ] {
        let line = format!(
            "--shop-spans 3000 --spans-per-request 100 --limit-spans 8000 --connections 3 --threads 2 --compression {compression}"
        );
        let (sink, report) = run(Manner::Accept, grpc, &line).await;
        let corpus = report["corpus"]["spans"].as_u64().unwrap();
        let batches = sink.spans();
        let accepted = report["spans"]["accepted"].as_u64().unwrap();
        assert!((8_000..8_100).contains(&accepted), "{report}");
        let received: usize = batches.iter().map(SpanBatch::len).sum();
        assert_eq!(received as u64, accepted);
        // The last repetition is not complete, so that parents may be missing there.
        let unique: HashSet<_> = batches
            .iter()
            .flat_map(|batch| &batch.spans)
            .map(|span| (span.trace_id, span.span_id))
            .collect();
        assert_eq!(unique.len() as u64, accepted);
        assert!(accepted > 2 * corpus, "more than two repetitions");
        assert_eq!(report["requests"].as_u64().unwrap() as usize, batches.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_repetition_has_every_parent_and_ends_at_the_present() {
    let source = "--shop-spans 4000 --seed 5";
    let spans = Corpus::load(&settings(source)).unwrap().size().spans;
    let line = format!("--shop-spans 4000 --limit-spans {spans}");
    let (sink, report) = run(Manner::Accept, true, &line).await;
    let batches = sink.spans();
    assert_eq!(
        check_whole(&batches),
        report["corpus"]["spans"].as_u64().unwrap()
    );
    let ends = batches
        .iter()
        .flat_map(|batch| &batch.spans)
        .map(model::SpanRow::end);
    assert_eq!(ends.max(), Some(NOW));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_replay_sends_the_bytes_of_the_file() {
    let mut shop = shop::Shop::new(3, NOW);
    let bodies: Vec<Vec<u8>> = (0..20)
        .map(|_| shop::encode(&shop.visit(NOW).services))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut encoder = zstd::Encoder::new(file.as_file(), 1).unwrap();
    for body in &bodies {
        encoder
            .write_all(&(body.len() as u32).to_le_bytes())
            .unwrap();
        encoder.write_all(body).unwrap();
    }
    encoder.finish().unwrap();
    let spans: u64 = bodies
        .iter()
        .map(|body| Index::of(body).unwrap().spans)
        .sum();
    let line = format!(
        "--file {} --replay-exact --connections 1 --limit-spans {spans}",
        file.path().display()
    );
    let (sink, _) = run(Manner::Accept, false, &line).await;
    assert_eq!(sink.seen.lock().bodies, bodies);

    // A file that was cut is told with the place.
    let bytes = std::fs::read(file.path()).unwrap();
    std::fs::write(file.path(), &bytes[..bytes.len() / 2]).unwrap();
    let settings = settings(&format!("--file {}", file.path().display()));
    let err = format!("{:#}", Corpus::load(&settings).unwrap_err());
    assert!(err.contains("message "), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejections_refusals_and_failures_are_told_apart() {
    let line = "--shop-spans 2000 --limit-spans 2000 --connections 2";
    for grpc in [false, true] {
        let (_, report) = run(Manner::Reject, grpc, line).await;
        assert_eq!(
            report["spans"]["rejected"], report["requests"],
            "one in each"
        );
        assert_eq!(report["rejected"]["example"], "the first one is odd");

        let (_, report) = run(Manner::Refuse, grpc, line).await;
        let kind = if grpc { "UNAVAILABLE" } else { "503" };
        let refused = &report["refused"][kind];
        assert_eq!(refused["example"], "too busy", "{report}");
        let counted =
            refused["spans"].as_u64().unwrap() + report["spans"]["accepted"].as_u64().unwrap();
        assert_eq!(report["spans"]["not_taken"], refused["spans"]);
        assert!(counted >= 2_000);
    }
    let (sink, report) = run(
        Manner::HangUp,
        false,
        "--shop-spans 100 --limit-spans 100 --connections 1",
    )
    .await;
    assert_eq!(
        report["failed"]["connection"]["requests"].as_u64(),
        Some(sink.seen.lock().requests as u64),
        "{report}"
    );
    assert_eq!(report["spans"]["accepted"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalling_server_is_charged_for_the_requests_that_it_kept_waiting() {
    // Ten requests are due within 100 ms, and each takes 50 ms: the last waits for all before it.
    let line =
        "--shop-spans 5000 --spans-per-request 10 --rate 1000 --limit-spans 100 --connections 1";
    let (sink, report) = run(Manner::Stall(Duration::from_millis(50)), false, line).await;
    let requests = sink.seen.lock().requests;
    assert!(requests >= 10, "{requests}");
    let max = report["latency_ms"]["max"].as_f64().unwrap();
    assert!(
        max > 50.0 * (requests as f64 - 1.0) - 100.0,
        "{max} ms after {requests} requests"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_sent_and_nobody_listening_is_told_at_once() {
    let (sink, _) = run(
        Manner::Accept,
        false,
        "--shop-spans 10 --limit-spans 1 --header X-Scope-OrgID:acme",
    )
    .await;
    assert_eq!(sink.seen.lock().headers["x-scope-orgid"], "acme");

    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let settings = settings(&format!("--endpoint http://{free} --shop-spans 10 --json"));
    let err = format!(
        "{:#}",
        measure(settings, Arc::new(Fixed)).await.unwrap_err()
    );
    assert!(
        err.contains(&format!("cannot connect to http://{free}/v1/traces")),
        "{err}"
    );
}

#[test]
fn shifting_there_and_back_gives_the_same_bytes() {
    let mut rng = shop::Rng::new(9);
    for (name, group) in shop::edge::all(&mut rng, NOW) {
        let original = shop::encode([&group]);
        let index = Index::of(&original).unwrap();
        let first = Shift {
            trace_mask: [rng.bits(), rng.bits()],
            span_mask: rng.bits(),
            nanos: rng.bits(),
        };
        let second = Shift {
            nanos: 0u64.wrapping_sub(77),
            ..first
        };
        let mut body = original.clone();
        index.apply(&mut body, Shift::default().to(first));
        assert_ne!(body, original, "{name}");
        index.apply(&mut body, first.to(second));
        index.apply(&mut body, second.to(Shift::default()));
        assert_eq!(body, original, "{name}");
    }
}

#[test]
fn every_id_and_time_is_shifted_and_nothing_else() {
    let group = shop::edge::every_field(&mut shop::Rng::new(10), NOW);
    let mut body = shop::encode([&group]);
    let index = Index::of(&body).unwrap();
    assert_eq!(
        (index.spans, index.latest_end),
        (1, group.spans[0].end.0 as u64)
    );
    let shift = Shift {
        trace_mask: [u64::MAX, u64::MAX],
        span_mask: u64::MAX,
        nanos: 1_000,
    };
    index.apply(&mut body, shift);

    let mut expected = group;
    let span = &mut expected.spans[0];
    for id in [&mut span.trace_id, &mut span.links[0].trace_id] {
        *id = TraceId(id.0.map(|byte| !byte));
    }
    for id in [
        &mut span.span_id,
        &mut span.parent_span_id,
        &mut span.links[0].span_id,
    ] {
        *id = SpanId(id.0.map(|byte| !byte));
    }
    for time in [&mut span.start, &mut span.end, &mut span.events[0].time] {
        time.0 += 1_000;
    }
    assert_eq!(body, shop::encode([&expected]));
}

#[test]
fn ids_that_mean_none_stay_so() {
    let original = shop::edge::malformed::ids(&[0; 16], &[1, 2, 3], &[0; 8]);
    let mut body = original.clone();
    Index::of(&body).unwrap().apply(
        &mut body,
        Shift {
            trace_mask: [u64::MAX, u64::MAX],
            span_mask: u64::MAX,
            nanos: 0,
        },
    );
    assert_eq!(body, original);
    assert!(
        Index::of(&shop::edge::malformed::truncated(
            &mut shop::Rng::new(1),
            NOW,
            500
        ))
        .is_err()
    );
}
