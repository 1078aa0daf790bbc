//! The page: files of `ui/dist`, embedded at build time, compressed once, and cached by browsers for ever where their name
//! carries a hash of their content.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use rust_embed::RustEmbed;

use crate::grpc::{speaks_grpc, unknown_method};
use crate::web::failure::Failure;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";

/// Shown instead of the page when the server was built without it.
const NOTICE: &str = include_str!("page_missing.html");

/// Where the page's build puts files whose names carry a hash of their content.
const HASHED_FOLDER: &str = "assets/";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// The page loads nothing from elsewhere. Styles may be set inline, which the waterfall does for every bar.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    worker-src 'self' blob:; object-src 'none'; base-uri 'self'";

/// Files below this size gain nothing from compression.
const COMPRESS_BYTES_MIN: usize = 512;

/// Slow and small: each file is compressed once in the life of the process.
const ZSTD_LEVEL: i32 = 19;

/// Answers everything that is not an API.
pub(crate) async fn serve(request: Request) -> Response<Body> {
    if speaks_grpc(request.headers()) {
        return unknown_method(request.uri().path());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Failure::method_not_allowed("GET, HEAD").into_response();
    }
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let missing = Failure::not_found(format!("nothing is served at `/{path}`"));
    if path == "api" || path.starts_with("api/") {
        return missing.into_response();
    }
    // The first request for a file compresses it, which takes a while.
    match tokio::task::spawn_blocking(move || find(&path)).await {
        Ok(Some(file)) => answer(&file, request.headers()),
        Ok(None) => missing.into_response(),
        Err(_) => Failure::internal("the page cannot be read").into_response(),
    }
}

