//! The store on S3 over HTTP: a server that speaks as much of the protocol as is used, and is strict about it.
//!
//! It knows one bucket. Puts that must not overwrite are atomic, as on the real thing; parts of an upload appear when it is
//! completed. Signatures are not checked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use parking_lot::Mutex;
use store::{Store, open_object_store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    HOUR, TestClock, block_of, made, quick_config, tell_all, tell_sent, tell_trace, trace,
};
use model::Clock as _;

const BUCKET: &str = "/traces";

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    refused_creations: u64,
}

struct Request {
    method: String,
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn answer(status: &'static str, body: impl Into<Vec<u8>>) -> Answer {
    let stamp = "Sat, 21 Nov 2026 09:00:00 GMT".to_owned();
    Answer {
        status,
        headers: vec![("ETag", "\"e\"".to_owned()), ("Last-Modified", stamp)],
        body: body.into(),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&digits, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The next request of a connection; `None` at its end.
async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?);
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty());
    let query = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), decoded(value)));
    let key = decoded(path.strip_prefix(BUCKET)?);
    Some(Request {
        method,
        key: key.trim_start_matches('/').to_owned(),
        query: query.collect(),
        headers,
        body,
    })
}

fn serve(bucket: &Mutex<Bucket>, request: Request) -> Answer {
    let bucket = &mut *bucket.lock();
    let upload = request.query.get("uploadId").cloned();
    match (request.method.as_str(), upload) {
        ("POST", None) if request.query.contains_key("uploads") => {
            let id = (bucket.uploads.len() + 1).to_string();
            bucket.uploads.insert(id.clone(), BTreeMap::new());
            let xml = format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            );
            answer("200 OK", xml)
        }
        ("PUT", Some(id)) => {
            let number = request.query["partNumber"].parse().unwrap();
            let parts = bucket.uploads.get_mut(&id).unwrap();
            parts.insert(number, request.body);
            answer("200 OK", "")
        }
        ("POST", Some(id)) => {
            let parts = bucket.uploads.remove(&id).unwrap();
            let (_, all_but_last) = parts
                .values()
                .collect::<Vec<_>>()
                .split_last()
                .map(|(last, rest)| (*last, rest.to_vec()))
                .unwrap();
            assert!(all_but_last.iter().all(|part| part.len() >= 5 << 20));
            bucket
                .objects
                .insert(request.key, parts.into_values().flatten().collect());
            answer(
                "200 OK",
                "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
            )
        }
        ("DELETE", Some(id)) => {
            bucket.uploads.remove(&id);
            answer("204 No Content", "")
        }
        ("POST", None) => {
            let xml = String::from_utf8(request.body).unwrap();
            let mut deleted = String::new();
            for part in xml.split("<Key>").skip(1) {
                let (key, _) = part.split_once("</Key>").unwrap();
                bucket.objects.remove(key);
                write!(deleted, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
            }
            answer("200 OK", format!("<DeleteResult>{deleted}</DeleteResult>"))
        }
        ("PUT", None) => {
            let create = request.headers.get("if-none-match").map(String::as_str) == Some("*");
            if create && bucket.objects.contains_key(&request.key) {
                bucket.refused_creations += 1;
                return answer(
                    "412 Precondition Failed",
                    "<Error><Code>PreconditionFailed</Code></Error>",
                );
            }
            bucket.objects.insert(request.key, request.body);
            answer("200 OK", "")
        }
        ("GET", None) if request.key.is_empty() => list(bucket, &request.query["prefix"]),
        ("GET" | "HEAD", None) => match bucket.objects.get(&request.key) {
            Some(object) => part_of(object, request.headers.get("range")),
            None => answer("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"),
        },
        other => panic!("not foreseen: {other:?}"),
    }
}

fn list(bucket: &Bucket, prefix: &str) -> Answer {
    let mut xml = String::from("<ListBucketResult>");
    for (key, object) in &bucket.objects {
        if key.starts_with(prefix) {
            let size = object.len();
            write!(xml, "<Contents><Key>{key}</Key><Size>{size}</Size><LastModified>2026-11-21T09:00:00.000Z</LastModified></Contents>").unwrap();
        }
    }
    xml.push_str("</ListBucketResult>");
    answer("200 OK", xml)
}

fn part_of(object: &[u8], range: Option<&String>) -> Answer {
    let Some(range) = range else {
        return answer("200 OK", object);
    };
    let (first, last) = range
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    if first >= object.len() {
        return answer("416 Range Not Satisfiable", "");
    }
    let last = last.min(object.len() - 1);
    let mut part = answer("206 Partial Content", &object[first..=last]);
    let place = format!("bytes {first}-{last}/{}", object.len());
    part.headers.push(("Content-Range", place));
    part
}

async fn connection(mut stream: TcpStream, bucket: Arc<Mutex<Bucket>>) {
    while let Some(request) = receive(&mut stream).await {
        let head_only = request.method == "HEAD";
        let Answer {
            status,
            headers,
            body,
        } = serve(&bucket, request);
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if !head_only {
            bytes.extend(body);
        }
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_on_s3_adds_finds_compacts_and_tidies() {
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap();
    let server = tokio::spawn({
        let bucket = bucket.clone();
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, bucket.clone()));
            }
        }
    });
    let options = format!("endpoint=http://{place}&region=nowhere&anonymous=true");
    let address = format!("s3://traces/some/place?{options}");
    let clock = TestClock::new();
    let open = async || {
        let (object_store, root) = open_object_store(&address).unwrap();
        let mut config = quick_config();
        config.root = root;
        Store::open(config, object_store, clock.clone())
            .await
            .unwrap()
    };
    let stores = [open().await, open().await];
    let mut all = Vec::new();
    let added = (0..8).map(|number| {
        let spans = trace(number, 10, clock.now());
        all.extend(spans.clone());
        let (store, clock) = (stores[number as usize % 2].clone(), clock.clone());
        async move { store.add(block_of(&spans, made(clock.now()))).await }
    });
    for result in futures::future::join_all(added.collect::<Vec<_>>()).await {
        result.unwrap();
    }
    assert!(bucket.lock().refused_creations > 0, "nobody raced");
    stores[0].refresh().await.unwrap();
    stores[0].compact_now().await.unwrap().unwrap();
    let expected = tell_sent(&trace(5, 10, model::UnixNanos(all[0].start)));
    assert_eq!(tell_trace(&open().await, 5).await, (expected, vec![]));
    clock.advance(HOUR);
    assert_eq!(stores[0].collect_garbage().await.unwrap().removed_blocks, 8);
    let store = open().await;
    assert_eq!(tell_all(&store).await, tell_sent(&all));
    let keys: Vec<String> = bucket.lock().objects.keys().cloned().collect();
    assert_eq!(keys.iter().filter(|key| key.contains("/class=")).count(), 4);
    assert!(
        keys.iter()
            .all(|key| key.starts_with("some/place/tenant=acme/"))
    );
    assert!(bucket.lock().uploads.is_empty());
    server.abort();
}
