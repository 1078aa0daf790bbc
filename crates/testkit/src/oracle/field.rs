//! What a field of a span gives.

use model::{DurationNanos, SERVICE_NAME, SpanId, Value};
use traceql::query::{Constant, Field, Intrinsic, Owner, Scope};

use super::Shown;
use super::tree::Tree;
use crate::trace::{Attributes, Span};

/// The value of a field; `None` is nil.
pub(super) fn read(field: &Field, span: usize, tree: &Tree<'_>) -> Option<Shown> {
    let span = match field.owner() {
        Owner::Span => span,
        Owner::Parent => tree.parents[span]?,
    };
    match field {
        Field::Intrinsic { intrinsic, .. } => self::intrinsic(*intrinsic, span, tree),
        Field::Attribute { scope, name, .. } => attribute(*scope, name, tree.spans[span]),
    }
}

// === intrinsics ===

fn intrinsic(intrinsic: Intrinsic, at: usize, tree: &Tree<'_>) -> Option<Shown> {
    let span = tree.spans[at];
    let (left, right) = tree.numbers[at];
    let constant = match intrinsic {
        Intrinsic::Name => string(&span.name),
        Intrinsic::Status => Constant::Status(span.status),
        Intrinsic::StatusMessage => string(&span.status_message),
        Intrinsic::Duration => Constant::Duration(span.duration),
        Intrinsic::Kind => Constant::Kind(span.kind),
        Intrinsic::SpanId => string(&span.id.to_string()),
        Intrinsic::ParentId if span.parent == SpanId::ZERO => return None,
        Intrinsic::ParentId => string(&span.parent.to_string()),
        Intrinsic::ChildCount => Constant::Int(tree.children(Some(at)).len() as i64),
        Intrinsic::TraceId => string(&tree.trace.id.to_string()),
        Intrinsic::TraceDuration => Constant::Duration(tree.duration()),
        Intrinsic::RootName => string(&tree.root()?.name),
        Intrinsic::RootService => string(tree.root()?.service()),
        Intrinsic::EventName => return many(span.events.iter().map(|event| text(&event.name))),
        Intrinsic::EventTimeSinceStart => {
            let since = |time: model::UnixNanos| duration(time.since(span.start));
            return many(span.events.iter().map(|event| since(event.time)));
        }
        Intrinsic::LinkTraceId => {
            return many(span.links.iter().map(|link| text(&link.trace.to_string())));
        }
        Intrinsic::LinkSpanId => {
            return many(span.links.iter().map(|link| text(&link.span.to_string())));
        }
        Intrinsic::InstrumentationName => string(&span.scope.name),
        Intrinsic::InstrumentationVersion => string(&span.scope.version),
        Intrinsic::NestedSetLeft => Constant::Int(left),
        Intrinsic::NestedSetRight => Constant::Int(right),
        Intrinsic::NestedSetParent => {
            Constant::Int(tree.parents[at].map_or(-1, |parent| tree.numbers[parent].0))
        }
    };
    Some(Shown::One(constant))
}

fn string(text: &str) -> Constant {
    Constant::Str(text.into())
}

fn text(text: &str) -> Shown {
    Shown::One(string(text))
}

fn duration(duration: DurationNanos) -> Shown {
    Shown::One(Constant::Duration(duration))
}

/// An array; one without elements is nil.
fn many(items: impl Iterator<Item = Shown>) -> Option<Shown> {
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then_some(Shown::Many(items))
}

// === attributes ===

fn attribute(scope: Scope, name: &str, span: &Span) -> Option<Shown> {
    match scope {
        Scope::Any => Scope::NAMED
            .into_iter()
            .find_map(|scope| attribute(scope, name, span)),
        Scope::Span => find(name, &span.attributes),
        Scope::Resource if name == SERVICE_NAME => Some(text(span.service())),
        Scope::Resource => find(name, &span.resource),
        Scope::Instrumentation => find(name, &span.scope.attributes),
        Scope::Event => of_each(name, span.events.iter().map(|event| &event.attributes)),
        Scope::Link => of_each(name, span.links.iter().map(|link| &link.attributes)),
    }
}

fn find(name: &str, attributes: &Attributes) -> Option<Shown> {
    let (_, value) = attributes.iter().find(|(key, _)| key == name)?;
    shown(value)
}

/// The values of all owners that have one, as an array.
fn of_each<'a>(name: &str, owners: impl Iterator<Item = &'a Attributes>) -> Option<Shown> {
    let values = owners.filter_map(|attributes| find(name, attributes));
    many(values.flat_map(|value| match value {
        Shown::Many(items) => items,
        one => vec![one],
    }))
}

/// The value of an attribute; `None` when there is none in it.
fn shown(value: &Value) -> Option<Shown> {
    match value {
        Value::Empty => None,
        Value::Array(items) => many(items.iter().map(element)),
        other => Some(element(other)),
    }
}

fn element(value: &Value) -> Shown {
    Shown::One(match value {
        Value::Str(text) => string(text),
        Value::Int(int) => Constant::Int(*int),
        Value::Double(double) => Constant::Float(*double),
        Value::Bool(bool) => Constant::Bool(*bool),
        other => return Shown::Other(other.to_canonical()),
    })
}
