//! TLS: who may come in, and what is spoken.

use std::sync::Arc;

use api::{Cors, Edge, Listener};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::world::limits;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `localhost`, and its key.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn client(&self, identity: Option<&(String, String)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.0.pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        }
    }
}

async fn serve(authority: &Authority, verify_clients: bool) -> std::net::SocketAddr {
    let (certificate, key) = authority.issue();
    let pem = authority.0.pem();
    let authorities = verify_clients.then_some(pem.as_bytes());
    let config = api::server_config(certificate.as_bytes(), key.as_bytes(), authorities).unwrap();
    let edge = Edge::new(limits());
    let listener = Listener::bind("tls", "127.0.0.1:0".parse().unwrap(), Some(config))
        .await
        .unwrap();
    assert!(listener.is_encrypted());
    let address = listener.address();
    let router = api::otlp_router(edge.clone(), &Cors::default());
    tokio::spawn(listener.serve(router, edge.metrics().clone(), 16, CancellationToken::new()));
    address
}

/// What a request over TLS is answered; an error when the connection fails at any point.
async fn get(address: std::net::SocketAddr, config: ClientConfig) -> std::io::Result<String> {
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await?;
    let mut stream = connector
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await?;
    stream
        .write_all(b"GET /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_over_tls() {
    let authority = Authority::new();
    let address = serve(&authority, false).await;
    let answer = get(address, authority.client(None)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(
        get(address, Authority::new().client(None)).await.is_err(),
        "a stranger's certificate"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_offered() {
    let authority = Authority::new();
    let address = serve(&authority, false).await;
    let mut config = authority.client(None);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = connector
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_clients_are_let_in_when_asked_for() {
    let authority = Authority::new();
    let address = serve(&authority, true).await;
    assert!(
        get(address, authority.client(None)).await.is_err(),
        "without a certificate"
    );
    let known = authority.issue();
    assert!(
        get(address, authority.client(Some(&known)))
            .await
            .unwrap()
            .starts_with("HTTP/1.1 405")
    );
    let stranger = Authority::new().issue();
    assert!(
        get(address, authority.client(Some(&stranger)))
            .await
            .is_err(),
        "from another authority"
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let (certificate, key) = Authority::new().issue();
    let error = |certificate: &str, key: &str, authorities: Option<&str>| {
        let authorities = authorities.map(str::as_bytes);
        api::server_config(certificate.as_bytes(), key.as_bytes(), authorities)
            .unwrap_err()
            .to_string()
    };
    assert!(error("", &key, None).contains("the certificates: no certificate in it"));
    assert!(error(&certificate, "nothing", None).contains("private key"));
    assert!(error(&certificate, &key, Some("")).contains("authorities for clients"));
    let (_, other) = Authority::new().issue();
    assert!(error(&certificate, &other, None).contains("certificate and key"));
}
