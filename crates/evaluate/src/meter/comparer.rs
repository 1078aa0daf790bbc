//! Spans taken apart for `compare`: into everything that they have but times, ids and numbers that their places in the trace
//! give them.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;
use model::{Range32, SERVICE_NAME, Symbol};
use traceql::query::{Field, Intrinsic, Scope};

use super::{MeterError, Table};
use crate::condition::Test;
use crate::item::{Item, Shape, visit_symbol};
use crate::keys::Part;
use crate::reader::Reader;
use crate::tree::Tree;

/// What is looked at of every span, and whether also where it is empty.
const OF_SPAN: [(Intrinsic, bool); 5] = [
    (Intrinsic::Name, true),
    (Intrinsic::Kind, true),
    (Intrinsic::Status, true),
    (Intrinsic::EventName, true),
    (Intrinsic::StatusMessage, false),
];

/// What all spans of one trace and one resource share.
const OF_RESOURCE: [(Intrinsic, bool); 4] = [
    (Intrinsic::RootName, true),
    (Intrinsic::RootService, true),
    (Intrinsic::InstrumentationName, false),
    (Intrinsic::InstrumentationVersion, false),
];

/// An attribute and a value of it, as a [`Table`] numbers them.
pub(super) type Found = (u32, Option<u32>);

/// Takes spans apart. It remembers numbers for as long as it looks at one trace.
#[derive(Debug)]
pub(super) struct Comparer {
    selection: Test,
    window: Option<(i64, i64)>,
    /// [`OF_SPAN`], then [`OF_RESOURCE`].
    intrinsics: Vec<Known>,
    service: Known,
    /// What single values give, by scope, key and value.
    pairs: HashMap<(Scope, Symbol, Symbol), Found>,
    /// By scope and key; `None` for what is not looked at.
    attributes: HashMap<(Scope, Symbol), Option<u32>>,
    /// By attribute and [`Part::code`].
    values: HashMap<(u32, u32), Option<u32>>,
    /// Of each resource, what its spans have of it, in `of_resources`.
    resources: HashMap<u32, Range<usize>>,
    of_resources: Vec<Found>,
    /// By attribute, the owner that it was last seen in.
    seen: Vec<u64>,
    owner: u64,
    /// What the span has. What belongs to one attribute stands together, each value once.
    found: Vec<Found>,
    /// Whether that has yet to be seen to.
    has_many: bool,
}

/// A field that is looked at of every span.
#[derive(Debug)]
struct Known {
    field: Field,
    reader: Reader,
    may_be_empty: bool,
    attribute: Option<u32>,
}

impl Known {
    fn new(field: Field, may_be_empty: bool) -> Self {
        Self {
            reader: Reader::new(&field),
            field,
            may_be_empty,
            attribute: None,
        }
    }

    fn attribute(&mut self, table: &mut Table) -> Result<u32, MeterError> {
        match self.attribute {
            Some(attribute) => Ok(attribute),
            None => Ok(*self.attribute.insert(table.attribute(&self.field)?)),
        }
    }
}

impl Comparer {
    pub(super) fn new(selection: Test, window: Option<(i64, i64)>) -> Self {
        let known =
            |(intrinsic, may_be_empty)| Known::new(Field::intrinsic(intrinsic), may_be_empty);
        Self {
            selection,
            window,
            intrinsics: OF_SPAN.into_iter().chain(OF_RESOURCE).map(known).collect(),
            pairs: HashMap::new(),
            service: Known::new(Field::attribute(Scope::Resource, SERVICE_NAME), true),
            attributes: HashMap::new(),
            values: HashMap::new(),
            resources: HashMap::new(),
            of_resources: Vec::new(),
            seen: Vec::new(),
            owner: 0,
            found: Vec::new(),
            has_many: false,
        }
    }

    /// Readies this for a trace.
    pub(super) fn bind(&mut self, tree: &Tree<'_>) {
        self.selection.bind(&tree.batch().symbols);
        self.pairs.clear();
        self.attributes.clear();
        self.values.clear();
        self.resources.clear();
        self.of_resources.clear();
    }

    /// Counts a span once for each distinct value that it has, and once for each attribute.
    pub(super) fn add(
        &mut self,
        tree: &Tree<'_>,
        at: u32,
        point: usize,
        weight: f64,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        self.take_apart(tree, at, table)?;
        let start = tree.span(at).start.0;
        let in_window = |(from, to)| from <= start && start < to;
        let is_selected = self.window.is_none_or(in_window) && self.selection.holds(tree, at);
        table.add_all_compared(&self.found, is_selected, point, weight);
        Ok(())
    }

    fn take_apart(
        &mut self,
        tree: &Tree<'_>,
        at: u32,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let batch = tree.batch();
        let span = tree.span(at);
        self.found.clear();
        self.has_many = false;
        match self.resources.get(&span.resource) {
            Some(range) => self
                .found
                .extend_from_slice(&self.of_resources[range.clone()]),
            None => self.take_resource_apart(at, tree, table)?,
        }
        for known in 0..OF_SPAN.len() {
            self.add_intrinsic(known, tree, at, table)?;
        }
        self.add_owner(Scope::Span, span.attributes, tree, table)?;
        for event in batch.events(span) {
            self.add_owner(Scope::Event, event.attributes, tree, table)?;
        }
        for link in batch.links(span) {
            self.add_owner(Scope::Link, link.attributes, tree, table)?;
        }
        self.join();
        Ok(())
    }

