//! Services and operations, from the inventories of blocks and the counts of live spans; no span is read.

use std::collections::BTreeMap;

use crate::{Query, QueryError};

/// A service that occurs in live or stored spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Spans held.
    pub spans: u64,
    /// Spans with an error.
    pub errors: u64,
}

/// A span name of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Operation {
    /// The name.
    pub name: String,
    /// Spans held.
    pub spans: u64,
    /// How many of them are the root of their trace.
    pub roots: u64,
}

impl Query {
    /// All services, sorted by name.
    ///
    /// # Errors
    /// [`QueryError::Live`]
    pub async fn services(&self) -> Result<Vec<Service>, QueryError> {
        let live = self.collector.services().await?;
        let mut services = BTreeMap::<String, Service>::new();
        let mut add = |name: &str, spans, errors| {
            let service = services.entry(name.to_owned()).or_default();
            service.spans += spans;
            service.errors += errors;
        };
        for service in &live.value {
            add(&service.name, service.spans, service.errors);
        }
        let blocks = self.store.blocks();
        let stored = blocks
            .iter()
            .filter(|block| !live.blocks.contains(&block.id));
        for service in stored.flat_map(|block| &block.services) {
            add(&service.name, service.spans, service.errors);
        }
        Ok(services
            .into_iter()
            .map(|(name, counted)| Service { name, ..counted })
            .collect())
    }

    /// The operations of a service, most frequent first; empty when the service is unknown.
    ///
    /// # Errors
    /// [`QueryError::Live`]
    pub async fn operations(&self, service: &str) -> Result<Vec<Operation>, QueryError> {
        let live = self.collector.operations(service).await?;
        let mut operations = BTreeMap::<String, Operation>::new();
        let mut add = |name: &str, spans, roots| {
            let operation = operations.entry(name.to_owned()).or_default();
            operation.spans += spans;
            operation.roots += roots;
        };
        for operation in &live.value {
            add(&operation.name, operation.spans, operation.roots);
        }
        let blocks = self.store.blocks();
        for block in blocks
            .iter()
            .filter(|block| !live.blocks.contains(&block.id))
        {
            if let Ok(at) = block
                .services
                .binary_search_by(|info| info.name.as_str().cmp(service))
            {
                for operation in &block.services[at].operations {
                    add(&operation.name, operation.spans, operation.roots);
                }
            }
        }
        let mut operations: Vec<Operation> = operations
            .into_iter()
            .map(|(name, counted)| Operation { name, ..counted })
            .collect();
        operations.sort_by(|left, right| {
            right
                .spans
                .cmp(&left.spans)
                .then_with(|| left.name.cmp(&right.name))
        });
        Ok(operations)
    }
}
