//! The numbers that functions compute with.

use block::{AttributePages, AttributeType, SpanColumn, SpanGroup};
use evaluate::Number;
use model::ValueRef;
use traceql::query::{Field, Intrinsic, Owner, Scope};

use super::Read;
use crate::block_scan::BlockScan;
use crate::columns::{Keys as Needed, Mask, of_resource_attribute, of_scope_attribute, value_of};

/// Where the numbers are.
pub(super) enum Values {
    /// The function looks at none.
    None,
    Duration,
    /// By columns of spans, and where they have none by the row of the resource.
    Attribute {
        columns: Vec<(u16, AttributeType)>,
        otherwise: Vec<Option<Number>>,
        opened: Vec<SpanColumn>,
    },
}

impl Values {
    pub(super) fn compile(field: Option<&Field>, scan: &BlockScan) -> Option<Self> {
        let Some(field) = field else {
            return Some(Self::None);
        };
        match field {
            Field::Intrinsic {
                owner: Owner::Span,
                intrinsic: Intrinsic::Duration,
            } => Some(Self::Duration),
            Field::Attribute {
                owner: Owner::Span,
                scope: scope @ (Scope::Span | Scope::Any | Scope::Resource | Scope::Instrumentation),
                name,
            } => Self::attribute(*scope, name, field, scan),
            _ => None,
        }
    }

    fn attribute(scope: Scope, name: &str, field: &Field, scan: &BlockScan) -> Option<Self> {
        let file = scan.columns.file();
        let needed = Needed::of([field]).columns(&scan.meta, file);
        let elsewhere = [SpanColumn::Tail, SpanColumn::Events, SpanColumn::Links];
        if elsewhere.iter().any(|column| needed.contains(column)) {
            return None;
        }
        let columns: Vec<_> = match scope {
            Scope::Span | Scope::Any => {
                let found = file.columns_of(name);
                found.map(|(at, column)| (at, column.kind)).collect()
            }
            _ => Vec::new(),
        };
        // Arrays give a number for each element.
        if columns.iter().any(|(_, kind)| *kind == AttributeType::Json) {
            return None;
        }
        let resources = scan.columns.resources();
        let mut otherwise = Vec::with_capacity(resources.resources.len());
        for row in 0..resources.resources.len() {
            let of_resource = || of_resource_attribute(resources, row, name);
            let of_scope = || of_scope_attribute(resources, row, name);
            let value = match scope {
                Scope::Span => None,
                Scope::Resource => of_resource(),
                Scope::Instrumentation => of_scope(),
                _ => of_resource().or_else(of_scope),
            };
            if matches!(value, Some(ValueRef::Json(_))) {
                return None;
            }
            otherwise.push(value.and_then(number));
        }
        let opened = columns
            .iter()
            .map(|(at, _)| SpanColumn::Attribute(*at))
            .collect();
        Some(Self::Attribute {
            columns,
            otherwise,
            opened,
        })
    }

    pub(super) fn columns(&self) -> &[SpanColumn] {
        match self {
            Self::None => &[],
            Self::Duration => &[SpanColumn::Duration],
            Self::Attribute { opened, .. } => opened,
        }
    }

    /// Calls `each` with the rows of `mask` that have a number, and the number.
    pub(super) fn each(
        &self,
        spans: &mut SpanGroup,
        page: usize,
        mask: &Mask,
        mut each: impl FnMut(usize, Number),
    ) -> Read<()> {
        match self {
            Self::None => {}
            Self::Duration => {
                let durations = spans.duration(page)?;
                mask.each(|row| each(row, Number::Duration(durations[row])));
            }
            Self::Attribute {
                columns, otherwise, ..
            } => {
                let mut open = mask.clone();
                for &(at, kind) in columns {
                    match spans.attribute(at, page)? {
                        // Booleans are no numbers, but they are values.
                        AttributePages::Bools(bools) => {
                            bools
                                .rows()
                                .iter()
                                .for_each(|&row| open.clear(row as usize));
                        }
                        AttributePages::Words(words) => {
                            for (at, &row) in words.rows().iter().enumerate() {
                                let row = row as usize;
                                if !open.has(row) {
                                    continue;
                                }
                                open.clear(row);
                                if let Some(number) = number(value_of(words.value(at), kind)?) {
                                    each(row, number);
                                }
                            }
                        }
                    }
                }
                if otherwise.iter().any(Option::is_some) && !open.is_empty() {
                    let resources = spans.resource(page)?;
                    for row in open.rows() {
                        if let Some(number) = otherwise[resources[row] as usize] {
                            each(row, number);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn number(value: ValueRef<'_>) -> Option<Number> {
    match value {
        ValueRef::Int(int) => Some(Number::Int(int)),
        ValueRef::Double(double) => Some(Number::Float(double)),
        ValueRef::Str(_) | ValueRef::Bool(_) | ValueRef::Json(_) => None,
    }
}
