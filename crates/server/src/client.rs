//! Questions to a running server over its HTTP API.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::header::ACCEPT;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;

/// The largest answer that is taken: a trace of a million spans is about this.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// Servers give up on a question before.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which server.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// The server, as its page is reached
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:3200",
        env = "THROUGHLINE_ADDRESS"
    )]
    pub(crate) address: String,
}

/// A client of one server.
pub(crate) struct Client {
    http: HttpClient<HttpConnector, Empty<Bytes>>,
    base: String,
}

impl Client {
    /// A client of the server at a URL.
    ///
    /// # Errors
    /// When it is not one, or asks for TLS.
    pub(crate) fn new(server: &ServerArgs) -> anyhow::Result<Self> {
        let base = server.address.trim_end_matches('/');
        let base = match base.contains("://") {
            true => base.to_owned(),
            false => format!("http://{base}"),
        };
        let uri: Uri = base
            .parse()
            .with_context(|| format!("--address: `{base}` is not a URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => bail!(
                "--address: TLS is not spoken here; ask a plain listener, or through a local proxy"
            ),
            _ => bail!("--address: `{base}` is not an http:// URL"),
        }
        Ok(Self {
            http: HttpClient::builder(TokioExecutor::new()).build_http(),
            base,
        })
    }

    /// The answer to a question, as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        params: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let body = self.get(path, params, "application/json").await?;
        serde_json::from_slice(&body).with_context(|| format!("cannot read the answer of {path}"))
    }

    /// The answer to a question. Parameters without a value are left out.
    ///
    /// # Errors
    /// When nobody answers, or the answer is a refusal: then its words.
    pub(crate) async fn get(
        &self,
        path: &str,
        params: &[(&str, &str)],
        accept: &'static str,
    ) -> anyhow::Result<Bytes> {
        let asked = self.ask(path, params, accept);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => answer,
            Err(_) => bail!("no answer from {} within {PATIENCE:?}", self.base),
        }
    }

    async fn ask(
        &self,
        path: &str,
        params: &[(&str, &str)],
        accept: &'static str,
    ) -> anyhow::Result<Bytes> {
        let mut address = format!("{}{path}", self.base);
        let given = params.iter().filter(|(_, value)| !value.is_empty());
        for (position, (name, value)) in given.enumerate() {
            address.push(if position == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            push_encoded(&mut address, value);
        }
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = address.parse().context("the question is too long")?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(accept));
        let response = match self.http.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => bail!(
                "no server answers at {}; start one with `throughline serve`, or name one with --address",
                self.base
            ),
            Err(error) => bail!("asking {} failed: {error}", self.base),
        };
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(error) => bail!("cannot read the answer of {}: {error}", self.base),
        };
        if status != StatusCode::OK {
            let words = String::from_utf8_lossy(&body);
            match words.trim_end() {
                "" => bail!("{} answered {status}", self.base),
                words => bail!("{words}"),
            }
        }
        Ok(body)
    }
}

/// Appends a value of a parameter.
fn push_encoded(address: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                address.push(char::from(byte));
            }
            // Writing into memory cannot fail.
            _ => {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let client = |address: &str| {
            Client::new(&ServerArgs {
                address: address.into(),
            })
        };
        assert_eq!(
            client("localhost:3200/").unwrap().base,
            "http://localhost:3200"
        );
        for (wrong, words) in [
            ("https://a:1", "TLS"),
            ("ftp://a", "not an http:// URL"),
            ("http://a b", "not a URL"),
        ] {
            let error = client(wrong).err().unwrap().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn values_are_encoded() {
        let mut text = String::new();
        push_encoded(&mut text, "{ a=\"é\" }");
        assert_eq!(text, "%7B%20a%3D%22%C3%A9%22%20%7D");
    }
}
