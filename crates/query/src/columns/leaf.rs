//! A test of one field, compiled for one block.

use block::{AttributeScope, AttributeType, BlockMeta, SpanColumn, TraceTable};
use model::{SERVICE_NAME, SpanBatch, SpanId, SpanKind, StatusCode, Symbol};
use traceql::query::{CompareOp, Constant, Field, Intrinsic, Owner, Scope};

use super::filter::{Filter, Node, Target};
use super::test::{Durations, Test};
use super::value::{of_resource_attribute, of_scope_attribute};

/// What may be known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    No,
    Yes,
    Maybe,
}

impl From<bool> for Known {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

#[derive(Debug)]
pub(super) enum Leaf {
    /// By the row of the resource.
    Resource(Vec<bool>),
    /// By kind or status.
    Kind([bool; 6]),
    Status([bool; 3]),
    Duration(Durations),
    /// Durations that cannot be said as a range; they compare with nothing.
    SpanId {
        id: SpanId,
        equal: bool,
    },
    Name {
        test: Test,
        memo: usize,
    },
    StatusMessage {
        test: Test,
        memo: usize,
    },
    /// By the names of its events, as of an array.
    EventName {
        test: Test,
        memo: usize,
    },
    /// By the attributes of its events or links, as of one array.
    ElementAttribute {
        of_links: bool,
        key: String,
        test: Test,
    },
    /// By the ids of the traces that it links to, or of the spans, as of an array.
    LinkId {
        of_trace: bool,
        test: Test,
    },
    /// Whether the parent is among the rows; what holds for those without and for the others.
    Root {
        without: Known,
        with: Known,
    },
    /// By the trace: its position in the trace table.
    Trace(Vec<Known>),
    Attribute(AttributeLeaf),
}

#[derive(Debug)]
pub(super) struct AttributeLeaf {
    pub(super) test: Test,
    /// Columns of the key, each with its type and the place of its memo.
    pub(super) columns: Vec<(u16, AttributeType, usize)>,
    /// The key, where the attributes without a column may have it.
    pub(super) tail: Option<String>,
    /// For spans that lack the attribute.
    pub(super) otherwise: Otherwise,
}

#[derive(Debug)]
pub(super) enum Otherwise {
    Const(bool),
    /// By the row of the resource.
    Resource(Vec<bool>),
    Elements(Elements),
}

/// Looks for an attribute in one place after the other: the resource, where it has it; events; links; and by the row of the
/// resource what holds for spans that have it in none of these.
#[derive(Debug)]
pub(super) struct Elements {
    pub(super) key: String,
    pub(super) of_resource: Vec<Option<bool>>,
    pub(super) in_events: bool,
    pub(super) in_links: bool,
    pub(super) last: Vec<bool>,
}

impl Filter {
    fn memo(&mut self) -> usize {
        self.memos += 1;
        self.memos - 1
    }

    fn uses(&mut self, column: SpanColumn) {
        self.columns.push(column);
    }

    pub(super) fn leaf(&mut self, field: &Field, test: Test, target: &Target<'_>) -> Node {
        match field {
            Field::Intrinsic {
                owner: Owner::Parent,
                ..
            }
            | Field::Attribute {
                owner: Owner::Parent,
                ..
            } => Node::Open,
            Field::Intrinsic { intrinsic, .. } => self.intrinsic(*intrinsic, test, target),
            Field::Attribute { scope, name, .. } => self.attribute(*scope, name, test, target),
        }
    }

