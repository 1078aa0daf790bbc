//! `throughline import`: files of every kind, through the door.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::process::{Run, Server, span_count, throughline, trace_id, trace_json};

fn import(server: &Server, args: &[&str], files: &[PathBuf]) -> Run {
    let endpoint = format!("http://{}", server.otlp_http());
    let mut command = throughline();
    command
        .args(["import", "--endpoint", &endpoint])
        .args(args)
        .args(files);
    command.output().unwrap().into()
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_of_every_kind_are_imported() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let protobuf = |number| wire::otlp_json::to_protobuf(trace_json(number, 3).as_bytes()).unwrap();
    let framed = [3, 4].map(|number| {
        let message = protobuf(number);
        [&(message.len() as u32).to_le_bytes()[..], &message].concat()
    });
    let jaeger = |number| {
        json!({
            "traceID": trace_id(number),
            "spans": [{
                "traceID": trace_id(number), "spanID": "0000000000000001", "operationName": "old",
                "references": [], "startTime": 1_795_253_400_000_000_u64, "duration": 1000,
                "tags": [], "logs": [], "processID": "p1",
            }],
            "processes": {"p1": {"serviceName": "old", "tags": []}},
        })
    };
    let files = [
        write(folder.path(), "one.otlp", protobuf(1)),
        write(
            folder.path(),
            "one.json.gz",
            gzip(trace_json(2, 3).as_bytes()),
        ),
        write(
            folder.path(),
            "many.otlp.zst",
            zstd::bulk::compress(&framed.concat(), 3).unwrap(),
        ),
        write(
            folder.path(),
            "lines.ndjson",
            format!("{}\n\n{}\n", trace_json(5, 3), trace_json(6, 3)),
        ),
        write(
            folder.path(),
            "jaeger.json",
            serde_json::to_vec_pretty(&json!({"data": [jaeger(7)]})).unwrap(),
        ),
        write(
            folder.path(),
            "jaeger.ndjson",
            format!("{}\n{}", jaeger(8), jaeger(9)),
        ),
    ];
    let imported = import(&server, &[], &files);
    assert_eq!(imported.code, 0, "{}", imported.err);
    assert!(
        imported.out.starts_with("imported 9 requests"),
        "{}",
        imported.out
    );
    for number in 1..=6 {
        assert_eq!(span_count(&server, number), 3, "{number}");
    }
    for number in 7..=9 {
        assert_eq!(span_count(&server, number), 1, "{number}");
    }
}

#[test]
fn traces_can_be_moved_to_now() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let old = trace_json(1, 2).replace("17952534", "10000000");
    let imported = import(
        &server,
        &["--now"],
        &[write(folder.path(), "old.json", old)],
    );
    assert_eq!(imported.code, 0, "{}", imported.err);
    let (_, list) = server.get("/api/v1/traces");
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let start: i64 = list["traces"][0]["startTimeUnixNano"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(start > 1_700_000_000_000_000_000, "{list}");
    assert_eq!(list["traces"][0]["durationNanos"], "249999999");
}

#[test]
fn what_cannot_be_imported_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let check = |name: &str, bytes: &[u8], words: &str| {
        let refused = import(&server, &[], &[write(folder.path(), name, bytes)]);
        assert_eq!(refused.code, 1, "{}", refused.out);
        assert!(refused.err.contains(words), "{}", refused.err);
    };
    check("a.json", b"{\"hello\": 1}", "a.json: line 1: neither OTLP");
    check("b.json", b"{\"resourceSpans\": [", "b.json");
    check(
        "c.otlp",
        b"\x05\0\0\0\x0a\x03",
        "c.otlp: the file ends inside a message",
    );
    let missing = import(&server, &[], &["/nowhere.otlp".into()]);
    assert!(
        missing.err.contains("cannot open /nowhere.otlp"),
        "{}",
        missing.err
    );
    let nobody = throughline()
        .args(["import", "--endpoint", "http://127.0.0.1:1"])
        .arg(write(folder.path(), "d.json", trace_json(1, 1)))
        .output();
    let nobody = Run::from(nobody.unwrap());
    assert!(nobody.err.contains("no server answers"), "{}", nobody.err);
}
