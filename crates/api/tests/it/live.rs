//! Searches that are followed, as server-sent events.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::body::{TRACE_ID, request_of, span, trace_bytes};
use crate::query::encoded;
use crate::world::World;

use prost::Message as _;

/// How long an event may take on a busy machine; mostly it is there at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that follows a search.
struct Follower {
    stream: TcpStream,
    read: String,
}

impl Follower {
    async fn of(world: &World, query: &str) -> Self {
        let mut stream = TcpStream::connect(world.web).await.unwrap();
        let path = format!("/api/v1/search/live?q={}", encoded(query));
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = String::new();
        Self { stream, read }
    }

    /// Reads until `text` came, and takes everything up to its end.
    async fn until(&mut self, text: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.read.find(text) {
                    let rest = self.read.split_off(at + text.len());
                    return std::mem::replace(&mut self.read, rest);
                }
                let mut bytes = [0; 4096];
                let count = self.stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "ended after: {}", self.read);
                self.read
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap()
    }

    /// The data of the next event.
    async fn event(&mut self, name: &str) -> Value {
        self.until(&format!("event: {name}\ndata: ")).await;
        let data = self.until("\n").await;
        serde_json::from_str(&data).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_matches_are_sent_as_they_come_and_once() {
    let world = World::new().await;
    let mut follower = Follower::of(&world, "{ name = \"operation 2\" }").await;
    let head = follower.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(
        follower.event("traces").await["traces"]
            .as_array()
            .unwrap()
            .len(),
        0
    );

    let first = request_of("shop", vec![span(1)]).encode_to_vec();
    assert_eq!(world.send(first).await.status, StatusCode::OK);
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
    let told = follower.event("traces").await;
    assert_eq!(told["leftOut"], false);
    assert_eq!(told["traces"][0]["traceId"], TRACE_ID);
    assert_eq!(told["traces"][0]["matched"], 1);
    // It has grown, so it is told again.
    let more = request_of("shop", vec![span(4)]).encode_to_vec();
    assert_eq!(world.send(more).await.status, StatusCode::OK);
    while follower.event("traces").await["traces"][0]["spanCount"] != 4 {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_run_is_refused_at_once() {
    let world = World::new().await;
    let answer = world.get("/api/v1/search/live?q=%7B").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer.text().starts_with("invalid TraceQL query"),
        "{}",
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_bounded_and_leave_their_place() {
    let world = World::new().await;
    let mut followers = Vec::new();
    for _ in 0..16 {
        let mut follower = Follower::of(&world, "{ }").await;
        follower.until("HTTP/1.1 200").await;
        followers.push(follower);
    }
    let answer = world.get("/api/v1/search/live").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.text().starts_with("16 live searches are open"),
        "{}",
        answer.text()
    );

    drop(followers);
    let admitted = async {
        loop {
            let mut follower = Follower::of(&world, "{ }").await;
            if follower.until("\r\n").await.contains(" 200 ") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, admitted).await.unwrap();
}
