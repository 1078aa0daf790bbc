//! What failures of TLS mean, for people: whose certificate, what is wrong with it, which flag helps.

use std::io;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};

use super::args::TlsArgs;

/// A failure while speaking with the server of this name.
pub(super) fn explain(name: &ServerName<'_>, args: &TlsArgs, error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_the_server(&name.to_str(), args, error),
        Error::AlertReceived(alert) => of_the_client(args, *alert),
        // The first bytes were of no record of TLS.
        Error::InvalidMessage(_) => {
            "the server does not speak TLS there; a plain one is reached by http:// or grpc://"
                .to_owned()
        }
        error => format!("TLS failed: {error}"),
    }
}

/// The connection ended within the handshake, and nobody said why.
pub(super) fn broken_off(error: &io::Error) -> String {
    format!(
        "the TLS handshake was broken off ({error}); if the server does not speak TLS there, it is reached by http:// or grpc://"
    )
}

/// We refuse the server's certificate.
fn of_the_server(name: &str, args: &TlsArgs, error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => match &args.tls_ca {
            Some(path) => format!(
                "the certificate of {name} is from none of the authorities in {} (--tls-ca)",
                path.display()
            ),
            None => format!(
                "the certificate of {name} is from an authority that this system does not trust; name the file of its authority with --tls-ca"
            ),
        },
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            format!(
                "the certificate of the server is not for {name} but for {}; reach it by a name that is in its certificate",
                presented
                    .iter()
                    .map(|name| readable(name))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "the certificate of the server is not for {name}; reach it by a name that is in its certificate"
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {name} has expired, or this machine's clock is wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {name} is not valid yet, or this machine's clock is wrong")
        }
        error => format!("the certificate of {name} cannot be trusted: {error}"),
    }
}

/// Presented names come as rustls debugs them: `DnsName("localhost")`.
fn readable(presented: &str) -> &str {
    let inside = presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(presented).trim_matches('"')
}

/// The server refuses us, mostly for our certificate.
fn of_the_client(args: &TlsArgs, alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    match (alert, &args.tls_certificate) {
        (Alert::CertificateRequired, _) | (Alert::HandshakeFailure, None) => format!(
            "the server asks for a client's certificate; give one with --tls-certificate and --tls-key (TLS alert {alert:?})"
        ),
        (
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::DecryptError
            | Alert::AccessDenied,
            Some(path),
        ) => format!(
            "the server does not accept the certificate in {} (--tls-certificate); it must be valid and from an authority that the server trusts (TLS alert {alert:?})",
            path.display()
        ),
        (Alert::NoApplicationProtocol, _) => {
            "the server speaks TLS, but not what was asked for within it: grpcs:// asks for HTTP/2, https:// for HTTP/1.1"
                .to_owned()
        }
        (alert, _) => format!("the server refused the TLS handshake (TLS alert {alert:?})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(args: &TlsArgs, error: &Error) -> String {
        explain(&ServerName::try_from("collector").unwrap(), args, error)
    }

    #[test]
    fn each_failure_names_what_helps() {
        let plain = TlsArgs::default();
        let given = TlsArgs {
            tls_ca: Some("ca.pem".into()),
            tls_certificate: Some("me.pem".into()),
            ..TlsArgs::default()
        };
        let certificate = |error| Error::InvalidCertificate(error);
        let alert = Error::AlertReceived;
        for (args, error, words) in [
            (
                &plain,
                certificate(CertificateError::UnknownIssuer),
                "with --tls-ca",
            ),
            (
                &given,
                certificate(CertificateError::UnknownIssuer),
                "authorities in ca.pem",
            ),
            (
                &plain,
                certificate(CertificateError::NotValidForName),
                "not for collector",
            ),
            (
                &plain,
                certificate(CertificateError::Expired),
                "collector has expired",
            ),
            (
                &plain,
                certificate(CertificateError::NotValidYet),
                "not valid yet",
            ),
            (
                &plain,
                certificate(CertificateError::Revoked),
                "cannot be trusted",
            ),
            (
                &plain,
                alert(AlertDescription::CertificateRequired),
                "--tls-key",
            ),
            (
                &given,
                alert(AlertDescription::UnknownCA),
                "the certificate in me.pem",
            ),
            (
                &plain,
                alert(AlertDescription::NoApplicationProtocol),
                "asks for HTTP/2",
            ),
            (
                &plain,
                alert(AlertDescription::InternalError),
                "InternalError",
            ),
            (&plain, Error::HandshakeNotComplete, "TLS failed: "),
        ] {
            let told = told(args, &error);
            assert!(told.contains(words), "`{told}` has no `{words}`");
        }
    }

    #[test]
    fn presented_names_are_readable() {
        assert_eq!(readable("DnsName(\"localhost\")"), "localhost");
        assert_eq!(readable("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(readable("other"), "other");
    }
}
