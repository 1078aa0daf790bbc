//! The commands that reach a server, over TLS: with a server that knows its clients, and with everything that can be wrong.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::process::{Run, Server, run, throughline, trace_id, trace_json};

/// An authority, and its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

/// A certificate and its key, in files.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name_of_authority = rcgen::DnType::CommonName;
        params.distinguished_name.push(name_of_authority, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// A certificate for `localhost`, and for no address.
    fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let write = |kind: &str, pem: String| {
            let path = self.file.with_file_name(format!("{name}.{kind}"));
            std::fs::write(&path, pem).unwrap();
            path.display().to_string()
        };
        Identity {
            certificate: write("crt", certificate.pem()),
            key: write("key", key.serialize_pem()),
        }
    }

    fn trusted(&self) -> [&str; 2] {
        ["--tls-ca", self.file.to_str().unwrap()]
    }
}

impl Identity {
    fn presented(&self) -> [&str; 4] {
        [
            "--tls-certificate",
            &self.certificate,
            "--tls-key",
            &self.key,
        ]
    }
}

/// A folder with certificates and a server that has one of them.
struct Stage {
    folder: tempfile::TempDir,
    authority: Authority,
    client: Identity,
    server: Server,
}

impl Stage {
    /// A server that lets in whom its authority knows, or anybody.
    fn set(verifies_clients: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "authority");
        let own = authority.issue("server");
        let client = authority.issue("client");
        let mut settings = vec![
            format!("tls.certificate={}", own.certificate),
            format!("tls.key={}", own.key),
        ];
        if verifies_clients {
            let file = authority.file.display();
            settings.push(format!("tls.client_authorities={file}"));
        }
        let flags: Vec<&str> = settings.iter().flat_map(|set| ["--set", set]).collect();
        let server = Server::start_with(&folder.path().join("data"), &flags);
        Self {
            folder,
            authority,
            client,
            server,
        }
    }

    /// By the name that is in the certificate.
    fn https(&self) -> String {
        format!("https://localhost:{}", self.server.otlp_http().port())
    }

    fn grpcs(&self) -> String {
        format!("grpcs://localhost:{}", self.server.otlp_grpc().port())
    }

    fn page(&self) -> String {
        format!("https://localhost:{}", self.server.http().port())
    }

    /// What makes the server trusted, and us.
    fn known(&self) -> Vec<&str> {
        [&self.authority.trusted()[..], &self.client.presented()].concat()
    }

    fn import(&self, number: u32, endpoint: &str, flags: &[&str]) -> Run {
        let file = self.folder.path().join(format!("{number}.json"));
        std::fs::write(&file, trace_json(number, 3)).unwrap();
        let file = file.to_str().unwrap();
        run(&[&["import", file, "--endpoint", endpoint], flags].concat())
    }

    fn trace(&self, number: u32, address: &str, flags: &[&str]) -> Run {
        let id = trace_id(number);
        run(&[&["trace", &*id, "--address", address], flags].concat())
    }
}

#[track_caller]
fn check_fails(run: &Run, words: &str) {
    assert_eq!(run.code, 1, "{}", run.out);
    assert!(run.err.contains(words), "`{words}` is not in {}", run.err);
}

#[test]
fn a_server_that_knows_its_clients_is_reached_by_every_command() {
    let stage = Stage::set(true);
    let known = stage.known();
    for (number, endpoint) in [(1, stage.https()), (2, stage.grpcs())] {
        let imported = stage.import(number, &endpoint, &known);
        assert_eq!((imported.code, &*imported.err), (0, ""), "{endpoint}");
        assert!(imported.out.starts_with("imported 1 requests"));
    }
    for endpoint in [stage.https(), stage.grpcs()] {
        let line = format!(
            "load --endpoint {endpoint} --shop-spans 500 --limit-spans 500 --json --compression zstd"
        );
        let words: Vec<&str> = line.split(' ').chain(known.iter().copied()).collect();
        let loaded = run(&words);
        assert_eq!(loaded.code, 0, "{}", loaded.err);
        let report: serde_json::Value = serde_json::from_str(&loaded.out).unwrap();
        assert!(report["spans"]["accepted"].as_u64().unwrap() >= 500);
    }
    let page = stage.page();
    for number in [1, 2] {
        let drawn = stage.trace(number, &page, &known);
        assert_eq!((drawn.code, &*drawn.err), (0, ""));
        assert!(drawn.out.contains("3 spans"), "{}", drawn.out);
    }
}

#[test]
fn an_answer_of_several_pages_is_asked_for_over_tls() {
    let stage = Stage::set(true);
    let known = stage.known();
    let resources: Vec<serde_json::Value> = (1..=1_100)
        .map(|number| {
            let trace: serde_json::Value = serde_json::from_str(&trace_json(number, 1)).unwrap();
            trace["resourceSpans"][0].clone()
        })
        .collect();
    let file = stage.folder.path().join("many.json");
    std::fs::write(
        &file,
        serde_json::json!({"resourceSpans": resources}).to_string(),
    )
    .unwrap();
    let endpoint = stage.grpcs();
    let import = ["import", file.to_str().unwrap(), "--endpoint", &endpoint];
    let imported = run(&[&import[..], &known].concat());
    assert_eq!((imported.code, &*imported.err), (0, ""));
    let page = stage.page();
    let query = [
        "query",
        "{ }",
        "--limit",
        "1100",
        "-o",
        "csv",
        "--address",
        &page,
    ];
    let range = ["--start", "2026-11-21T09:29:00Z", "--end", "1795253460"];
    let found = run(&[&query[..], &range, &known].concat());
    assert_eq!((found.code, &*found.err), (0, ""));
    assert_eq!(found.out.lines().count(), 1 + 1_100);
}

