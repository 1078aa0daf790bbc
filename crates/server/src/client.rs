//! Questions to a running server over its HTTP API.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{ACCEPT, HOST};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use crate::connect::{self, ConnectError, Driver};
use crate::tls::{Speech, Tls, TlsArgs};

/// The largest answer that is taken: a trace of a million spans is about this.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// Servers give up on a question before.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which server.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// The server, as its page is reached: http:// or https://
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:3200",
        env = "THROUGHLINE_ADDRESS"
    )]
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// A client of one server.
pub(crate) struct Client {
    /// The address as it was given.
    base: String,
    /// Host and port.
    authority: String,
    /// The same as the server is told.
    host: HeaderValue,
    /// What all paths begin with.
    prefix: String,
    tls: Option<Tls>,
    /// The connection, between questions.
    idle: Mutex<Option<Connection>>,
}

struct Connection {
    sender: http1::SendRequest<Empty<Bytes>>,
    driver: Driver,
}

impl Client {
    /// A client of the server at a URL.
    ///
    /// # Errors
    /// When it is not one, or TLS cannot be spoken as asked for.
    pub(crate) fn new(server: &ServerArgs) -> anyhow::Result<Self> {
        let base = server.address.trim_end_matches('/');
        let base = match base.contains("://") {
            true => base.to_owned(),
            false => format!("http://{base}"),
        };
        let uri: Uri = base
            .parse()
            .with_context(|| format!("--address: `{base}` is not a URL"))?;
        let (is_encrypted, default_port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => bail!("--address: `{base}` is not an http:// or https:// URL"),
        };
        let host = uri.host().unwrap_or_default();
        let tls = Tls::new(&server.tls, &base, host, is_encrypted, Speech::Http1)?;
        let told = match uri.port_u16() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Ok(Self {
            authority: format!("{host}:{}", uri.port_u16().unwrap_or(default_port)),
            host: told.parse().context("--address: the host is odd")?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
            base,
            tls,
            idle: Mutex::default(),
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
        let mut address = format!("{}{path}", self.prefix);
        let given = params.iter().filter(|(_, value)| !value.is_empty());
        for (position, (name, value)) in given.enumerate() {
            address.push(if position == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            push_encoded(&mut address, value);
        }
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = address.parse().context("the question is too long")?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let mut connection = self.connection().await?;
        let response = match connection.sender.send_request(request).await {
            Ok(response) => response,
            Err(error) => return Err(self.explained(&connection, error).await),
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
        *self.idle.lock() = Some(connection);
        Ok(body)
    }

    /// The connection of the last question while the server keeps it, or a new one.
    async fn connection(&self) -> anyhow::Result<Connection> {
        let kept = self.idle.lock().take();
        if let Some(mut kept) = kept
            && kept.sender.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let stream = match connect::open(&self.authority, self.tls.as_ref()).await {
            Ok(stream) => stream,
            Err(ConnectError::Unreachable(_)) => bail!(
                "no server answers at {}; start one with `throughline serve`, or name one with --address",
                self.base
            ),
            Err(ConnectError::Tls(text)) => bail!("cannot connect to {}: {text}", self.base),
        };
        let (sender, driver) = stream.http1().await?;
        Ok(Connection { sender, driver })
    }

    /// Why a question was not answered.
    async fn explained(&self, connection: &Connection, error: hyper::Error) -> anyhow::Error {
        let base = &self.base;
        match (&self.tls, connection.driver.tls_error()) {
            (Some(tls), Some(error)) => {
                anyhow::anyhow!("asking {base} failed: {}", tls.explain(error))
            }
            (None, _) if connect::speaks_tls(&self.authority).await => {
                anyhow::anyhow!(
                    "{base} speaks TLS: write --address https://{}",
                    self.authority
                )
            }
            _ => anyhow::Error::new(error).context(format!("asking {base} failed")),
        }
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
                tls: TlsArgs::default(),
            })
        };
        for (given, base, authority, prefix) in [
            (
                "localhost:3200/",
                "http://localhost:3200",
                "localhost:3200",
                "",
            ),
            ("http://a/traces/", "http://a/traces", "a:80", "/traces"),
            ("http://[::1]:1", "http://[::1]:1", "[::1]:1", ""),
        ] {
            let client = client(given).unwrap();
            assert_eq!(
                (&*client.base, &*client.authority, &*client.prefix),
                (base, authority, prefix)
            );
        }
        for (wrong, words) in [
            ("ftp://a", "not an http:// or https:// URL"),
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