    fn intrinsic(&mut self, intrinsic: Intrinsic, test: Test, target: &Target<'_>) -> Node {
        let leaf = match intrinsic {
            Intrinsic::Name => {
                self.uses(SpanColumn::Name);
                let memo = self.memo();
                Leaf::Name { test, memo }
            }
            Intrinsic::StatusMessage => {
                self.uses(SpanColumn::StatusMessage);
                let memo = self.memo();
                Leaf::StatusMessage { test, memo }
            }
            Intrinsic::EventName => {
                self.uses(SpanColumn::EventName);
                let memo = self.memo();
                Leaf::EventName { test, memo }
            }
            Intrinsic::Status => {
                self.uses(SpanColumn::Status);
                Leaf::Status([0, 1, 2].map(|at| test.of_status(StatusCode::from_number(at))))
            }
            Intrinsic::Kind => {
                self.uses(SpanColumn::Kind);
                let kinds = [0, 1, 2, 3, 4, 5];
                Leaf::Kind(kinds.map(|at| test.of_kind(SpanKind::from_number(at))))
            }
            Intrinsic::Duration => {
                self.uses(SpanColumn::Duration);
                match test.durations() {
                    Some(durations) => Leaf::Duration(durations),
                    None => return Node::Const(test.of_duration(0)),
                }
            }
            Intrinsic::SpanId => match &test {
                Test::Compare(op @ (CompareOp::Eq | CompareOp::Ne), Constant::Str(id)) => {
                    let equal = *op == CompareOp::Eq;
                    let Ok(id) = id.parse::<SpanId>() else {
                        return Node::Const(!equal);
                    };
                    self.uses(SpanColumn::SpanId);
                    Leaf::SpanId { id, equal }
                }
                _ => return Node::Open,
            },
            Intrinsic::NestedSetParent => {
                self.uses(SpanColumn::Parent);
                Leaf::Root {
                    without: test.of_constant(&Constant::Int(-1)).into(),
                    with: of_positive(&test),
                }
            }
            Intrinsic::InstrumentationName | Intrinsic::InstrumentationVersion => {
                let batch = target.resources;
                let verdicts = batch.resources.iter().map(|row| {
                    let word = match intrinsic {
                        Intrinsic::InstrumentationName => row.scope_name,
                        _ => row.scope_version,
                    };
                    test.of_text(batch.symbols.str(word))
                });
                return of_resources(verdicts.collect());
            }
            Intrinsic::TraceId
            | Intrinsic::TraceDuration
            | Intrinsic::RootName
            | Intrinsic::RootService => return of_traces(intrinsic, &test, target.traces),
            Intrinsic::LinkTraceId | Intrinsic::LinkSpanId => {
                self.uses(SpanColumn::Links);
                let of_trace = intrinsic == Intrinsic::LinkTraceId;
                Leaf::LinkId { of_trace, test }
            }
            Intrinsic::ParentId
            | Intrinsic::ChildCount
            | Intrinsic::EventTimeSinceStart
            | Intrinsic::NestedSetLeft
            | Intrinsic::NestedSetRight => return Node::Open,
        };
        Node::Leaf(leaf)
    }

    fn of_elements(&mut self, of_links: bool, key: &str, test: Test, meta: &BlockMeta) -> Node {
        let (inventory, column) = if of_links {
            (AttributeScope::Link, SpanColumn::Links)
        } else {
            (AttributeScope::Event, SpanColumn::Events)
        };
        // An array is not the boolean true, whatever is in it.
        if !may_have(meta, inventory, key) || matches!(test, Test::IsTrue) {
            return Node::Const(test.of_nil());
        }
        self.uses(column);
        let key = key.to_owned();
        Node::Leaf(Leaf::ElementAttribute {
            of_links,
            key,
            test,
        })
    }

    fn attribute(&mut self, scope: Scope, name: &str, test: Test, target: &Target<'_>) -> Node {
        let resources = target.resources;
        let of_each = |value: &dyn Fn(usize) -> Option<bool>| -> Vec<bool> {
            let rows = 0..resources.resources.len();
            rows.map(|row| value(row).unwrap_or(test.of_nil()))
                .collect()
        };
        match scope {
            Scope::Resource => {
                return of_resources(of_each(&|row| of_resource(resources, row, name, &test)));
            }
            Scope::Instrumentation => {
                return of_resources(of_each(&|row| of_scope(resources, row, name, &test)));
            }
            Scope::Event | Scope::Link => {
                let of_links = scope == Scope::Link;
                return self.of_elements(of_links, name, test, target.meta);
            }
            Scope::Span | Scope::Any => {}
        }
        let found = target.file.columns_of(name);
        let found: Vec<_> = found.map(|(at, column)| (at, column.kind)).collect();
        let columns: Vec<_> = found
            .into_iter()
            .map(|(at, kind)| {
                self.uses(SpanColumn::Attribute(at));
                (at, kind, self.memo())
            })
            .collect();
        let tail = may_be_in_tail(target.meta, name).then(|| name.to_owned());
        if tail.is_some() {
            self.uses(SpanColumn::Tail);
        }
        let otherwise = if scope == Scope::Span {
            Otherwise::Const(test.of_nil())
        } else {
            self.anywhere_else(name, &test, target)
        };
        if columns.is_empty() && tail.is_none() {
            match otherwise {
                Otherwise::Const(value) => return Node::Const(value),
                Otherwise::Resource(verdicts) => return of_resources(verdicts),
                Otherwise::Elements(_) => {}
            }
        }
        Node::Leaf(Leaf::Attribute(AttributeLeaf {
            test,
            columns,
            tail,
            otherwise,
        }))
    }

