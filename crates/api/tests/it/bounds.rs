//! What clients could hold open or fill up, and cannot.

use std::time::Duration;

use api::{Cors, Limits};
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::body::trace_bytes;
use crate::world::{World, limits};

/// Reads until the server closes the connection.
async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

const HEADERS: &str =
    "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let slow = Limits {
        body_time_max: Duration::from_millis(200),
        ..limits()
    };
    let world = World::with(slow, Cors::default()).await;
    let mut stream = TcpStream::connect(world.otlp).await.unwrap();
    stream
        .write_all(format!("{HEADERS}content-length: 1000\r\n\r\nabc").as_bytes())
        .await
        .unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.contains("did not arrive within 200ms"), "{answer}");
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_is_bounded_while_it_comes() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.otlp).await.unwrap();
    stream
        .write_all(
            format!("{HEADERS}connection: close\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes(),
        )
        .await
        .unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_too_much_gets_its_answer_when_it_has_sent_everything() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.otlp).await.unwrap();
    let length = (1 << 20) + 1;
    stream
        .write_all(
            format!("{HEADERS}connection: close\r\ncontent-length: {length}\r\n\r\n").as_bytes(),
        )
        .await
        .unwrap();
    stream.write_all(&vec![0; length]).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_together_are_bounded_and_senders_told_to_come_back() {
    let world = World::new().await;
    let mut holders = Vec::new();
    // Each announces as much as is allowed, and four fill what is allowed in all.
    for _ in 0..4 {
        let mut stream = TcpStream::connect(world.otlp).await.unwrap();
        stream
            .write_all(format!("{HEADERS}content-length: 1048576\r\n\r\n.").as_bytes())
            .await
            .unwrap();
        holders.push(stream);
    }
    let held = "throughline_request_bodies_held_bytes";
    while world.metric(held).await != Some(4_194_304.0) {
        tokio::task::yield_now().await;
    }
    let answer = world.send(trace_bytes()).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "1")
    );
    drop(holders);
    while world.metric(held).await != Some(0.0) {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_closes_a_connection_and_disturbs_nobody() {
    let world = World::new().await;
    for garbage in [
        &b"\x16\x03\x01\x00\x00 hello"[..],
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense nonsense",
    ] {
        let mut stream = TcpStream::connect(world.otlp).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        // Whether it is told why or just dropped, it ends.
        let _ = stream.read_to_end(&mut bytes).await;
    }
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_requests_finish_and_closes_idle_connections() {
    let world = World::new().await;
    let mut idle = TcpStream::connect(world.otlp).await.unwrap();
    idle.write_all(b"GET /v1/traces HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 405");

    let body = trace_bytes();
    let mut sending = TcpStream::connect(world.otlp).await.unwrap();
    let (first, rest) = body.split_at(10);
    sending
        .write_all(format!("{HEADERS}content-length: {}\r\n\r\n", body.len()).as_bytes())
        .await
        .unwrap();
    sending.write_all(first).await.unwrap();
    // The request has begun when its body is reserved for.
    while world.metric("throughline_request_bodies_held_bytes").await == Some(0.0) {
        tokio::task::yield_now().await;
    }
    world.stop.cancel();
    read_all(&mut idle).await;
    sending.write_all(rest).await.unwrap();
    assert!(read_all(&mut sending).await.starts_with("HTTP/1.1 200"));
    assert!(
        TcpStream::connect(world.otlp).await.is_err(),
        "nobody listens any more"
    );
}