/// The file at a path; the index for the root and for paths that only the page's own routing knows.
fn find(path: &str) -> Option<Arc<File>> {
    if let Some(file) = load(path) {
        return Some(file);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let names_a_file = last.contains('.') || path.starts_with(HASHED_FOLDER);
    if names_a_file {
        return None;
    }
    Some(load(INDEX).unwrap_or_else(|| Arc::new(File::notice())))
}

/// A file in every form that it is served in.
struct File {
    content_type: HeaderValue,
    etag: String,
    cache_control: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    zstd: Option<Bytes>,
}

/// Compresses all files, so that nobody's first visit waits for it: up to a second of one processor.
pub fn prepare() {
    for path in Files::iter() {
        load(&path);
    }
}

/// Files that were asked for, by path. As many as are embedded, at most.
static LOADED: LazyLock<Mutex<HashMap<String, Arc<File>>>> = LazyLock::new(Mutex::default);

fn load(path: &str) -> Option<Arc<File>> {
    let embedded = Files::get(path)?;
    let etag = hex(&embedded.metadata.sha256_hash()[..16]);
    let loaded = || LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    // Builds for development read the file anew each time, so it may have changed.
    let known = loaded().get(path).filter(|file| file.etag == etag).cloned();
    if known.is_some() {
        return known;
    }
    let plain = match embedded.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    // Without the lock: others need other files meanwhile. Two who ask for the same at once both compress it.
    let file = Arc::new(File::new(path, embedded.metadata.mimetype(), etag, plain));
    loaded().insert(path.to_owned(), Arc::clone(&file));
    Some(file)
}

impl File {
    fn new(path: &str, mime: &str, etag: String, plain: Bytes) -> Self {
        let is_text = mime.starts_with("text/")
            || ["javascript", "json", "svg", "wasm", "manifest"]
                .iter()
                .any(|kind| mime.contains(kind));
        let shrinks = is_text && plain.len() >= COMPRESS_BYTES_MIN;
        let content_type = match mime {
            "text/html" | "text/css" | "text/javascript" | "text/plain" => {
                HeaderValue::from_str(&format!("{mime}; charset=utf-8"))
            }
            _ => HeaderValue::from_str(mime),
        };
        Self {
            content_type: content_type
                .unwrap_or(HeaderValue::from_static("application/octet-stream")),
            etag,
            cache_control: if path.starts_with(HASHED_FOLDER) {
                FOR_EVER
            } else {
                ASK_AGAIN
            },
            gzip: if shrinks { gzip(&plain) } else { None },
            zstd: if shrinks { zstd(&plain) } else { None },
            plain,
        }
    }

    fn notice() -> Self {
        Self::new(
            INDEX,
            "text/html",
            "notice".into(),
            Bytes::from_static(NOTICE.as_bytes()),
        )
    }
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn zstd(plain: &[u8]) -> Option<Bytes> {
    zstd::bulk::compress(plain, ZSTD_LEVEL)
        .ok()
        .map(Bytes::from)
}

fn answer(file: &File, request: &HeaderMap) -> Response<Body> {
    let (suffix, encoding, bytes) = match (&file.zstd, &file.gzip) {
        (Some(bytes), _) if accepts(request, "zstd") => ("-zstd", Some("zstd"), bytes),
        (_, Some(bytes)) if accepts(request, "gzip") => ("-gzip", Some("gzip"), bytes),
        _ => ("", None, &file.plain),
    };
    let etag = format!("\"{}{suffix}\"", file.etag);
    let is_known = request
        .get_all(IF_NONE_MATCH)
        .iter()
        .any(|value| value.to_str().is_ok_and(|tags| tags.contains(&etag)));
    let mut response = Response::new(if is_known {
        Body::empty()
    } else {
        Body::from(bytes.clone())
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, file.content_type.clone());
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if let Some(encoding) = encoding {
        set(headers, CONTENT_ENCODING, encoding);
    }
    set(headers, VARY, "accept-encoding");
    set(headers, CACHE_CONTROL, file.cache_control);
    set(headers, CONTENT_SECURITY_POLICY, POLICY);
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "same-origin");
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// Whether `Accept-Encoding` names the coding and does not give it the quality 0.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|entry| {
            let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let quality = parameters
                .trim()
                .strip_prefix("q=")
                .and_then(|q| q.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(coding) && quality != Some(0.0)
        })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into memory cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_coding_is_accepted_by_name_and_quality() {
        assert!(accepts(
            &headers(ACCEPT_ENCODING, "gzip, deflate, br, zstd"),
            "zstd"
        ));
        assert!(accepts(&headers(ACCEPT_ENCODING, "gzip;q=0.5"), "gzip"));
        assert!(!accepts(&headers(ACCEPT_ENCODING, "gzip;q=0"), "gzip"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn a_file_is_served_compressed_and_not_again_when_known() {
        let text = "all work and no play ".repeat(100);
        let file = File::new(
            "assets/a-1.js",
            "text/javascript",
            "tag".into(),
            Bytes::from(text),
        );
        let response = answer(&file, &headers(ACCEPT_ENCODING, "gzip"));
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        assert_eq!(response.headers()[CACHE_CONTROL], FOR_EVER);

        let mut known = headers(ACCEPT_ENCODING, "gzip");
        known.insert(IF_NONE_MATCH, response.headers()[ETAG].clone());
        assert_eq!(answer(&file, &known).status(), StatusCode::NOT_MODIFIED);
        known.remove(ACCEPT_ENCODING);
        assert_eq!(
            answer(&file, &known).status(),
            StatusCode::OK,
            "another representation"
        );
    }

    #[test]
    fn what_was_prepared_is_compressed_once() {
        prepare();
        let (one, other) = (find("").unwrap(), find("trace/ab").unwrap());
        assert!(Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn only_paths_of_the_page_fall_back_to_the_index() {
        assert!(find("").is_some());
        assert!(find("trace/0af7651916cd43dd8448eb211c80319c").is_some());
        assert!(find("assets/gone-123.js").is_none());
        assert!(find("missing.png").is_none());
    }
}