    /// What an unscoped attribute that spans lack gives: resource, event, link, instrumentation, in this order.
    fn anywhere_else(&mut self, name: &str, test: &Test, target: &Target<'_>) -> Otherwise {
        let in_events = may_have(target.meta, AttributeScope::Event, name);
        let in_links = may_have(target.meta, AttributeScope::Link, name);
        let resources = target.resources;
        let rows = 0..resources.resources.len();
        let of_resource: Vec<Option<bool>> = rows
            .clone()
            .map(|row| of_resource(resources, row, name, test))
            .collect();
        let last = rows.map(|row| of_scope(resources, row, name, test).unwrap_or(test.of_nil()));
        let last: Vec<bool> = last.collect();
        if in_events || in_links {
            let columns = [
                in_events.then_some(SpanColumn::Events),
                in_links.then_some(SpanColumn::Links),
            ];
            self.columns.extend(columns.into_iter().flatten());
            return Otherwise::Elements(Elements {
                key: name.to_owned(),
                of_resource,
                in_events,
                in_links,
                last,
            });
        }
        let verdicts = of_resource.iter().zip(&last);
        let verdicts: Vec<bool> = verdicts
            .map(|(first, last)| first.unwrap_or(*last))
            .collect();
        match verdicts.first() {
            Some(first) if verdicts.iter().all(|verdict| verdict == first) => {
                Otherwise::Const(*first)
            }
            _ => Otherwise::Resource(verdicts),
        }
    }
}

fn of_resources(verdicts: Vec<bool>) -> Node {
    match verdicts.first() {
        None => Node::Const(false),
        Some(first) if verdicts.iter().all(|verdict| verdict == first) => Node::Const(*first),
        Some(_) => Node::Leaf(Leaf::Resource(verdicts)),
    }
}

fn of_traces(intrinsic: Intrinsic, test: &Test, traces: &TraceTable) -> Node {
    let word = |word: Option<Symbol>| match word {
        Some(word) => test.of_text(traces.text(word)),
        None => test.of_nil(),
    };
    let verdicts = (0..traces.len()).map(|at| match intrinsic {
        Intrinsic::TraceId => test.of_text(&traces.trace_id(at).to_string()).into(),
        // Only all pieces together tell.
        _ if traces.is_partial(at) => Known::Maybe,
        Intrinsic::TraceDuration => test.of_duration(traces.duration(at).0).into(),
        Intrinsic::RootName => word(traces.root(at).map(|(_, name)| name)).into(),
        _ => word(traces.root(at).map(|(service, _)| service)).into(),
    });
    Node::Leaf(Leaf::Trace(verdicts.collect()))
}

/// What holds for every integer from 1 on.
fn of_positive(test: &Test) -> Known {
    let at = |int| test.of_constant(&Constant::Int(int));
    let (least, greatest) = (at(1), at(i64::MAX));
    // Equality can hold in between though it holds at neither end.
    let is_equality = matches!(test, Test::Compare(CompareOp::Eq | CompareOp::Ne, _));
    match (least, greatest) {
        (true, true) if !is_equality => Known::Yes,
        (false, false) if !is_equality => Known::No,
        _ if is_equality && matches!(test, Test::Compare(_, Constant::Int(int)) if *int < 1) => {
            least.into()
        }
        _ => Known::Maybe,
    }
}

/// What holds for an attribute of a resource; `None` where it has no value.
fn of_resource(resources: &SpanBatch, row: usize, name: &str, test: &Test) -> Option<bool> {
    if name == SERVICE_NAME {
        let service = resources.resources[row].service;
        return Some(test.of_text(resources.symbols.str(service)));
    }
    of_resource_attribute(resources, row, name).map(|value| test.of_value(value))
}

fn of_scope(resources: &SpanBatch, row: usize, name: &str, test: &Test) -> Option<bool> {
    of_scope_attribute(resources, row, name).map(|value| test.of_value(value))
}

/// Whether some event or link of the block may have an attribute of this key.
pub(super) fn may_have(meta: &BlockMeta, scope: AttributeScope, name: &str) -> bool {
    meta.keys_truncated
        || meta
            .keys
            .iter()
            .any(|key| key.scope == scope && key.key == name)
}

/// Whether a span may have the attribute without a column of its type.
pub(super) fn may_be_in_tail(meta: &BlockMeta, name: &str) -> bool {
    let has_column = |kind: AttributeType| {
        let mut columns = meta.columns.iter();
        columns.any(|column| column.key == name && column.kind == kind)
    };
    let of_span = |key: &&block::KeyInfo| key.scope == AttributeScope::Span && key.key == name;
    let mut known = meta.keys.iter().filter(of_span).peekable();
    (known.peek().is_none() && meta.keys_truncated) || known.any(|key| !has_column(key.kind))
}
