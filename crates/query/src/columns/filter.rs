//! A condition compiled for one block.

use block::{BlockMeta, SpanColumn, SpanFile, TraceTable};
use model::SpanBatch;
use traceql::query::Condition;

use super::leaf::{AttributeLeaf, Known, Leaf, Otherwise};
use super::test::Test;

/// A condition as a tree of tests on columns.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(super) root: Node,
    /// How many dictionaries are remembered; see [`super::Judge`].
    pub(super) memos: usize,
    pub(super) columns: Vec<SpanColumn>,
}

#[derive(Debug)]
pub(super) enum Node {
    Const(bool),
    /// Columns cannot tell.
    Open,
    Not(Box<Node>),
    /// Cheapest first.
    All(Vec<Node>),
    Any(Vec<Node>),
    Leaf(Leaf),
}

/// What a filter is compiled against.
pub(crate) struct Target<'a> {
    pub(crate) meta: &'a BlockMeta,
    pub(crate) file: &'a SpanFile,
    pub(crate) resources: &'a SpanBatch,
    pub(crate) traces: &'a TraceTable,
}

impl Filter {
    /// Costs a look at each resource for each field of resources, and at each trace for each field of traces.
    pub(crate) fn compile(condition: &Condition, target: &Target<'_>) -> Self {
        let mut filter = Self {
            root: Node::Const(true),
            memos: 0,
            columns: vec![SpanColumn::Resource],
        };
        filter.root = filter.node(condition, target);
        filter.columns.sort_unstable();
        filter.columns.dedup();
        filter
    }

    /// The columns that it looks at.
    pub(crate) fn columns(&self) -> &[SpanColumn] {
        &self.columns
    }

    /// Whether it decides every row.
    pub(crate) fn is_exact(&self) -> bool {
        fn exact(node: &Node) -> bool {
            match node {
                Node::Const(_) => true,
                Node::Open => false,
                Node::Not(inner) => exact(inner),
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().all(exact),
                Node::Leaf(Leaf::Root { without, with }) => {
                    *without != Known::Maybe && *with != Known::Maybe
                }
                Node::Leaf(Leaf::Trace(known)) => !known.contains(&Known::Maybe),
                Node::Leaf(_) => true,
            }
        }
        exact(&self.root)
    }

    /// Whether no row can pass.
    pub(crate) fn is_never(&self) -> bool {
        matches!(self.root, Node::Const(false))
    }

    // The depth is that of the query, which the parser bounds.
    fn node(&mut self, condition: &Condition, target: &Target<'_>) -> Node {
        match condition {
            Condition::Const(value) => Node::Const(*value),
            Condition::Not(inner) => match self.node(inner, target) {
                Node::Const(value) => Node::Const(!value),
                Node::Open => Node::Open,
                node => Node::Not(Box::new(node)),
            },
            Condition::And(operands) => {
                let mut nodes = Vec::new();
                for operand in operands {
                    match self.node(operand, target) {
                        Node::Const(true) => {}
                        Node::Const(false) => return Node::Const(false),
                        node => nodes.push(node),
                    }
                }
                nodes.sort_by_key(cost);
                of_many(nodes, true)
            }
            Condition::Or(operands) => {
                let mut nodes = Vec::new();
                for operand in operands {
                    match self.node(operand, target) {
                        Node::Const(false) => {}
                        Node::Const(true) => return Node::Const(true),
                        node => nodes.push(node),
                    }
                }
                of_many(nodes, false)
            }
            other => match Test::of(other) {
                Some((field, test)) => self.leaf(field, test, target),
                None => Node::Open,
            },
        }
    }
}

fn of_many(mut nodes: Vec<Node>, all: bool) -> Node {
    match nodes.len() {
        0 => Node::Const(all),
        1 => nodes.swap_remove(0),
        _ if all => Node::All(nodes),
        _ => Node::Any(nodes),
    }
}

/// A rough order of what columns cost to decode and how much they rule out.
fn cost(node: &Node) -> u32 {
    match node {
        Node::Const(_) => 0,
        Node::Leaf(leaf) => match leaf {
            Leaf::Trace(_) => 1,
            Leaf::Resource(_) => 2,
            Leaf::Status(_) | Leaf::Kind(_) => 3,
            Leaf::Name { .. } => 4,
            Leaf::StatusMessage { .. } | Leaf::EventName { .. } | Leaf::Root { .. } => 5,
            Leaf::Attribute(AttributeLeaf {
                tail: None,
                otherwise: Otherwise::Const(_) | Otherwise::Resource(_),
                ..
            }) => 6,
            Leaf::Attribute(_) => 20,
            Leaf::Duration(_) | Leaf::SpanId { .. } => 10,
            Leaf::ElementAttribute { .. } | Leaf::LinkId { .. } => 20,
        },
        Node::Not(inner) => cost(inner),
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(cost).fold(0, u32::saturating_add),
        Node::Open => 1000,
    }
}
