//! Certificates and keys from PEM text to what a listener needs.

use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The text holds no usable certificate.
    #[error("cannot read {what}: {cause}")]
    Certificate {
        /// Which text: the server's certificates or the authorities for clients.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The text holds no usable private key.
    #[error("cannot read the private key: {0}")]
    Key(String),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("cannot use certificate and key: {0}")]
    Config(#[from] rustls::Error),
    /// The authorities for clients cannot be used.
    #[error("cannot verify clients with these authorities: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The set-up of a TLS listener that speaks HTTP/2 and HTTP/1.1.
///
/// `certificates` is the server's chain, its own first; `key` its private key; with `client_authorities`, only clients
/// that present a certificate from one of these are let in. All are PEM texts.
///
/// # Errors
/// [`TlsError`], naming the text at fault.
pub fn server_config(
    certificates: &[u8],
    key: &[u8],
    client_authorities: Option<&[u8]>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = read_certificates("the certificates", certificates)?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Key(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for authority in read_certificates("the authorities for clients", pem)? {
                roots.add(authority)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read_certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |cause: String| TlsError::Certificate { what, cause };
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed("no certificate in it".into()));
    }
    Ok(certificates)
}
