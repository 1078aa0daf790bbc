//! What a field of a span gives, read from the columns of a batch.
//!
//! A [`Reader`] is bound to the table of symbols of a batch once; then it finds attributes by comparing numbers and allocates
//! nothing, but for arrays inside of attributes, which are parsed.

use model::{Attribute, Range32, SERVICE_NAME, SpanBatch, SpanRow, Symbols};
use traceql::query::{CompareOp, Field, Intrinsic, Owner, Scope};
use traceql::semantics::holds;

use crate::Shown;
use crate::item::{BoundWord, Item, Shape, compare, visit_symbol};
use crate::keys::Part;
use crate::tree::Tree;

/// Reads a field.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    owner: Owner,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Intrinsic(Intrinsic),
    Attribute {
        scope: Scope,
        key: BoundWord,
        is_service: bool,
    },
}

/// The value of a field; `None` is nil.
///
/// For a few spans: every call looks the key up in the table of the batch.
///
/// # Panics
/// When the tree has no such position.
pub fn read(field: &Field, tree: &Tree<'_>, at: u32) -> Option<Shown> {
    let symbols = &tree.batch().symbols;
    let mut reader = Reader::new(field);
    reader.bind(symbols);
    let mut items = Vec::new();
    let shape = reader.visit(tree, at, &mut |item| {
        items.push(item.shown(symbols));
        true
    });
    match shape {
        Shape::Nil => None,
        Shape::One => items.pop(),
        Shape::Many => Some(Shown::Many(items)),
    }
}

/// Reads a field of many spans of one batch, to gather its distinct values.
#[derive(Debug)]
pub struct Values {
    reader: Reader,
    /// Whether the text of a symbol has been told.
    is_told: Vec<bool>,
}

impl Values {
    /// Readies a field for a batch. Costs a byte for each of its symbols.
    pub fn new(field: &Field, batch: &SpanBatch) -> Self {
        let mut reader = Reader::new(field);
        reader.bind(&batch.symbols);
        let is_told = vec![false; batch.symbols.len()];
        Self { reader, is_told }
    }

    /// Calls `each` with the value of a span, or with each element of an array; with texts that have symbols of their own only
    /// once for all spans.
    ///
    /// # Panics
    /// When the tree is of another batch or has no such position.
    pub fn read(&mut self, tree: &Tree<'_>, at: u32, mut each: impl FnMut(Shown)) {
        let Self { reader, is_told } = self;
        let symbols = &tree.batch().symbols;
        reader.visit(tree, at, &mut |item| {
            let is_new = match item {
                Item::Text(symbol) => !std::mem::replace(&mut is_told[symbol.index()], true),
                _ => true,
            };
            if is_new {
                each(item.shown(symbols));
            }
            true
        });
    }
}

impl Reader {
    pub(crate) fn new(field: &Field) -> Self {
        let source = match field {
            Field::Intrinsic { intrinsic, .. } => Source::Intrinsic(*intrinsic),
            Field::Attribute { scope, name, .. } => Source::Attribute {
                scope: *scope,
                key: BoundWord::new(name.clone()),
                is_service: &**name == SERVICE_NAME,
            },
        };
        let owner = field.owner();
        Self { owner, source }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        if let Source::Attribute { key, .. } = &mut self.source {
            key.bind(symbols);
        }
    }

    /// Whether it is nil for every span of the batch that it was readied for, since no attribute there has the key.
    pub(crate) fn is_absent(&self) -> bool {
        match &self.source {
            Source::Intrinsic(_) => false,
            Source::Attribute {
                scope,
                key,
                is_service,
            } => {
                let is_derived = *is_service && matches!(scope, Scope::Resource | Scope::Any);
                key.symbol().is_none() && !is_derived
            }
        }
    }

    /// Calls `visit` for the value, or for each element of an array, until it gives false.
    #[inline]
    pub(crate) fn visit(
        &self,
        tree: &Tree<'_>,
        at: u32,
        visit: &mut impl FnMut(Item<'_>) -> bool,
    ) -> Shape {
        let at = match self.owner {
            Owner::Span => at,
            Owner::Parent => match tree.parent(at) {
                Some(parent) => parent,
                None => return Shape::Nil,
            },
        };
        match &self.source {
            Source::Intrinsic(intrinsic) => visit_intrinsic(*intrinsic, tree, at, visit),
            Source::Attribute {
                scope,
                key,
                is_service,
            } => visit_attribute(*scope, key, *is_service, tree, tree.span(at), visit),
        }
    }
}

impl Reader {
    /// Whether a comparison with a constant holds: for any element, but `!=` for every one.
    #[inline]
    pub(crate) fn is(&self, op: CompareOp, constant: Item<'_>, tree: &Tree<'_>, at: u32) -> bool {
        let symbols = &tree.batch().symbols;
        let every = op == CompareOp::Ne;
        let mut holds = every;
        let shape = self.visit(tree, at, &mut |item| {
            holds = compare(op, item, constant, symbols);
            holds == every
        });
        holds && shape != Shape::Nil
    }

