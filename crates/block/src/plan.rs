//! Which span attributes get a column of their own.
//!
//! A column of its own makes a key some 150 times faster to filter by and smaller to store, but every column costs a
//! little in every row group, so only frequent keys get one; the rest share the `attributes` column.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;
use model::{SpanBatch, SymbolKind};

use crate::{AttributeColumn, AttributeScope, AttributeType, BlockMeta, WriteOptions};

/// A key must be on one span in so many to be worth a column.
const SPANS_PER_KEY_MAX: u64 = 1000;

/// Spans looked at to find the frequent keys; more would only cost time.
const SAMPLE_SPANS: usize = 20_000;

/// Which span attributes get a column of their own. Fixed before the first row is written.
#[derive(Debug, Clone, Default)]
pub struct ColumnPlan {
    pub(crate) columns: Vec<AttributeColumn>,
}

impl ColumnPlan {
    /// The plan for a block of these spans, from a sample of them.
    pub fn of_batch(batch: &SpanBatch, options: &WriteOptions) -> Self {
        let stride = batch.len().div_ceil(SAMPLE_SPANS).max(1);
        let mut counts: HashMap<_, u64, FixedState> = HashMap::default();
        let mut sampled = 0;
        for span in batch.spans.iter().step_by(stride) {
            sampled += 1;
            for attribute in batch.attributes(span.attributes) {
                *counts
                    .entry((attribute.key, batch.symbols.kind(attribute.value)))
                    .or_default() += 1;
            }
        }
        let named = counts
            .into_iter()
            .map(|((key, kind), count)| (batch.symbols.str(key).to_owned(), kind.into(), count));
        Self::of_counts(named.collect(), sampled, options)
    }

    /// The plan for a block that joins these.
    pub fn of_blocks<'a>(
        blocks: impl IntoIterator<Item = &'a BlockMeta>,
        options: &WriteOptions,
    ) -> Self {
        let mut counts = HashMap::new();
        let mut spans = 0;
        for block in blocks {
            spans += block.spans;
            for key in block
                .keys
                .iter()
                .filter(|key| key.scope == AttributeScope::Span)
            {
                *counts.entry((key.key.as_str(), key.kind)).or_insert(0u64) += key.count;
            }
        }
        let named = counts
            .into_iter()
            .map(|((key, kind), count)| (key.to_owned(), kind, count));
        Self::of_counts(named.collect(), spans, options)
    }

    fn of_counts(
        mut keys: Vec<(String, AttributeType, u64)>,
        spans: u64,
        options: &WriteOptions,
    ) -> Self {
        keys.retain(|&(_, _, count)| count * SPANS_PER_KEY_MAX >= spans);
        keys.sort_by(|left, right| {
            right
                .2
                .cmp(&left.2)
                .then_with(|| (&left.0, left.1).cmp(&(&right.0, right.1)))
        });
        keys.truncate(options.columns_max);
        let mut taken = HashSet::new();
        let mut columns: Vec<AttributeColumn> = keys
            .into_iter()
            .map(|(key, kind, _)| {
                let mut column = format!("attr.{key}");
                if !taken.insert(column.clone()) {
                    // A second type of the same key. Brackets cannot make it meet another key's name unnoticed: see the loop.
                    column = format!("attr.{key}[{kind}]");
                    while !taken.insert(column.clone()) {
                        column.push('\'');
                    }
                }
                AttributeColumn { key, kind, column }
            })
            .collect();
        columns.sort_by(|left, right| left.column.cmp(&right.column));
        Self { columns }
    }
}

impl From<SymbolKind> for AttributeType {
    fn from(kind: SymbolKind) -> Self {
        match kind {
            SymbolKind::Str => Self::String,
            SymbolKind::Int => Self::Int,
            SymbolKind::Double => Self::Double,
            SymbolKind::Bool => Self::Bool,
            SymbolKind::Json => Self::Json,
        }
    }
}
