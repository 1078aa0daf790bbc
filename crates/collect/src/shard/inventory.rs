//! Which services and operations occur among live spans, counted when somebody asks.
//!
//! Counting on insertion would cost every span a probe of a table. Instead the open generation is counted up to its last
//! row whenever the question comes; each row is counted once.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use model::{StatusCode, Symbol};

use super::Shard;
use super::generation::Generation;

/// A service among live spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceCount {
    /// Its name.
    pub name: String,
    /// Its spans.
    pub spans: u64,
    /// Its spans with an error.
    pub errors: u64,
}

/// A span name of a service among live spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationCount {
    /// The name.
    pub name: String,
    /// Its spans.
    pub spans: u64,
    /// How many of them are roots.
    pub roots: u64,
}

/// Counts by service ordinal and span name of one generation.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    counts: HashMap<(u32, Symbol), Count>,
    rows: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    spans: u64,
    errors: u64,
    roots: u64,
}

impl Inventory {
    pub(super) fn clear(&mut self) {
        self.counts.clear();
        self.rows = 0;
    }

    /// Counts the rows that came since the last call.
    fn catch_up(&mut self, open: &Generation) {
        for row in self.rows..open.len() {
            self.count(open, row as u32);
        }
        self.rows = open.len();
    }

    pub(super) fn count(&mut self, generation: &Generation, row: u32) {
        let span = generation.span(row);
        let key = (generation.service_ordinal(span) as u32, span.name);
        let count = self.counts.entry(key).or_default();
        count.spans += 1;
        count.errors += u64::from(span.status == StatusCode::Error);
        count.roots += u64::from(span.is_root());
    }

    fn add_services(&self, generation: &Generation, into: &mut BTreeMap<String, ServiceCount>) {
        for (&(ordinal, _), count) in &self.counts {
            let name = generation.service_name(ordinal as usize);
            let service = into.entry(name.to_owned()).or_insert_with(|| ServiceCount {
                name: name.to_owned(),
                ..ServiceCount::default()
            });
            service.spans += count.spans;
            service.errors += count.errors;
        }
    }

    fn add_operations(
        &self,
        generation: &Generation,
        service: &str,
        into: &mut BTreeMap<String, OperationCount>,
    ) {
        for (&(ordinal, name), count) in &self.counts {
            if generation.service_name(ordinal as usize) != service {
                continue;
            }
            let name = generation.batch().symbols.str(name);
            let operation = into
                .entry(name.to_owned())
                .or_insert_with(|| OperationCount {
                    name: name.to_owned(),
                    ..OperationCount::default()
                });
            operation.spans += count.spans;
            operation.roots += count.roots;
        }
    }
}

impl Shard {
    /// Services among the spans here, by name. Duplicates count.
    pub(crate) fn services(&mut self) -> BTreeMap<String, ServiceCount> {
        let mut services = BTreeMap::new();
        self.inventory.catch_up(&self.open);
        self.inventory.add_services(&self.open, &mut services);
        for sealed in &self.sealed {
            sealed
                .inventory()
                .add_services(sealed.generation(), &mut services);
        }
        services
    }

    /// Operations of a service among the spans here, by name. Duplicates count.
    pub(crate) fn operations(&mut self, service: &str) -> BTreeMap<String, OperationCount> {
        let mut operations = BTreeMap::new();
        self.inventory.catch_up(&self.open);
        self.inventory
            .add_operations(&self.open, service, &mut operations);
        for sealed in &self.sealed {
            sealed
                .inventory()
                .add_operations(sealed.generation(), service, &mut operations);
        }
        operations
    }
}