    /// Leaves the positions where [`Self::is`] holds. What is asked most is looked at without a detour.
    pub(crate) fn retain(
        &self,
        op: CompareOp,
        constant: Item<'_>,
        tree: &Tree<'_>,
        spans: &mut Vec<u32>,
    ) {
        let is_equal = match op {
            CompareOp::Eq => Some(true),
            CompareOp::Ne => Some(false),
            _ => None,
        };
        let intrinsic = match (&self.source, self.owner) {
            (Source::Intrinsic(intrinsic), Owner::Span) => Some(*intrinsic),
            _ => None,
        };
        match (intrinsic, is_equal, constant) {
            (Some(Intrinsic::Name), Some(equal), Item::Text(name)) => {
                spans.retain(|at| (tree.span(*at).name == name) == equal);
            }
            (Some(Intrinsic::Status), Some(equal), Item::Status(status)) => {
                spans.retain(|at| (tree.span(*at).status == status) == equal);
            }
            (Some(Intrinsic::Kind), Some(equal), Item::Kind(kind)) => {
                spans.retain(|at| (tree.span(*at).kind == kind) == equal);
            }
            (Some(Intrinsic::Duration), _, Item::Duration(nanos) | Item::Int(nanos)) => {
                let holds = |at: u32| holds(op, tree.span(at).duration.0.cmp(&nanos));
                spans.retain(|at| holds(*at));
            }
            _ => spans.retain(|at| self.is(op, constant, tree, *at)),
        }
    }

    /// The value as a key, of an array its first element.
    #[inline]
    pub(crate) fn key(&self, tree: &Tree<'_>, at: u32) -> Part {
        let mut key = Part::Nil;
        self.visit(tree, at, &mut |item| {
            key = Part::of(item);
            false
        });
        key
    }
}

// === intrinsics ===

#[inline]
fn visit_intrinsic(
    intrinsic: Intrinsic,
    tree: &Tree<'_>,
    at: u32,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let batch = tree.batch();
    let span = tree.span(at);
    let resource = || &batch.resources[span.resource as usize];
    visit(match intrinsic {
        Intrinsic::Name => Item::Text(span.name),
        Intrinsic::Status => Item::Status(span.status),
        Intrinsic::Duration => Item::Duration(span.duration.0),
        Intrinsic::Kind => Item::Kind(span.kind),
        Intrinsic::StatusMessage => Item::Text(batch.extra(span).status_message),
        Intrinsic::ChildCount => Item::Int(i64::from(tree.children(at))),
        Intrinsic::TraceDuration => Item::Duration(tree.duration().0),
        Intrinsic::RootName | Intrinsic::RootService => {
            let Some(root) = tree.root().map(|root| tree.span(root)) else {
                return Shape::Nil;
            };
            Item::Text(match intrinsic {
                Intrinsic::RootName => root.name,
                _ => batch.resources[root.resource as usize].service,
            })
        }
        Intrinsic::InstrumentationName => Item::Text(resource().scope_name),
        Intrinsic::InstrumentationVersion => Item::Text(resource().scope_version),
        Intrinsic::NestedSetLeft => Item::Int(tree.numbers(at).0),
        Intrinsic::NestedSetRight => Item::Int(tree.numbers(at).1),
        Intrinsic::NestedSetParent => {
            Item::Int(tree.parent(at).map_or(-1, |parent| tree.numbers(parent).0))
        }
        Intrinsic::ParentId if span.is_root() => return Shape::Nil,
        Intrinsic::SpanId | Intrinsic::ParentId | Intrinsic::TraceId => {
            return visit_id(intrinsic, span, visit);
        }
        Intrinsic::EventName
        | Intrinsic::EventTimeSinceStart
        | Intrinsic::LinkTraceId
        | Intrinsic::LinkSpanId => return visit_repeated(intrinsic, tree, span, visit),
    });
    Shape::One
}

/// Ids are text: lower-case hex in full width.
fn visit_id(
    intrinsic: Intrinsic,
    span: &SpanRow,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let mut digits = [0; 32];
    visit(Item::Str(match intrinsic {
        Intrinsic::TraceId => hex(&span.trace_id.0, &mut digits),
        Intrinsic::ParentId => hex(&span.parent_span_id.0, &mut digits),
        _ => hex(&span.span_id.0, &mut digits),
    }));
    Shape::One
}

fn hex<'d>(id: &[u8], digits: &'d mut [u8; 32]) -> &'d str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in digits.chunks_exact_mut(2).zip(id) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(&digits[..id.len() * 2]).unwrap_or_default()
}

