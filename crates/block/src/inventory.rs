//! Counts services, operations and attribute keys while a block is written, for its manifest entry.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use model::{Attribute, Range32, SpanBatch, Symbol, Symbols};

use crate::facts::SpanFacts;
use crate::{AttributeScope, AttributeType, KeyInfo, OperationInfo, ServiceInfo};

/// Operations listed for one service. A service with more puts ids into span names.
const OPERATIONS_MAX: usize = 500;

/// Attribute keys listed for one block.
const KEYS_MAX: usize = 2000;

/// Counts of one row group, in symbols of its caller.
#[derive(Default)]
pub(crate) struct RowGroupCounts {
    operations: HashMap<(Symbol, Symbol), Operation, FixedState>,
    keys: HashMap<(AttributeScope, Symbol, AttributeType), u64, FixedState>,
    columns: Vec<(String, AttributeType, u64)>,
}

#[derive(Default, Clone, Copy)]
struct Operation {
    spans: u64,
    errors: u64,
    roots: u64,
}

impl RowGroupCounts {
    #[inline]
    pub(crate) fn span(&mut self, span: &SpanFacts) {
        let operation = self
            .operations
            .entry((span.service, span.name))
            .or_default();
        operation.spans += 1;
        operation.errors += u64::from(span.is_error);
        operation.roots += u64::from(span.is_root);
    }

    /// Span attributes that have no column of their own.
    pub(crate) fn tail(&mut self, batch: &SpanBatch, attributes: &[Attribute]) {
        self.each(AttributeScope::Span, batch, attributes);
    }

    pub(crate) fn attributes(&mut self, scope: AttributeScope, batch: &SpanBatch, range: Range32) {
        self.each(scope, batch, batch.attributes(range));
    }

    fn each(&mut self, scope: AttributeScope, batch: &SpanBatch, attributes: &[Attribute]) {
        for attribute in attributes {
            let kind = batch.symbols.kind(attribute.value).into();
            self.attribute(scope, attribute.key, kind);
        }
    }

    /// An attribute that has no column of its own.
    pub(crate) fn attribute(&mut self, scope: AttributeScope, key: Symbol, kind: AttributeType) {
        *self.keys.entry((scope, key, kind)).or_default() += 1;
    }

    /// Span attributes that have one.
    pub(crate) fn column(&mut self, key: &str, kind: AttributeType, count: u64) {
        self.columns.push((key.to_owned(), kind, count));
    }
}

/// Counts of the whole block, in words.
#[derive(Default)]
pub(crate) struct Inventory {
    services: BTreeMap<String, HashMap<String, Operation>>,
    keys: HashMap<(AttributeScope, String, AttributeType), u64>,
}

impl Inventory {
    pub(crate) fn add(&mut self, symbols: &Symbols, counts: RowGroupCounts) {
        for ((service, name), counted) in counts.operations {
            let operations = self
                .services
                .entry(symbols.str(service).to_owned())
                .or_default();
            let operation = operations.entry(symbols.str(name).to_owned()).or_default();
            operation.spans += counted.spans;
            operation.errors += counted.errors;
            operation.roots += counted.roots;
        }
        for ((scope, key, kind), count) in counts.keys {
            *self
                .keys
                .entry((scope, symbols.str(key).to_owned(), kind))
                .or_default() += count;
        }
        for (key, kind, count) in counts.columns.into_iter().filter(|&(.., count)| count > 0) {
            *self
                .keys
                .entry((AttributeScope::Span, key, kind))
                .or_default() += count;
        }
    }

    /// The attributes of the block's distinct resources and scopes.
    pub(crate) fn add_resources(&mut self, resources: &SpanBatch) {
        let mut counts = RowGroupCounts::default();
        for row in &resources.resources {
            counts.attributes(AttributeScope::Resource, resources, row.attributes);
            counts.attributes(
                AttributeScope::Instrumentation,
                resources,
                row.scope_attributes,
            );
        }
        self.add(&resources.symbols, counts);
    }

    pub(crate) fn services(&self) -> Vec<ServiceInfo> {
        self.services
            .iter()
            .map(|(name, operations)| service_info(name, operations))
            .collect()
    }

    /// The keys, most frequent first, and whether there were more.
    pub(crate) fn keys(self) -> (Vec<KeyInfo>, bool) {
        let mut keys: Vec<KeyInfo> = self
            .keys
            .into_iter()
            .map(|((scope, key, kind), count)| KeyInfo {
                scope,
                key,
                kind,
                count,
            })
            .collect();
        keys.sort_by(|left, right| {
            right.count.cmp(&left.count).then_with(|| {
                (left.scope, &left.key, left.kind).cmp(&(right.scope, &right.key, right.kind))
            })
        });
        let truncated = keys.len() > KEYS_MAX;
        keys.truncate(KEYS_MAX);
        (keys, truncated)
    }
}

fn service_info(name: &str, operations: &HashMap<String, Operation>) -> ServiceInfo {
    let mut listed: Vec<OperationInfo> = operations
        .iter()
        .map(|(name, counted)| OperationInfo {
            name: name.clone(),
            spans: counted.spans,
            roots: counted.roots,
        })
        .collect();
    listed.sort_by(|left, right| {
        right
            .spans
            .cmp(&left.spans)
            .then_with(|| left.name.cmp(&right.name))
    });
    let operations_truncated = listed.len() > OPERATIONS_MAX;
    listed.truncate(OPERATIONS_MAX);
    ServiceInfo {
        name: name.to_owned(),
        spans: operations.values().map(|counted| counted.spans).sum(),
        errors: operations.values().map(|counted| counted.errors).sum(),
        operations: listed,
        operations_truncated,
    }
}
