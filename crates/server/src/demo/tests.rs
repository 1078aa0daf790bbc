//! The demo against two small receivers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{Clock, DurationNanos, UnixNanos};
use tokio_util::sync::CancellationToken;

use super::{Demo, DemoTarget, Pace};
use crate::load::tests::sink::{Manner, Sink};

const NOW: i64 = 1_800_000_000_000_000_000;

/// A clock on which half a second passes each time that it is looked at.
#[derive(Debug)]
struct Hurried(AtomicI64);

impl Clock for Hurried {
    fn now(&self) -> UnixNanos {
        UnixNanos(self.0.fetch_add(500_000_000, Ordering::Relaxed))
    }
}

struct Stage {
    http: Arc<Sink>,
    grpc: Arc<Sink>,
    target: DemoTarget,
}

impl Stage {
    async fn set(manner: Manner) -> Self {
        let (http, http_address) = Sink::listen(manner, false).await;
        let (grpc, grpc_address) = Sink::listen(manner, true).await;
        Self {
            http,
            grpc,
            target: DemoTarget {
                http: http_address,
                grpc: grpc_address,
                page_url: "http://127.0.0.1:3200".to_owned(),
            },
        }
    }

    fn demo(&self) -> Demo {
        let pace = Pace {
            history: DurationNanos::from_secs(400),
            tick: Duration::from_millis(5),
            attempts: 3,
        };
        Demo::new(&self.target, pace, Arc::new(Hurried(AtomicI64::new(NOW))))
    }

    fn spans(&self) -> usize {
        [&self.http, &self.grpc]
            .iter()
            .flat_map(|sink| sink.spans())
            .map(|batch| batch.len())
            .sum()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_arrives_whole_over_both_protocols() {
    let stage = Stage::set(Manner::Accept).await;
    let mut demo = stage.demo();
    demo.send_history().await.unwrap();
    let mut services = HashSet::new();
    let mut ids = HashSet::new();
    for sink in [&stage.http, &stage.grpc] {
        let batches = sink.spans();
        assert!(batches.len() > 10);
        for batch in &batches {
            for span in &batch.spans {
                services.insert(batch.service(span).to_owned());
                assert!(ids.insert(span.span_id));
                assert!(
                    span.end().0 <= NOW + 2_000_000_000 && span.start.0 > NOW - 401_000_000_000
                );
            }
        }
    }
    assert!(ids.len() > 4_000, "{}", ids.len());
    assert!(services.len() >= 20, "{services:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_spans_are_sent_again() {
    let stage = Stage::set(Manner::Refuse).await;
    let mut demo = stage.demo();
    demo.pace.history = DurationNanos::from_secs(60);
    demo.maker.made_until = UnixNanos(NOW - 60_000_000_000);
    demo.send_history().await.unwrap();
    let accepted = demo.exporters.counts.accepted_spans.load(Ordering::Relaxed);
    assert!(accepted > 500);
    assert_eq!(stage.spans() as u64, accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_printed_and_live_traffic_follows_until_cancelled() {
    let stage = Stage::set(Manner::Accept).await;
    let cancel = CancellationToken::new();
    let demo = stage.demo();
    let task = tokio::spawn({
        let cancel = cancel.clone();
        async move {
            let mut out = Vec::new();
            tokio::select! {
                () = cancel.cancelled() => {}
                ended = demo.run("http://127.0.0.1:3200", &mut out) => ended.unwrap(),
            }
            String::from_utf8(out).unwrap()
        }
    });
    let newest = || {
        let batches = stage.http.spans();
        batches
            .iter()
            .flat_map(|batch| &batch.spans)
            .map(|span| span.end().0)
            .max()
            .unwrap_or(0)
    };
    // Until traffic of the time after the history has come.
    while newest() < NOW + 5_000_000_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cancel.cancel();
    let printed = task.await.unwrap();
    assert!(printed.contains("http://127.0.0.1:3200\n"), "{printed}");
    assert!(printed.contains("spans of 25 services"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_nothing_is_told() {
    let stage = Stage::set(Manner::HangUp).await;
    let mut demo = stage.demo();
    demo.pace.history = DurationNanos::from_secs(1);
    demo.maker.made_until = UnixNanos(NOW - 1_000_000_000);
    let err = demo
        .run("http://page", &mut Vec::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        err.starts_with("the server took nothing of the demo's history: connection"),
        "{err}"
    );
}
