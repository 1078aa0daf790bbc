//! Two traces laid over each other: the tree of the union by structure, with what is missing, extra, slower and faster.
//!
//! Spans meet by their *path*: the services and names from the root down. Siblings of one service and name are one node
//! with a count, so that forty calls and forty-two are one node that has grown, not two that came. Roots of all sorts
//! meet the same way, beneath nothing.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use model::{SpanBatch, Symbol};
use serde::Serialize;

use crate::settings::Settings;
use crate::trace::Trace;
use crate::tree::NONE;
use crate::words;

/// Differences that the text tells.
const TOLD_MAX: usize = 3;

/// What became of a node from the left trace to the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Both have it, and it takes about as long.
    Same,
    /// Only the left trace has it.
    Missing,
    /// Only the right trace has it.
    Extra,
    /// It takes longer on the right.
    Slower,
    /// It takes less time on the right.
    Faster,
}

/// The spans of one trace in a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// Spans.
    pub count: u32,
    /// Spans with an error.
    pub error_count: u32,
    /// Summed duration.
    pub total_ns: i64,
    /// Summed self time.
    pub self_ns: i64,
    /// Summed own time on the critical path.
    pub critical_ns: i64,
    /// Position of the first of them in the analysis of that trace; null where there is none.
    pub first: Option<u32>,
}

/// A node of the union.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonNode {
    /// The service.
    pub service: String,
    /// The name.
    pub name: String,
    /// Place of the parent in the list of nodes; null for roots.
    pub parent: Option<u32>,
    /// Nodes below; they are the next ones in the list.
    pub descendants: u32,
    /// The left trace, the baseline.
    pub left: Side,
    /// The right trace.
    pub right: Side,
    /// What became of it, by summed duration. Counts may differ whatever this says.
    pub change: Change,
    /// Summed duration on the right minus that on the left.
    pub total_change_ns: i64,
    /// Own time on the critical path on the right minus that on the left. Over all nodes it explains the change.
    pub critical_change_ns: i64,
}

/// Two traces compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// What changed most, in a line.
    pub text: String,
    /// Duration of the main root on the left.
    pub left_ns: i64,
    /// Duration of the main root on the right.
    pub right_ns: i64,
    /// The union in pre-order. Children stand in the order of the left trace, then those that only the right one has.
    pub nodes: Vec<ComparisonNode>,
}

/// Compares two traces, `left` being the baseline. O(n log n) in the spans of both; never panics.
pub fn compare(left: &SpanBatch, right: &SpanBatch, settings: &Settings) -> Comparison {
    let (left, right) = (Trace::new(left, settings), Trace::new(right, settings));
    let mut union = Union::default();
    union.add(&left, |node| &mut node.left);
    union.add(&right, |node| &mut node.right);
    let mut nodes = union.in_pre_order();
    for node in &mut nodes {
        judge(node, settings);
    }
    let (left_ns, right_ns) = (left.total_ns(), right.total_ns());
    Comparison {
        text: told(left_ns, right_ns, &nodes, settings),
        left_ns,
        right_ns,
        nodes,
    }
}

/// Nodes in the order of their appearance; parents come before children.
#[derive(Default)]
struct Union<'a> {
    /// Services and names of both traces, as numbers.
    texts: HashMap<&'a str, u32, FixedState>,
    /// By parent node, service and name.
    index: HashMap<(u32, u32, u32), u32, FixedState>,
    nodes: Vec<ComparisonNode>,
    parents: Vec<u32>,
}

impl<'a> Union<'a> {
    fn add(&mut self, trace: &Trace<'a>, side: impl Fn(&mut ComparisonNode) -> &mut Side) {
        let mut numbers = vec![NONE; trace.batch.symbols.len()];
        let mut node_of: Vec<u32> = Vec::with_capacity(trace.tree.len());
        for position in 0..trace.tree.len() {
            let facts = &trace.facts[position];
            let service = self.number(trace, &mut numbers, facts.service);
            let name = self.number(trace, &mut numbers, facts.name);
            let parent = trace
                .tree
                .parent(position)
                .map_or(NONE, |parent| node_of[parent]);
            let node = self.node(trace, position, (parent, service, name));
            node_of.push(node);
            let side = side(&mut self.nodes[node as usize]);
            side.count += 1;
            side.error_count += u32::from(facts.is_error);
            side.total_ns = side
                .total_ns
                .saturating_add(trace.timeline.duration(position));
            side.self_ns = side.self_ns.saturating_add(trace.own.self_ns[position]);
            side.critical_ns = side
                .critical_ns
                .saturating_add(trace.own.critical_ns[position]);
            side.first.get_or_insert(position as u32);
        }
    }

    fn number(&mut self, trace: &Trace<'a>, numbers: &mut [u32], symbol: Symbol) -> u32 {
        let known = &mut numbers[symbol.index()];
        if *known == NONE {
            let next = self.texts.len() as u32;
            *known = *self.texts.entry(trace.str(symbol)).or_insert(next);
        }
        *known
    }

