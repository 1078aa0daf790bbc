//! TLS as the client's side speaks it: what the command line says of it, whom it trusts, and the words when it fails.
//! The listeners' side is `api::server_config`; both use rustls with ring.
//!
//! - [`args`] is the flags and the set-up that they ask for; [`trust`] reads certificates, keys and authorities; [`words`] explains failures with what to do about them;
//! - [`stream`] is an encrypted connection that remembers why it broke.

mod args;
mod stream;
mod trust;
mod words;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) use self::args::TlsArgs;
pub(crate) use self::stream::{TlsStream, Trouble};

/// What is spoken within TLS: the server must agree to it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Speech {
    Http1,
    Http2,
}

impl Speech {
    fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// How TLS is spoken with one server. Cheap to clone; clones share what makes further handshakes short.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    /// What was said, for the words of failures.
    args: TlsArgs,
}

impl Tls {
    /// How TLS is spoken with the server at `address`, whose host is `host`; nothing where the address is a plain one.
    ///
    /// # Errors
    /// When flags of TLS stand beside a plain address, a file cannot be used, or this system trusts nobody.
    pub(crate) fn new(
        args: &TlsArgs,
        address: &str,
        host: &str,
        is_encrypted: bool,
        speech: Speech,
    ) -> anyhow::Result<Option<Self>> {
        if !is_encrypted {
            return match args.first_flag() {
                Some(flag) => bail!(
                    "{flag} is for https:// and grpcs:// addresses, and `{address}` is neither"
                ),
                None => Ok(None),
            };
        }
        // Those of version 6 stand in brackets in addresses, and in certificates they do not.
        let host = host.trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).with_context(|| {
            format!("`{address}`: `{host}` is no name that a certificate could have")
        })?;
        let mut config = args.config()?;
        config.alpn_protocols = vec![speech.alpn().to_vec()];
        Ok(Some(Self {
            config: Arc::new(config),
            name,
            args: args.clone(),
        }))
    }

    /// Agrees with the other side on keys. Takes as long as that lets it: the caller has the deadline.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) async fn handshake(&self, stream: TcpStream) -> Result<TlsStream, String> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        match connector.connect(self.name.clone(), stream).await {
            Ok(stream) => Ok(TlsStream::new(stream)),
            Err(error) => Err(match stream::cause(&error) {
                Some(cause) => self.explain(cause),
                None => words::broken_off(&error),
            }),
        }
    }

    /// What a failure of TLS means, and what to do about it.
    pub(crate) fn explain(&self, error: &rustls::Error) -> String {
        words::explain(&self.name, &self.args, error)
    }
}

/// Whether TLS is spoken at the other end, whoever that is. Asked when plain words were not understood.
pub(crate) async fn is_spoken_over(stream: TcpStream) -> bool {
    let args = TlsArgs {
        tls_insecure: true,
        ..TlsArgs::default()
    };
    let Ok(config) = args.config() else {
        return false;
    };
    // An address as name: then none is sent that the server might not know.
    let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let connector = TlsConnector::from(Arc::new(config));
    match connector.connect(name, stream).await {
        Ok(_) => true,
        // A refusal in TLS is TLS.
        Err(error) => matches!(stream::cause(&error), Some(rustls::Error::AlertReceived(_))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[track_caller]
    fn check(args: &TlsArgs, host: &str, is_encrypted: bool, expected: &str) {
        let address = format!("x://{host}");
        let told = match Tls::new(args, &address, host, is_encrypted, Speech::Http1) {
            Ok(tls) => format!("{}", tls.is_some()),
            Err(error) => format!("{error:#}"),
        };
        assert!(told.contains(expected), "`{told}` has no `{expected}`");
    }

    #[test]
    fn what_was_said_must_fit_the_address() {
        let insecure = TlsArgs {
            tls_insecure: true,
            ..TlsArgs::default()
        };
        check(&TlsArgs::default(), "a", false, "false");
        check(&insecure, "a", true, "true");
        check(&insecure, "[::1]", true, "true");
        check(&insecure, "a", false, "--tls-insecure is for https://");
        check(&insecure, "a b", true, "no name that a certificate");
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let identity = |name: &str| {
            let made = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
            (
                file(&format!("{name}.pem"), &made.cert.pem()),
                file(&format!("{name}.key"), &made.signing_key.serialize_pem()),
            )
        };
        let (certificate, key) = identity("one");
        let (_, other_key) = identity("other");
        let presenting = |certificate: &PathBuf, key: &PathBuf| TlsArgs {
            tls_insecure: true,
            tls_certificate: Some(certificate.clone()),
            tls_key: Some(key.clone()),
            ..TlsArgs::default()
        };
        let trusting = |path: PathBuf| TlsArgs {
            tls_ca: Some(path),
            ..TlsArgs::default()
        };
        let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (args, expected) in [
            (
                trusting("/nowhere/ca.pem".into()),
                "--tls-ca: cannot read /nowhere/ca.pem",
            ),
            (
                trusting(key.clone()),
                "one.key: there is no certificate in it",
            ),
            (trusting(file("b.pem", broken)), "--tls-ca: cannot read"),
            (
                trusting(file("n.pem", no_certificate)),
                "n.pem: no authority",
            ),
            (
                presenting(&certificate, &certificate),
                "--tls-key: cannot read",
            ),
            (presenting(&key, &key), "--tls-certificate: cannot read"),
            (presenting(&certificate, &other_key), "other.key"),
            (presenting(&certificate, &key), "true"),
            (trusting(certificate.clone()), "true"),
        ] {
            check(&args, "a", true, expected);
        }
    }
}
