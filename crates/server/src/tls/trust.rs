//! Certificates, keys and authorities: read from PEM files, or found on the system.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The authorities in a file.
///
/// # Errors
/// When it cannot be read, or one in it cannot be used: a file that was named is meant, all of it.
pub(super) fn named(path: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for authority in certificates("--tls-ca", path)? {
        roots
            .add(authority)
            .with_context(|| format!("--tls-ca: cannot use {}: no authority", path.display()))?;
    }
    Ok(roots)
}

/// The authorities that the system trusts. Those that cannot be read are left out, as by everybody else on the machine.
///
/// # Errors
/// When none is left.
pub(super) fn of_the_system() -> anyhow::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        bail!(
            "this system has no authorities to trust{}; name a file of them with --tls-ca",
            why.unwrap_or_default()
        );
    }
    Ok(roots)
}

/// The certificates in a file that `flag` names; at least one.
pub(super) fn certificates(
    flag: &str,
    path: &Path,
) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let text = read(flag, path)?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| unreadable(flag, path))?;
    if certificates.is_empty() {
        bail!("{}: there is no certificate in it", unreadable(flag, path));
    }
    Ok(certificates)
}

/// The private key in a file that `flag` names.
pub(super) fn private_key(flag: &str, path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    let text = read(flag, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => {
            anyhow::anyhow!("{}: there is no private key in it", unreadable(flag, path))
        }
        error => anyhow::Error::new(error).context(unreadable(flag, path)),
    })
}

fn read(flag: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| unreadable(flag, path))
}

fn unreadable(flag: &str, path: &Path) -> String {
    format!("{flag}: cannot read {}", path.display())
}

/// Trusts every certificate; that the other side has its key is still verified, so that errors of set-ups are not hidden.
#[derive(Debug)]
pub(super) struct Anybody(WebPkiSupportedAlgorithms);

impl Anybody {
    pub(super) fn new(provider: &Arc<CryptoProvider>) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
