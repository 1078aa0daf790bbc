//! Which web pages may call from a browser.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Cross-origin rules of the OTLP/HTTP surface. Without origins, browsers on other pages are refused.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    /// Origins such as `https://shop.example.com`, `https://*.example.com`, or `*` for all.
    pub allowed_origins: Vec<String>,
    /// How long a browser may remember the permission.
    pub max_age: Duration,
}

impl Cors {
    /// Whether this is a pattern of origins: `*`, or a scheme and a host with at most one `*`, as browsers send them, without a path.
    pub fn is_pattern(text: &str) -> bool {
        if text == "*" {
            return true;
        }
        let Some((scheme, host)) = text.split_once("://") else {
            return false;
        };
        let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]*".contains(c);
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(is_of_scheme)
            && !host.is_empty()
            && host.chars().all(is_of_host)
            && text.matches('*').count() <= 1
    }

    /// The rules as a layer; `None` when no origin is allowed.
    pub(crate) fn layer(&self) -> Option<CorsLayer> {
        if self.allowed_origins.is_empty() {
            return None;
        }
        let origins = self.allowed_origins.clone();
        // Credentials are never allowed, so mirroring what is asked for gives nothing away.
        Some(
            CorsLayer::new()
                .allow_origin(AllowOrigin::predicate(move |origin: &HeaderValue, _| {
                    origins
                        .iter()
                        .any(|pattern| matches(pattern, origin.as_bytes()))
                }))
                .allow_methods([Method::POST])
                .allow_headers(AllowHeaders::mirror_request())
                .expose_headers([RETRY_AFTER])
                .max_age(self.max_age),
        )
    }
}

/// Whether the origin fits the pattern, in which one `*` stands for any characters.
fn matches(pattern: &str, origin: &[u8]) -> bool {
    let origin = origin.to_ascii_lowercase();
    let pattern = pattern.to_ascii_lowercase();
    match pattern.split_once('*') {
        None => origin == pattern.as_bytes(),
        Some((start, end)) => {
            origin.len() >= start.len() + end.len()
                && origin.starts_with(start.as_bytes())
                && origin.ends_with(end.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn an_origin_is_matched_whole() {
        assert!(matches("*", b"https://a.example"));
        assert!(matches(
            "https://*.example.com",
            b"https://Shop.example.com"
        ));
        assert!(!matches("https://*.example.com", b"https://example.com"));
        assert!(!matches(
            "https://*.example.com",
            b"https://shop.example.com.evil.net"
        ));
        assert!(matches("http://localhost:5173", b"http://localhost:5173"));
        assert!(!matches("http://localhost:5173", b"http://localhost:51730"));
    }
}
