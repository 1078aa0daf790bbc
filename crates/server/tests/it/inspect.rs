//! `throughline inspect`: what a folder holds, without changing it.

use crate::process::{Server, run, trace_json};

#[test]
fn blocks_and_journal_are_described_while_a_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let server = Server::start(data.path());
    server.send(&trace_json(1, 5));
    assert_eq!(server.stop(), 0);
    let server = Server::start(data.path());
    server.send(&trace_json(2, 7));

    let overview = run(&["inspect", "--data-dir", folder]);
    assert_eq!(overview.code, 0, "{}", overview.err);
    assert!(
        overview.out.contains("1 blocks, 5 spans"),
        "{}",
        overview.out
    );

    let journal = run(&["inspect", "journal", "--data-dir", folder]);
    assert!(journal.out.contains("requests"), "{}", journal.out);

    let blocks = run(&["inspect", "blocks", "--data-dir", folder]);
    let id = blocks
        .out
        .lines()
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let block = run(&["inspect", "block", id, "--data-dir", folder]);
    assert_eq!(block.code, 0, "{}", block.err);
    for words in [
        "spans.parquet",
        "service.name",
        "shop",
        "5 spans, 0 with errors, 1 traces",
    ] {
        assert!(
            block.out.contains(words),
            "`{words}` is not in\n{}",
            block.out
        );
    }
    assert_eq!(server.stop(), 0, "the server was not disturbed");
}

#[test]
fn looking_makes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let nowhere = data.path().join("nowhere");
    let missing = run(&["inspect", "--data-dir", nowhere.to_str().unwrap()]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("there is no folder"),
        "{}",
        missing.err
    );
    assert!(!nowhere.exists());
}
