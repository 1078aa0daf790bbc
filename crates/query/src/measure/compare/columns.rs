//! Column after column: how often each entry of a dictionary occurs in each slot.

use std::collections::HashMap;

use block::{AttributePages, AttributeType, ReadError, SpanGroup, WordColumn, WordPages};
use evaluate::{MeterError, Table};
use model::{Range32, SERVICE_NAME, SpanBatch, SpanKind, StatusCode, ValueRef};
use traceql::query::{Constant, Field, Intrinsic, Scope};

use super::found::{Found, add_value, count};
use super::rows::Rows;
use super::tally::Tally;
use crate::block_scan::BlockScan;
use crate::columns::{GroupTraces, Mask, value_of};
use crate::measure::RootsHere;
use crate::measure::page::Failure;

/// One row group being counted.
pub(super) struct Counting<'a> {
    pub(super) scan: &'a BlockScan,
    pub(super) rows: &'a Rows,
    pub(super) spans: &'a mut SpanGroup,
    pub(super) table: &'a mut Table,
    tally: Tally,
    /// By attribute: the rows that have it in a column. Columns of other types and the tail may have it too; the first counts.
    pub(super) taken: HashMap<u32, Mask>,
}

/// Numbers of kinds and statuses.
const NUMBERS: usize = 8;

/// A column of words.
#[derive(Debug, Clone, Copy)]
enum Source {
    Every(WordColumn),
    Attribute(u16),
}

/// What the words of a column are values of.
struct Place {
    attribute: u32,
    kind: AttributeType,
    may_be_empty: bool,
}

impl<'a> Counting<'a> {
    pub(super) fn new(
        scan: &'a BlockScan,
        rows: &'a Rows,
        spans: &'a mut SpanGroup,
        table: &'a mut Table,
    ) -> Self {
        Self {
            scan,
            rows,
            spans,
            table,
            tally: Tally::default(),
            taken: HashMap::new(),
        }
    }

    /// Name and service of the root, which `known` tells of traces in several places.
    pub(super) fn of_traces(&mut self, group: usize, known: &RootsHere) -> Result<(), Failure> {
        let (rows, words) = (self.rows, &self.scan.table);
        let of_group = self.scan.columns.file().rows(group);
        let traces = words.within(of_group.clone());
        let mut codes = HashMap::new();
        let mut roots: Vec<(&str, &str)> = Vec::new();
        let mut of_trace = Vec::with_capacity(traces.len());
        for trace in traces.clone() {
            let code = match (known.get(&trace), words.root(trace)) {
                (Some(None), _) | (None, None) => None,
                (Some(Some((service, name))), _) => {
                    roots.push((service, name));
                    Some(roots.len() as u32 - 1)
                }
                (None, Some(root)) => Some(*codes.entry(root).or_insert_with(|| {
                    roots.push((words.text(root.0), words.text(root.1)));
                    roots.len() as u32 - 1
                })),
            };
            of_trace.push(code);
        }
        self.tally.begin(roots.len(), rows.slot_count());
        for (trace, code) in traces.zip(of_trace) {
            let Some(code) = code else {
                continue;
            };
            for row in GroupTraces::rows(words, trace, of_group.start) {
                if let Some(slot) = rows.slot(row as usize) {
                    self.tally.add(code, slot, rows.weight(row as usize));
                }
            }
        }
        self.add_tallied(|code, table, found| {
            let (service, name) = roots[code as usize];
            add_intrinsic(table, Intrinsic::RootName, name, found)?;
            add_intrinsic(table, Intrinsic::RootService, service, found)?;
            Ok(())
        })
    }