    /// What a span shares with all others of its resource.
    fn take_resource_apart(
        &mut self,
        at: u32,
        tree: &Tree<'_>,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let row = tree.span(at).resource;
        let resource = tree.batch().resources[row as usize];
        for known in OF_SPAN.len()..self.intrinsics.len() {
            self.add_intrinsic(known, tree, at, table)?;
        }
        let service = self.service.attribute(table)?;
        self.add_value(service, Item::Text(resource.service), tree, table)?;
        self.add_owner(Scope::Resource, resource.attributes, tree, table)?;
        self.add_owner(
            Scope::Instrumentation,
            resource.scope_attributes,
            tree,
            table,
        )?;
        self.join();
        let start = self.of_resources.len();
        self.of_resources.extend_from_slice(&self.found);
        let range = start..self.of_resources.len();
        self.resources.insert(row, range);
        Ok(())
    }

    /// Brings together what belongs to one attribute, each value once.
    fn join(&mut self) {
        if std::mem::take(&mut self.has_many) {
            self.found.sort_unstable();
            self.found.dedup();
        }
    }

    fn add_intrinsic(
        &mut self,
        known: usize,
        tree: &Tree<'_>,
        at: u32,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let attribute = self.intrinsics[known].attribute(table)?;
        let Known {
            reader,
            may_be_empty,
            ..
        } = &self.intrinsics[known];
        let (reader, may_be_empty) = (reader.clone(), *may_be_empty);
        let mut added = Ok(());
        let shape = reader.visit(tree, at, &mut |item| {
            if may_be_empty || !matches!(item, Item::Text(Symbol::EMPTY)) {
                added = self.add_value(attribute, item, tree, table);
            }
            added.is_ok()
        });
        self.has_many |= shape == Shape::Many;
        added
    }

    /// Adds the attributes of one owner; of those with one key, the first.
    fn add_owner(
        &mut self,
        scope: Scope,
        range: Range32,
        tree: &Tree<'_>,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let symbols = &tree.batch().symbols;
        self.owner += 1;
        // Events and links may have what others of the span have.
        self.has_many |= matches!(scope, Scope::Event | Scope::Link);
        for pair in tree.batch().attributes(range) {
            let single = self.pairs.get(&(scope, pair.key, pair.value)).copied();
            let attribute = match single {
                Some((attribute, _)) => Some(attribute),
                None => self.attribute(scope, pair.key, tree, table)?,
            };
            let Some(attribute) = attribute else {
                continue;
            };
            let seen = &mut self.seen[attribute as usize];
            if std::mem::replace(seen, self.owner) == self.owner {
                continue;
            }
            if let Some(found) = single {
                self.found.push(found);
                continue;
            }
            let before = self.found.len();
            let mut added = Ok(());
            let shape = visit_symbol(symbols, pair.value, &mut |item| {
                added = self.add_value(attribute, item, tree, table);
                added.is_ok()
            });
            self.has_many |= shape == Shape::Many;
            added?;
            if let (Shape::One, [found]) = (shape, &self.found[before..]) {
                self.pairs.insert((scope, pair.key, pair.value), *found);
            }
        }
        Ok(())
    }

    /// The number of an attribute; none for what is no attribute, and for the service, which every span has anyway.
    fn attribute(
        &mut self,
        scope: Scope,
        key: Symbol,
        tree: &Tree<'_>,
        table: &mut Table,
    ) -> Result<Option<u32>, MeterError> {
        if let Some(attribute) = self.attributes.get(&(scope, key)) {
            return Ok(*attribute);
        }
        let name = tree.batch().symbols.str(key);
        let is_service = scope == Scope::Resource && name == SERVICE_NAME;
        let mut attribute = None;
        if !is_service && key != Symbol::EMPTY {
            let number = table.attribute(&Field::attribute(scope, Arc::<str>::from(name)))?;
            if self.seen.len() <= number as usize {
                self.seen.resize(number as usize + 1, 0);
            }
            attribute = Some(number);
        }
        self.attributes.insert((scope, key), attribute);
        Ok(attribute)
    }

    fn add_value(
        &mut self,
        attribute: u32,
        item: Item<'_>,
        tree: &Tree<'_>,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        // Bytes and maps compare with nothing.
        if matches!(item, Item::Other(_)) {
            return Ok(());
        }
        let part = Part::of(item);
        let code = part.code();
        let known = code.and_then(|code| self.values.get(&(attribute, code)));
        let value = match known {
            Some(value) => *value,
            None => {
                let value = table.value_of(attribute, &part, &tree.batch().symbols)?;
                self.values
                    .extend(code.map(|code| ((attribute, code), value)));
                value
            }
        };
        self.found.push((attribute, value));
        Ok(())
    }
}