#[test]
fn a_client_without_a_certificate_that_the_server_knows_is_told_so() {
    let stage = Stage::set(true);
    let trusted = stage.authority.trusted();
    let stranger = Authority::new(stage.folder.path(), "other").issue("stranger");
    let strange = [&trusted[..], &stranger.presented()].concat();
    let line = |endpoint: &str| format!("load --shop-spans 10 --endpoint {endpoint}");
    for (flags, words) in [
        (
            &trusted[..],
            "give one with --tls-certificate and --tls-key (TLS alert CertificateRequired)",
        ),
        (&strange[..], "does not accept the certificate in"),
    ] {
        for endpoint in [stage.https(), stage.grpcs()] {
            check_fails(&stage.import(1, &endpoint, flags), words);
            let line = line(&endpoint);
            let load: Vec<&str> = line.split(' ').chain(flags.iter().copied()).collect();
            check_fails(&run(&load), words);
        }
        check_fails(&stage.trace(1, &stage.page(), flags), words);
    }
}

#[test]
fn a_server_that_cannot_be_trusted_is_not_sent_anything() {
    let stage = Stage::set(false);
    let other = Authority::new(stage.folder.path(), "other");
    let by_address = |url: String| url.replace("localhost", "127.0.0.1");
    let (trusted, wrong) = (stage.authority.trusted(), other.trusted());
    for endpoint in [stage.https(), stage.grpcs()] {
        let refused = stage.import(1, &endpoint, &wrong);
        check_fails(&refused, "from none of the authorities in");
        check_fails(&refused, "other.pem (--tls-ca)");
        let refused = stage.import(1, &by_address(endpoint), &trusted);
        check_fails(&refused, "is not for 127.0.0.1 but for localhost");
    }
    check_fails(
        &stage.trace(1, &stage.page(), &wrong),
        "from none of the authorities in",
    );
    check_fails(
        &stage.trace(1, &by_address(stage.page()), &trusted),
        "is not for 127.0.0.1 but for localhost",
    );
    let received = stage.trace(1, &stage.page(), &trusted);
    check_fails(&received, "is not held by");

    // Unless anybody will do.
    let endpoint = by_address(stage.grpcs());
    let imported = stage.import(1, &endpoint, &["--tls-insecure"]);
    assert_eq!((imported.code, &*imported.err), (0, ""));
    let drawn = stage.trace(1, &by_address(stage.page()), &["--tls-insecure"]);
    assert_eq!((drawn.code, &*drawn.err), (0, ""));
}

#[test]
fn the_authorities_of_the_system_are_trusted_where_none_are_named() {
    let stage = Stage::set(false);
    let empty = stage.folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let other = Authority::new(stage.folder.path(), "other");
    let trace = |authorities: &Path| {
        let mut command = throughline();
        command
            .args(["trace", "abc", "--address", &stage.page()])
            .env("SSL_CERT_FILE", authorities)
            .env_remove("SSL_CERT_DIR");
        Run::from(command.output().unwrap())
    };
    check_fails(&trace(&stage.authority.file), "is not held by");
    check_fails(
        &trace(&other.file),
        "that this system does not trust; name the file of its authority with --tls-ca",
    );
    check_fails(&trace(&empty), "this system has no authorities to trust");
}

#[test]
fn tls_where_it_is_not_spoken_and_none_where_it_is_are_told_apart() {
    let stage = Stage::set(false);
    let plain = |url: String| url.replace("s://", "://");
    for endpoint in [stage.https(), stage.grpcs()] {
        let words = format!("speaks TLS; send to {endpoint}");
        let endpoint = plain(endpoint);
        check_fails(&stage.import(1, &endpoint, &[]), &words);
        let line = format!("load --shop-spans 10 --limit-spans 10 --endpoint {endpoint}");
        let loaded = run(&line.split(' ').collect::<Vec<_>>());
        check_fails(&loaded, &words);
    }
    check_fails(
        &stage.trace(1, &plain(stage.page()), &[]),
        &format!("speaks TLS: write --address {}", stage.page()),
    );

    let server = Server::start(&stage.folder.path().join("plain"));
    let trusted = stage.authority.trusted();
    for (scheme, address) in [("https", server.otlp_http()), ("grpcs", server.otlp_grpc())] {
        let refused = stage.import(1, &format!("{scheme}://{address}"), &trusted);
        check_fails(&refused, "the server does not speak TLS there");
    }
    check_fails(
        &stage.trace(1, &format!("https://{}", server.http()), &trusted),
        "the server does not speak TLS there",
    );
}

#[test]
fn flags_that_cannot_be_meant_are_refused() {
    let trace = |flags: &[&str]| run(&[&["trace", "abc"], flags].concat());
    check_fails(
        &trace(&["--tls-insecure"]),
        "--tls-insecure is for https:// and grpcs:// addresses, and `http://127.0.0.1:3200` is neither",
    );
    for command in ["import x.json", "load --shop-spans 1"] {
        let line = format!("{command} --endpoint grpc://127.0.0.1:1 --tls-ca ca.pem");
        let refused = run(&line.split(' ').collect::<Vec<_>>());
        check_fails(&refused, "--tls-ca is for https:// and grpcs://");
    }
    let missing = ["--address", "https://a", "--tls-ca", "/nowhere/ca.pem"];
    check_fails(&trace(&missing), "cannot read /nowhere/ca.pem");
    for flags in [
        &["--tls-certificate", "a.pem"][..],
        &["--tls-key", "a.key"],
        &["--tls-insecure", "--tls-ca", "a.pem"],
    ] {
        let refused = trace(flags);
        assert_eq!(refused.code, 2, "{flags:?}: {}", refused.err);
    }
}