    /// Resource and instrumentation scope.
    pub(super) fn of_resources(&mut self) -> Result<(), Failure> {
        let (rows, resources) = (self.rows, self.spans.resources().clone());
        self.tally
            .begin(resources.resources.len(), rows.slot_count());
        for &page in rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            for (row, &resource) in (first..).zip(self.spans.resource(page)?) {
                if let Some(slot) = rows.slot(row) {
                    self.tally.add(resource, slot, rows.weight(row));
                }
            }
        }
        self.add_tallied(|row, table, found| {
            Ok(take_resource_apart(&resources, row as usize, table, found)?)
        })
    }

    /// What every span has.
    pub(super) fn of_intrinsics(&mut self) -> Result<(), Failure> {
        self.of_numbers(Intrinsic::Kind)?;
        self.of_numbers(Intrinsic::Status)?;
        for (what, column) in [
            (Intrinsic::Name, WordColumn::Name),
            (Intrinsic::StatusMessage, WordColumn::StatusMessage),
        ] {
            let place = Place {
                attribute: self.table.attribute(&Field::intrinsic(what))?,
                kind: AttributeType::String,
                may_be_empty: what == Intrinsic::Name,
            };
            self.of_words(Source::Every(column), &place, None)?;
        }
        Ok(())
    }

    fn of_numbers(&mut self, what: Intrinsic) -> Result<(), Failure> {
        let rows = self.rows;
        self.tally.begin(NUMBERS, rows.slot_count());
        for &page in rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let numbers = match what {
                Intrinsic::Kind => self.spans.kind(page)?,
                _ => self.spans.status(page)?,
            };
            for (row, &number) in (first..).zip(numbers) {
                if let Some(slot) = rows.slot(row) {
                    self.tally.add(number.into(), slot, rows.weight(row));
                }
            }
        }
        self.add_tallied(|number, table, found| {
            let attribute = table.attribute(&Field::intrinsic(what))?;
            let value = match what {
                Intrinsic::Kind => Constant::Kind(SpanKind::from_number(number.into())),
                _ => Constant::Status(StatusCode::from_number(number.into())),
            };
            found.push((attribute, table.attribute_value(attribute, &value)?));
            Ok(())
        })
    }

    /// An attribute that has a column.
    pub(super) fn of_attribute(&mut self, at: u16) -> Result<(), Failure> {
        let file = self.scan.columns.file();
        let column = &file.columns()[usize::from(at)];
        if column.key.is_empty() {
            return Ok(());
        }
        let field = Field::attribute(Scope::Span, column.key.as_str());
        let place = Place {
            attribute: self.table.attribute(&field)?,
            kind: column.kind,
            may_be_empty: true,
        };
        let known = self.taken.remove(&place.attribute);
        let mut taken = known.unwrap_or_else(|| Mask::none(self.rows.len()));
        if column.kind == AttributeType::Bool {
            self.of_bools(at, &place, &mut taken)?;
        } else {
            self.of_words(Source::Attribute(at), &place, Some(&mut taken))?;
        }
        self.taken.insert(place.attribute, taken);
        Ok(())
    }

    fn of_bools(&mut self, at: u16, place: &Place, taken: &mut Mask) -> Result<(), Failure> {
        let rows = self.rows;
        self.tally.begin(2, rows.slot_count());
        for &page in rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let AttributePages::Bools(bools) = self.spans.attribute(at, page)? else {
                return Err(not_its_type());
            };
            for (at, &row) in bools.rows().iter().enumerate() {
                let row = first + row as usize;
                if let Some(slot) = rows.slot(row)
                    && is_first(taken, row)
                {
                    let code = u32::from(bools.value(at));
                    self.tally.add(code, slot, rows.weight(row));
                }
            }
        }
        self.add_tallied(|code, table, found| {
            let value = ValueRef::Bool(code == 1);
            Ok(add_value(table, place.attribute, value, found)?)
        })
    }

    fn of_words(
        &mut self,
        source: Source,
        place: &Place,
        mut taken: Option<&mut Mask>,
    ) -> Result<(), Failure> {
        let rows = self.rows;
        // The first page whose values are codes: pages before it may have none, and then nobody has asked for the dictionary.
        let mut coded = None;
        let mut found = Vec::new();
        for &page in rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let words = source.words(self.spans, page)?;
            if coded.is_none() && words.codes().is_some() {
                coded = Some(page);
                self.tally.begin(words.entry_count(), rows.slot_count());
            }
            for at in 0..words.len() {
                let row = first + source.row(words, at);
                let Some(slot) = rows.slot(row) else {
                    continue;
                };
                if let Some(taken) = taken.as_deref_mut()
                    && !is_first(taken, row)
                {
                    continue;
                }
                if let Some(codes) = words.codes() {
                    self.tally.add(codes[at], slot, rows.weight(row));
                    continue;
                }
                found.clear();
                place.take_apart(words.plain(at), self.table, &mut found)?;
                count(self.table, &found, rows.cell(slot), rows.weight(row));
            }
        }
        let Some(page) = coded else {
            return Ok(());
        };
        let words = source.words(self.spans, page)?;
        add_tallied(&self.tally, rows, self.table, |code, table, found| {
            place.take_apart(words.entry(code), table, found)
        })
    }

    fn add_tallied(
        &mut self,
        take_apart: impl FnMut(u32, &mut Table, &mut Vec<Found>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        add_tallied(&self.tally, self.rows, self.table, take_apart)
    }
}

