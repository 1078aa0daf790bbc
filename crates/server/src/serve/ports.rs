//! The ports: bound all together, with TLS where configured, and announced.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use api::Listener;
use tracing::{info, warn};

use super::{Addresses, StartError};
use crate::config::Settings;
use crate::config::written::Problem;

/// Bound ports that are not served yet.
pub(super) struct Ports {
    pub(super) http: Listener,
    pub(super) otlp_http: Listener,
    pub(super) otlp_grpc: Listener,
}

impl Ports {
    pub(super) async fn bind(settings: &Settings) -> Result<Self, StartError> {
        let tls = tls_of(settings).map_err(|problem| StartError::Config(problem.to_string()))?;
        Ok(Self {
            http: bind("http", settings.listen_http, tls.as_ref()).await?,
            otlp_http: bind("otlp_http", settings.listen_otlp_http, tls.as_ref()).await?,
            otlp_grpc: bind("otlp_grpc", settings.listen_otlp_grpc, tls.as_ref()).await?,
        })
    }

    pub(super) fn addresses(&self) -> Addresses {
        Addresses {
            http: self.http.address(),
            otlp_http: self.otlp_http.address(),
            otlp_grpc: self.otlp_grpc.address(),
        }
    }

    /// Says where everything listens, and loudly where anybody can reach it.
    pub(super) fn announce(&self) {
        for listener in [&self.http, &self.otlp_http, &self.otlp_grpc] {
            let (name, address) = (listener.name(), listener.address());
            info!(listener = name, %address, tls = listener.is_encrypted(), "listening");
            if !address.ip().is_loopback() && !listener.is_encrypted() {
                warn!(
                    listener = name,
                    %address,
                    "ANYBODY WHO CAN REACH THIS ADDRESS CAN READ AND WRITE TRACES: it is neither encrypted nor authenticated. \
                     Configure tls.certificate and tls.key, with tls.client_authorities to let only known clients in, or listen on 127.0.0.1"
                );
            }
        }
    }
}

type ServerConfig = Arc<rustls::ServerConfig>;

async fn bind(
    name: &'static str,
    address: SocketAddr,
    tls: Option<&ServerConfig>,
) -> Result<Listener, StartError> {
    let listener = Listener::bind(name, address, tls.cloned())
        .await
        .with_context(|| format!("cannot listen on {address} ({name})"))?;
    Ok(listener)
}

/// The set-up of TLS, if it is configured; or which setting is wrong.
pub(super) fn tls_of(settings: &Settings) -> Result<Option<ServerConfig>, Problem> {
    let (Some(certificate), Some(key)) = (&settings.tls_certificate.0, &settings.tls_key.0) else {
        return Ok(None);
    };
    let certificates = read("tls.certificate", certificate)?;
    let key = read("tls.key", key)?;
    let authorities = settings.tls_client_authorities.0.as_deref();
    let authorities = authorities
        .map(|path| read("tls.client_authorities", path))
        .transpose()?;
    api::server_config(&certificates, &key, authorities.as_deref())
        .map(Some)
        .map_err(|error| Problem {
            place: "tls".into(),
            text: error.to_string(),
        })
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| Problem {
        place: setting.into(),
        text: format!("cannot read {}: {error}", path.display()),
    })
}
