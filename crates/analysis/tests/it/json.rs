//! The shape of the results in JSON: what the page and the command line read.

use analysis::{GroupBy, Settings, analyse, compare, group};
use serde_json::json;

use crate::drawn;

const TRACE: &str = "
    web root | server 0..100
      web call | client 10..90 error
";

#[test]
fn an_analysis_has_columns_by_position_and_times_as_offsets() {
    let analysis = analyse(&drawn::trace(TRACE), &Settings::default());
    let mut told = serde_json::to_value(&analysis).unwrap();
    // Words are tested where they are made.
    let findings = told["findings"]["list"].as_array_mut().unwrap();
    for finding in findings {
        for words in ["headline", "sentence", "advice"] {
            assert!(
                finding
                    .as_object_mut()
                    .unwrap()
                    .remove(words)
                    .unwrap()
                    .is_string()
            );
        }
    }
    let expected = json!({
        "startTimeUnixNano": "1795000000000000000",
        "startNs": 0,
        "endNs": 100_000_000,
        "mainRoot": 0,
        "summary": {
            "text": "80 % in web → call; 20 % in web, root",
            "parts": [
                {"kind": "wait", "place": "web → call", "criticalNs": 80_000_000, "share": 0.8, "spanCount": 1, "span": 1},
                {"kind": "unexplained", "place": "web, root", "criticalNs": 20_000_000, "share": 0.2, "spanCount": 1, "span": 0},
            ],
        },
        "findings": {
            "list": [{"pattern": "swallowedError", "spans": [1], "spanCount": 1, "atStakeNs": 80_000_000, "share": 0.8}],
            "leftOut": 0,
        },
        "criticalPath": [{
            "root": 0,
            "sections": [
                {"span": 0, "startNs": 0, "endNs": 10_000_000},
                {"span": 1, "startNs": 10_000_000, "endNs": 90_000_000},
                {"span": 0, "startNs": 90_000_000, "endNs": 100_000_000},
            ],
        }],
        "dark": [
            {"span": 0, "startNs": 0, "endNs": 10_000_000},
            {"span": 0, "startNs": 90_000_000, "endNs": 100_000_000},
        ],
        "notes": {
            "orphans": [], "circles": [], "sharedIds": [], "duplicateRows": [], "backwards": [], "skewRefused": [],
        },
        "spans": {
            "id": ["0000000000000001", "0000000000000002"],
            "row": [0, 1],
            "parent": [null, 0],
            "descendants": [1, 0],
            "startNs": [0, 10_000_000],
            "durationNs": [100_000_000, 80_000_000],
            "shiftNs": [0, 0],
            "selfNs": [20_000_000, 80_000_000],
            "criticalNs": [20_000_000, 80_000_000],
            "gapNs": [0, 0],
            "darkNs": [20_000_000, 0],
            "isDetached": [false, false],
        },
    });
    assert_eq!(told, expected);
}

#[test]
fn a_comparison_is_a_list_of_nodes_in_pre_order() {
    let (left, right) = (
        drawn::trace("web root | server 0..100"),
        drawn::trace(TRACE),
    );
    let told = serde_json::to_value(compare(&left, &right, &Settings::default())).unwrap();
    let expected = json!({
        "text": "Both take about 100 ms.",
        "leftNs": 100_000_000,
        "rightNs": 100_000_000,
        "nodes": [
            {
                "service": "web", "name": "root", "parent": null, "descendants": 1,
                "left": {"count": 1, "errorCount": 0, "totalNs": 100_000_000, "selfNs": 100_000_000, "criticalNs": 100_000_000, "first": 0},
                "right": {"count": 1, "errorCount": 0, "totalNs": 100_000_000, "selfNs": 20_000_000, "criticalNs": 20_000_000, "first": 0},
                "change": "same", "totalChangeNs": 0, "criticalChangeNs": -80_000_000,
            },
            {
                "service": "web", "name": "call", "parent": 0, "descendants": 0,
                "left": {"count": 0, "errorCount": 0, "totalNs": 0, "selfNs": 0, "criticalNs": 0, "first": null},
                "right": {"count": 1, "errorCount": 1, "totalNs": 80_000_000, "selfNs": 80_000_000, "criticalNs": 80_000_000, "first": 1},
                "change": "extra", "totalChangeNs": 80_000_000, "criticalChangeNs": 80_000_000,
            },
        ],
    });
    assert_eq!(told, expected);
}

#[test]
fn a_group_has_a_key_and_sums() {
    let batch = drawn::trace(TRACE);
    let analysis = analyse(&batch, &Settings::default());
    let told = serde_json::to_value(group(&batch, &analysis, &GroupBy::Operation)).unwrap();
    let expected = json!({
        "key": "web", "name": "call", "count": 1, "errorCount": 1, "totalNs": 80_000_000, "longestNs": 80_000_000,
        "selfNs": 80_000_000, "criticalNs": 80_000_000, "share": 0.8, "longest": 1,
    });
    assert_eq!(told[0], expected);
}
