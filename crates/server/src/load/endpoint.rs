//! Where to send.

use http::Uri;

use crate::tls::{Speech, Tls, TlsArgs};

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    /// Protobuf over HTTP/1.1.
    Http,
    /// gRPC.
    Grpc,
}

/// The path of OTLP over HTTP where none is given.
const HTTP_PATH: &str = "/v1/traces";

/// The path of OTLP over gRPC.
const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// An address that takes OTLP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    /// Whether TLS is spoken.
    pub(crate) is_encrypted: bool,
    /// Host and port, as in the `Host` header.
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl Endpoint {
    /// The endpoint at a known address, without TLS.
    pub(crate) fn at(address: std::net::SocketAddr, protocol: Protocol) -> Self {
        let path = match protocol {
            Protocol::Http => HTTP_PATH,
            Protocol::Grpc => GRPC_PATH,
        };
        Self {
            protocol,
            is_encrypted: false,
            authority: address.to_string(),
            path: path.to_owned(),
        }
    }

    /// Parses a URL; `protocol` decides where the scheme leaves it open.
    ///
    /// # Errors
    /// When the text is no URL, has no host, or its scheme is not known or contradicts the protocol.
    pub(crate) fn parse(text: &str, protocol: Option<Protocol>) -> anyhow::Result<Self> {
        let uri: Uri = text
            .parse()
            .map_err(|err| anyhow::anyhow!("endpoint `{text}`: {err}"))?;
        let (scheme, is_encrypted) = match uri.scheme_str() {
            Some("http") => (None, false),
            Some("https") => (None, true),
            Some("grpc") => (Some(Protocol::Grpc), false),
            Some("grpcs") => (Some(Protocol::Grpc), true),
            Some(other) => anyhow::bail!(
                "endpoint `{text}`: scheme `{other}` is none of http, https, grpc and grpcs"
            ),
            None => {
                anyhow::bail!(
                    "endpoint `{text}`: expected http://host:port or grpc://host:port, or https:// or grpcs:// for TLS"
                )
            }
        };
        let protocol = match (scheme, protocol) {
            (Some(Protocol::Grpc), Some(Protocol::Http)) => {
                anyhow::bail!("endpoint `{text}`: the scheme says grpc, --protocol says http")
            }
            (scheme, protocol) => scheme.or(protocol).unwrap_or(Protocol::Http),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| anyhow::anyhow!("endpoint `{text}`: the host is missing"))?;
        let port = uri.port_u16().unwrap_or(match protocol {
            Protocol::Http => 4318,
            Protocol::Grpc => 4317,
        });
        let path = match (
            protocol,
            uri.path_and_query().map_or("/", |path| path.as_str()),
        ) {
            (Protocol::Http, "/") => HTTP_PATH.to_owned(),
            (Protocol::Http, path) => path.to_owned(),
            (Protocol::Grpc, "/") => GRPC_PATH.to_owned(),
            (Protocol::Grpc, path) => {
                anyhow::bail!("endpoint `{text}`: gRPC has no path such as `{path}`")
            }
        };
        Ok(Self {
            protocol,
            is_encrypted,
            authority: format!("{host}:{port}"),
            path,
        })
    }

    /// How TLS is spoken there, if it is.
    ///
    /// # Errors
    /// As [`Tls::new`].
    pub(crate) fn tls(&self, args: &TlsArgs) -> anyhow::Result<Option<Tls>> {
        let speech = match self.protocol {
            Protocol::Http => Speech::Http1,
            Protocol::Grpc => Speech::Http2,
        };
        let host = self.authority.rsplit_once(':').map_or("", |(host, _)| host);
        Tls::new(args, &self.to_string(), host, self.is_encrypted, speech)
    }

    /// The same over TLS: what is said to whoever should have asked for that.
    pub(crate) fn encrypted(&self) -> Self {
        Self {
            is_encrypted: true,
            ..self.clone()
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let s = if self.is_encrypted { "s" } else { "" };
        match self.protocol {
            Protocol::Http => write!(f, "http{s}://{}{}", self.authority, self.path),
            Protocol::Grpc => write!(f, "grpc{s}://{}", self.authority),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, protocol: Option<Protocol>, expected: &str) {
        let found = match Endpoint::parse(text, protocol) {
            Ok(endpoint) => endpoint.to_string(),
            Err(err) => err.to_string(),
        };
        assert!(
            found.contains(expected),
            "`{found}` does not contain `{expected}`"
        );
    }

    #[test]
    fn what_is_left_out_is_supplied() {
        check(
            "http://127.0.0.1:4318",
            None,
            "http://127.0.0.1:4318/v1/traces",
        );
        check("http://collector", None, "http://collector:4318/v1/traces");
        check(
            "http://[::1]:99/otlp/v1/traces?x=1",
            None,
            "http://[::1]:99/otlp/v1/traces?x=1",
        );
        check("http://host:1", Some(Protocol::Grpc), "grpc://host:1");
        check("grpc://host", None, "grpc://host:4317");
        check("https://host", None, "https://host:4318/v1/traces");
        check("https://host", Some(Protocol::Grpc), "grpcs://host:4317");
        check("grpcs://[::1]", None, "grpcs://[::1]:4317");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_reason() {
        check("localhost:4318", None, "expected http://host:port");
        check("ftp://x", None, "none of http, https, grpc and grpcs");
        check("grpcs://x", Some(Protocol::Http), "--protocol says http");
        check("grpc://x", Some(Protocol::Http), "--protocol says http");
        check("grpc://x/v1/traces", None, "no path");
    }
}
