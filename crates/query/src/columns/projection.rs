//! Which columns a query needs of a block, to evaluate whole traces and to show spans.

use std::collections::BTreeSet;

use block::{AttributeScope, BlockMeta, SpanColumn, SpanFile};
use traceql::query::{Field, Intrinsic, Owner, Scope};

use super::leaf::{may_be_in_tail, may_have};

/// What is shown of every span: id, times, name and who.
const ALWAYS: [SpanColumn; 5] = [
    SpanColumn::SpanId,
    SpanColumn::Start,
    SpanColumn::Duration,
    SpanColumn::Name,
    SpanColumn::Resource,
];

/// The fields of a query, by what they need.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// Keys of attributes that spans may have.
    names: BTreeSet<String>,
    columns: BTreeSet<SpanColumn>,
    /// Keys that events or links may have.
    repeated: BTreeSet<(bool, String)>,
    /// Every attribute is needed.
    all: bool,
    /// Who is whose parent is needed.
    structure: bool,
    /// Nothing but the ids of spans is needed.
    only_ids: bool,
}

impl Keys {
    /// What these fields need.
    pub(crate) fn of<'a>(fields: impl IntoIterator<Item = &'a Field>) -> Self {
        let mut keys = Self::default();
        for field in fields {
            keys.add(field);
        }
        keys
    }

    /// Nothing but the ids of spans.
    pub(crate) fn ids() -> Self {
        Self {
            only_ids: true,
            ..Self::default()
        }
    }

    /// Everything.
    pub(crate) fn everything() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Who is whose parent is wanted.
    pub(crate) fn with_structure(mut self) -> Self {
        self.structure = true;
        self
    }

    /// Weights of sampled spans are wanted.
    pub(crate) fn with_weights(mut self) -> Self {
        self.columns.insert(SpanColumn::TraceState);
        self
    }

    fn add(&mut self, field: &Field) {
        self.structure |= field.owner() == Owner::Parent;
        match field {
            Field::Intrinsic {
                intrinsic:
                    Intrinsic::ParentId
                    | Intrinsic::ChildCount
                    | Intrinsic::RootName
                    | Intrinsic::RootService
                    | Intrinsic::NestedSetLeft
                    | Intrinsic::NestedSetRight
                    | Intrinsic::NestedSetParent,
                ..
            } => self.structure = true,
            Field::Intrinsic { intrinsic, .. } => self.columns.extend(match intrinsic {
                Intrinsic::Status => Some(SpanColumn::Status),
                Intrinsic::StatusMessage => Some(SpanColumn::StatusMessage),
                Intrinsic::Kind => Some(SpanColumn::Kind),
                Intrinsic::EventName | Intrinsic::EventTimeSinceStart => Some(SpanColumn::Events),
                Intrinsic::LinkTraceId | Intrinsic::LinkSpanId => Some(SpanColumn::Links),
                _ => None,
            }),
            Field::Attribute { scope, name, .. } => {
                let name = name.to_string();
                if matches!(scope, Scope::Any | Scope::Event) {
                    self.repeated.insert((false, name.clone()));
                }
                if matches!(scope, Scope::Any | Scope::Link) {
                    self.repeated.insert((true, name.clone()));
                }
                if matches!(scope, Scope::Any | Scope::Span) {
                    self.names.insert(name);
                }
            }
        }
    }

    /// The columns of a block that hold what is needed.
    pub(crate) fn columns(&self, meta: &BlockMeta, file: &SpanFile) -> Vec<SpanColumn> {
        if self.only_ids {
            return vec![SpanColumn::SpanId, SpanColumn::Resource];
        }
        let mut columns: BTreeSet<SpanColumn> = ALWAYS.into_iter().collect();
        columns.extend(&self.columns);
        if self.structure || self.all {
            columns.extend([SpanColumn::Parent, SpanColumn::ParentSpanId]);
        }
        for name in &self.names {
            columns.extend(
                file.columns_of(name)
                    .map(|(at, _)| SpanColumn::Attribute(at)),
            );
            if may_be_in_tail(meta, name) {
                columns.insert(SpanColumn::Tail);
            }
        }
        for (is_link, name) in &self.repeated {
            let (scope, column) = if *is_link {
                (AttributeScope::Link, SpanColumn::Links)
            } else {
                (AttributeScope::Event, SpanColumn::Events)
            };
            if may_have(meta, scope, name) {
                columns.insert(column);
            }
        }
        if self.all {
            columns.extend([
                SpanColumn::Kind,
                SpanColumn::Status,
                SpanColumn::StatusMessage,
            ]);
            columns.extend([SpanColumn::Tail, SpanColumn::Events, SpanColumn::Links]);
            let attributes = 0..file.columns().len() as u16;
            columns.extend(attributes.map(SpanColumn::Attribute));
        }
        columns.into_iter().collect()
    }
}
