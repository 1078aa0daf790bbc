//! Two traces laid over each other, and tables of spans.

use analysis::{Change, Comparison, GroupBy, Settings, compare, group};

use crate::drawn;
use crate::told::ms;

fn compared(left: &str, right: &str) -> Comparison {
    compare(
        &drawn::trace(left),
        &drawn::trace(right),
        &Settings::default(),
    )
}

/// The union, indented: sign, name, counts, change in milliseconds.
fn told(comparison: &Comparison) -> String {
    let mut depths: Vec<usize> = Vec::new();
    let mut text = String::new();
    for node in &comparison.nodes {
        let depth = node.parent.map_or(0, |parent| depths[parent as usize] + 1);
        depths.push(depth);
        let sign = match node.change {
            Change::Same => '=',
            Change::Missing => '-',
            Change::Extra => '+',
            Change::Slower => '>',
            Change::Faster => '<',
        };
        text += &format!(
            "{}{sign} {} {}:{} {}\n",
            "  ".repeat(depth),
            node.name,
            node.left.count,
            node.right.count,
            ms(node.total_change_ns)
        );
    }
    text
}

const FAST: &str = "
    web root | server 0..100
      web cart | client 10..30
      web pay | client 40..60
        pay Charge | server 45..55
      web mail | client 70..90
";

const SLOW: &str = "
    web root | server 0..400
      web pay | client 10..310
        pay Charge | server 20..300
      web pay | client 320..330
      web cart | client 330..335
      web tax | client 340..390
";

#[test]
fn spans_meet_by_their_path_and_siblings_of_one_name_are_one_node() {
    let comparison = compared(FAST, SLOW);
    assert_eq!(
        told(&comparison),
        "> root 1:1 300\n  < cart 1:1 -15\n  > pay 1:2 290\n    > Charge 1:1 270\n  - mail 1:0 -20\n  + tax 0:1 50\n"
    );
    assert_eq!(
        comparison.text,
        "300 ms slower: 400 ms instead of 100 ms; 270 ms more in pay Charge, 50 ms more in web tax, which is new."
    );
    let explained: i64 = comparison
        .nodes
        .iter()
        .map(|node| node.critical_change_ns)
        .sum();
    assert_eq!(explained, comparison.right_ns - comparison.left_ns);
}

#[test]
fn a_trace_compared_with_itself_is_the_same() {
    let comparison = compared(FAST, FAST);
    assert!(
        comparison
            .nodes
            .iter()
            .all(|node| node.change == Change::Same)
    );
    assert_eq!(comparison.text, "Both take about 100 ms.");
}

#[test]
fn the_nodes_below_one_are_the_next_ones() {
    let comparison = compared(FAST, SLOW);
    let descendants: Vec<u32> = comparison
        .nodes
        .iter()
        .map(|node| node.descendants)
        .collect();
    assert_eq!(descendants, [5, 0, 1, 0, 0, 0]);
}

#[test]
fn against_nothing_all_is_missing() {
    let comparison = compared(FAST, "");
    assert!(
        comparison
            .nodes
            .iter()
            .all(|node| node.change == Change::Missing)
    );
    assert_eq!(comparison.right_ns, 0);
}

#[test]
fn spans_are_grouped_by_service_operation_or_attribute() {
    let batch = drawn::trace(
        "
        web root | server 0..100 tenant=a
          web call | client 10..50 tenant=b
          web call | client 50..90 tenant=b error
            pay work | server 60..80
        ",
    );
    let analysis = analysis::analyse(&batch, &Settings::default());
    let told = |by: GroupBy| -> Vec<String> {
        group(&batch, &analysis, &by)
            .iter()
            .map(|group| {
                let key = group.key.as_deref().unwrap_or("-");
                let name = group.name.as_deref().unwrap_or("");
                let times = [group.total_ns, group.self_ns, group.critical_ns].map(ms);
                format!(
                    "{key} {name} {}/{} {times:?} {}",
                    group.count, group.error_count, group.share
                )
            })
            .collect()
    };
    assert_eq!(
        told(GroupBy::Service),
        [
            "web  3/1 [180.0, 80.0, 80.0] 0.8",
            "pay  1/0 [20.0, 20.0, 20.0] 0.2"
        ]
    );
    assert_eq!(
        told(GroupBy::Operation),
        [
            "web call 2/1 [80.0, 60.0, 60.0] 0.6",
            "web root 1/0 [100.0, 20.0, 20.0] 0.2",
            "pay work 1/0 [20.0, 20.0, 20.0] 0.2"
        ]
    );
    assert_eq!(
        told(GroupBy::Attribute("tenant".to_owned())),
        [
            "b  2/1 [80.0, 60.0, 60.0] 0.6",
            "a  1/0 [100.0, 20.0, 20.0] 0.2",
            "-  1/0 [20.0, 20.0, 20.0] 0.2"
        ]
    );
    assert_eq!(
        told(GroupBy::Attribute("host.name".to_owned())),
        told(GroupBy::Service)
    );
}