/// A value for each event or link.
fn visit_repeated(
    intrinsic: Intrinsic,
    tree: &Tree<'_>,
    span: &SpanRow,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let batch = tree.batch();
    if matches!(
        intrinsic,
        Intrinsic::EventName | Intrinsic::EventTimeSinceStart
    ) {
        let events = batch.events(span);
        events.iter().all(|event| {
            visit(match intrinsic {
                Intrinsic::EventName => Item::Text(event.name),
                _ => Item::Duration(event.time.since(span.start).0),
            })
        });
        return many(events);
    }
    let links = batch.links(span);
    links.iter().all(|link| {
        let mut digits = [0; 32];
        visit(Item::Str(match intrinsic {
            Intrinsic::LinkTraceId => hex(&link.trace_id.0, &mut digits),
            _ => hex(&link.span_id.0, &mut digits),
        }))
    });
    many(links)
}

fn many<T>(items: &[T]) -> Shape {
    if items.is_empty() {
        Shape::Nil
    } else {
        Shape::Many
    }
}

// === attributes ===

#[inline]
fn visit_attribute(
    scope: Scope,
    key: &BoundWord,
    is_service: bool,
    tree: &Tree<'_>,
    span: &SpanRow,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let batch = tree.batch();
    match scope {
        Scope::Span => visit_range(key, span.attributes, tree, visit),
        Scope::Resource => {
            let resource = &batch.resources[span.resource as usize];
            if is_service {
                // Every span has a service, whether its resource names one or not.
                visit(Item::Text(resource.service));
                return Shape::One;
            }
            visit_range(key, resource.attributes, tree, visit)
        }
        Scope::Instrumentation => {
            let range = batch.resources[span.resource as usize].scope_attributes;
            visit_range(key, range, tree, visit)
        }
        Scope::Event => {
            let events = batch.events(span).iter();
            visit_ranges(key, events.map(|event| event.attributes), tree, visit)
        }
        Scope::Link => {
            let links = batch.links(span).iter();
            visit_ranges(key, links.map(|link| link.attributes), tree, visit)
        }
        Scope::Any => Scope::NAMED
            .into_iter()
            .map(|scope| visit_named(scope, key, is_service, tree, span, visit))
            .find(|shape| *shape != Shape::Nil)
            .unwrap_or(Shape::Nil),
    }
}

/// Of an unscoped look-up, one scope. Apart, so that the look-up of a scope is not made of itself.
fn visit_named(
    scope: Scope,
    key: &BoundWord,
    is_service: bool,
    tree: &Tree<'_>,
    span: &SpanRow,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    if scope == Scope::Any {
        return Shape::Nil;
    }
    visit_attribute(scope, key, is_service, tree, span, visit)
}

#[inline]
fn find(key: &BoundWord, attributes: &[Attribute]) -> Option<Attribute> {
    let key = key.symbol()?;
    attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .copied()
}

#[inline]
fn visit_range(
    key: &BoundWord,
    range: Range32,
    tree: &Tree<'_>,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    match find(key, tree.batch().attributes(range)) {
        Some(attribute) => visit_symbol(&tree.batch().symbols, attribute.value, visit),
        None => Shape::Nil,
    }
}

/// The values of all owners that have one, laid end to end.
fn visit_ranges(
    key: &BoundWord,
    ranges: impl Iterator<Item = Range32>,
    tree: &Tree<'_>,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let mut shape = Shape::Nil;
    let mut goes_on = true;
    for range in ranges {
        let given = visit_range(key, range, tree, &mut |item| {
            goes_on = visit(item);
            goes_on
        });
        if given != Shape::Nil {
            shape = Shape::Many;
        }
        if !goes_on {
            break;
        }
    }
    shape
}