    fn node(&mut self, trace: &Trace<'a>, position: usize, key: (u32, u32, u32)) -> u32 {
        if let Some(&node) = self.index.get(&key) {
            return node;
        }
        let node = self.nodes.len() as u32;
        self.index.insert(key, node);
        self.parents.push(key.0);
        self.nodes.push(ComparisonNode {
            service: trace.service(position).to_owned(),
            name: trace.name(position).to_owned(),
            parent: None,
            descendants: 0,
            left: Side::default(),
            right: Side::default(),
            change: Change::Same,
            total_change_ns: 0,
            critical_change_ns: 0,
        });
        node
    }

    /// The same nodes, each before those below it, and numbers of parents and descendants filled in.
    fn in_pre_order(self) -> Vec<ComparisonNode> {
        let count = self.nodes.len();
        let mut descendants = vec![0_u32; count];
        for node in (0..count).rev() {
            if self.parents[node] != NONE {
                descendants[self.parents[node] as usize] += descendants[node] + 1;
            }
        }
        // A node's place is that of its parent, plus one, plus what earlier siblings take.
        let mut next_free = vec![0_u32; count];
        let mut next_root = 0;
        let mut places = vec![0_u32; count];
        for node in 0..count {
            let size = descendants[node] + 1;
            let free = match self.parents[node] {
                NONE => &mut next_root,
                parent => &mut next_free[parent as usize],
            };
            places[node] = *free;
            *free += size;
            next_free[node] = places[node] + 1;
        }
        let mut ordered: Vec<(u32, ComparisonNode)> = Vec::with_capacity(count);
        for (node, mut content) in self.nodes.into_iter().enumerate() {
            content.descendants = descendants[node];
            let parent = self.parents[node];
            content.parent = (parent != NONE).then(|| places[parent as usize]);
            ordered.push((places[node], content));
        }
        ordered.sort_unstable_by_key(|(place, _)| *place);
        ordered.into_iter().map(|(_, node)| node).collect()
    }
}

fn judge(node: &mut ComparisonNode, settings: &Settings) {
    node.total_change_ns = node.right.total_ns.saturating_sub(node.left.total_ns);
    node.critical_change_ns = node.right.critical_ns.saturating_sub(node.left.critical_ns);
    node.change = match (node.left.count, node.right.count) {
        (_, 0) => Change::Missing,
        (0, _) => Change::Extra,
        _ if !is_different(node.left.total_ns, node.right.total_ns, settings) => Change::Same,
        _ if node.total_change_ns > 0 => Change::Slower,
        _ => Change::Faster,
    };
}

fn is_different(left_ns: i64, right_ns: i64, settings: &Settings) -> bool {
    let difference = left_ns.abs_diff(right_ns);
    difference >= settings.difference_ns.max(0) as u64
        && difference as f64 >= settings.difference_share * left_ns.max(right_ns) as f64
}

fn told(left_ns: i64, right_ns: i64, nodes: &[ComparisonNode], settings: &Settings) -> String {
    let change = right_ns - left_ns;
    if !is_different(left_ns, right_ns, settings) {
        return format!("Both take about {}.", words::time(right_ns));
    }
    let verb = if change > 0 { "slower" } else { "faster" };
    let whole = format!(
        "{} {verb}: {} instead of {}",
        words::time(change.abs()),
        words::time(right_ns),
        words::time(left_ns)
    );
    // What went the same way as the whole, and is a fair part of it.
    let mut causes: Vec<&ComparisonNode> = nodes
        .iter()
        .filter(|node| {
            let part = node.critical_change_ns as f64 / change as f64;
            part >= settings.difference_share
        })
        .collect();
    causes.sort_by_key(|node| std::cmp::Reverse(node.critical_change_ns.unsigned_abs()));
    let causes: Vec<String> = causes
        .iter()
        .take(TOLD_MAX)
        .map(|node| cause(node))
        .collect();
    if causes.is_empty() {
        format!("{whole}.")
    } else {
        format!("{whole}; {}.", causes.join(", "))
    }
}

/// `3 s more in payment POST, which is new`
fn cause(node: &ComparisonNode) -> String {
    let time = words::time(node.critical_change_ns.abs());
    let more = if node.critical_change_ns > 0 {
        "more"
    } else {
        "less"
    };
    let note = match node.change {
        Change::Extra => ", which is new".to_owned(),
        Change::Missing => ", which is gone".to_owned(),
        _ if node.left.count != node.right.count => {
            format!(
                " ({} calls instead of {})",
                node.right.count, node.left.count
            )
        }
        _ => String::new(),
    };
    format!(
        "{time} {more} in {} {}{note}",
        words::short(&node.service, 60),
        words::short(&node.name, 60)
    )
}
