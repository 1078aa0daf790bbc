//! What the command line says of TLS, the same for all commands, and the set-up that it asks for.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use rustls::ClientConfig;

use super::trust;

/// How to speak TLS with an https:// or grpcs:// address.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS, for https:// and grpcs://")]
pub(crate) struct TlsArgs {
    /// Trust the authorities in this PEM file, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) tls_ca: Option<PathBuf>,
    /// Present the certificate in this PEM file, with those between it and its authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,
    /// The private key of the certificate to present, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
    /// TRUST ANY CERTIFICATE, from anybody, for any name: encrypted still, but ANYBODY ON THE WAY CAN POSE AS THE SERVER,
    /// READ EVERYTHING AND CHANGE IT. Only for trying things out
    #[arg(long, conflicts_with = "tls_ca")]
    pub(super) tls_insecure: bool,
}

impl TlsArgs {
    /// The first flag that was given, if any.
    pub(super) fn first_flag(&self) -> Option<&'static str> {
        let flags = [
            (self.tls_ca.is_some(), "--tls-ca"),
            (self.tls_certificate.is_some(), "--tls-certificate"),
            (self.tls_key.is_some(), "--tls-key"),
            (self.tls_insecure, "--tls-insecure"),
        ];
        let given = flags.into_iter().find(|(is_given, _)| *is_given);
        given.map(|(_, flag)| flag)
    }

    /// Whom to trust and what to present.
    ///
    /// # Errors
    /// When a file cannot be used, or this system trusts nobody.
    pub(super) fn config(&self) -> anyhow::Result<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("cannot set up TLS")?;
        let builder = match (&self.tls_ca, self.tls_insecure) {
            (_, true) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(trust::Anybody::new(&provider))),
            (Some(path), false) => builder.with_root_certificates(trust::named(path)?),
            (None, false) => builder.with_root_certificates(trust::of_the_system()?),
        };
        let (Some(certificate), Some(key)) = (&self.tls_certificate, &self.tls_key) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = trust::certificates("--tls-certificate", certificate)?;
        builder
            .with_client_auth_cert(chain, trust::private_key("--tls-key", key)?)
            .with_context(|| {
                format!(
                    "cannot use --tls-certificate {} with --tls-key {}",
                    certificate.display(),
                    key.display()
                )
            })
    }
}