impl Source {
    fn words(self, spans: &mut SpanGroup, page: usize) -> Result<&WordPages, Failure> {
        match self {
            Self::Every(column) => Ok(spans.words(column, page)?),
            Self::Attribute(at) => match spans.attribute(at, page)? {
                AttributePages::Words(words) => Ok(words),
                AttributePages::Bools(_) => Err(not_its_type()),
            },
        }
    }

    /// The row of the page that has the value at `at`.
    #[inline]
    fn row(self, words: &WordPages, at: usize) -> usize {
        match self {
            Self::Every(WordColumn::Name) => at,
            _ => words.rows()[at] as usize,
        }
    }
}

impl Place {
    fn take_apart(
        &self,
        bytes: &[u8],
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        if bytes.is_empty() && !self.may_be_empty {
            return Ok(());
        }
        let value = value_of(bytes, self.kind)?;
        Ok(add_value(table, self.attribute, value, found)?)
    }
}

/// Adds what was tallied. `take_apart` tells what a code stands for, and is asked once for each.
fn add_tallied(
    tally: &Tally,
    rows: &Rows,
    table: &mut Table,
    mut take_apart: impl FnMut(u32, &mut Table, &mut Vec<Found>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut known: HashMap<u32, (usize, usize)> = HashMap::new();
    let mut found = Vec::new();
    let mut last = None;
    for (code, slot, weight) in tally.counted() {
        let (from, to) = match last {
            Some((last, range)) if last == code => range,
            _ => match known.get(&code) {
                Some(range) => *range,
                None => {
                    let from = found.len();
                    take_apart(code, table, &mut found)?;
                    *known.entry(code).or_insert((from, found.len()))
                }
            },
        };
        last = Some((code, (from, to)));
        count(table, &found[from..to], rows.cell(slot), weight);
    }
    Ok(())
}

/// Whether nothing before has told the attribute of the row.
#[inline]
fn is_first(taken: &mut Mask, row: usize) -> bool {
    let is_first = !taken.has(row);
    taken.set(row);
    is_first
}

#[cold]
fn not_its_type() -> Failure {
    ReadError::Content("an attribute column is not of its type".into()).into()
}

fn add_intrinsic(
    table: &mut Table,
    intrinsic: Intrinsic,
    text: &str,
    found: &mut Vec<Found>,
) -> Result<(), MeterError> {
    let attribute = table.attribute(&Field::intrinsic(intrinsic))?;
    add_value(table, attribute, ValueRef::Str(text), found)
}

/// Adds what all spans of a resource have of it.
fn take_resource_apart(
    batch: &SpanBatch,
    row: usize,
    table: &mut Table,
    found: &mut Vec<Found>,
) -> Result<(), MeterError> {
    let resource = &batch.resources[row];
    for (intrinsic, word) in [
        (Intrinsic::InstrumentationName, resource.scope_name),
        (Intrinsic::InstrumentationVersion, resource.scope_version),
    ] {
        let text = batch.symbols.str(word);
        if !text.is_empty() {
            add_intrinsic(table, intrinsic, text, found)?;
        }
    }
    // Every span has a service, whether its resource names one or not.
    let service = table.attribute(&Field::attribute(Scope::Resource, SERVICE_NAME))?;
    let text = ValueRef::Str(batch.symbols.str(resource.service));
    add_value(table, service, text, found)?;
    add_owner(batch, Scope::Resource, resource.attributes, table, found)?;
    let of_scope = resource.scope_attributes;
    add_owner(batch, Scope::Instrumentation, of_scope, table, found)
}

/// Adds the attributes of a resource or scope; of those with one key, the first.
fn add_owner(
    batch: &SpanBatch,
    scope: Scope,
    range: Range32,
    table: &mut Table,
    found: &mut Vec<Found>,
) -> Result<(), MeterError> {
    let attributes = batch.attributes(range);
    for (at, attribute) in attributes.iter().enumerate() {
        let key = batch.symbols.str(attribute.key);
        let is_service = scope == Scope::Resource && key == SERVICE_NAME;
        let is_again = attributes[..at]
            .iter()
            .any(|other| other.key == attribute.key);
        if is_service || key.is_empty() || is_again {
            continue;
        }
        let number = table.attribute(&Field::attribute(scope, key))?;
        add_value(table, number, batch.symbols.value(attribute.value), found)?;
    }
    Ok(())
}
