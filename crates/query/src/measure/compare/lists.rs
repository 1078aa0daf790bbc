//! What lies in lists: attributes without a column, events and links. A span counts once for each distinct value.

use block::{ListPages, WordPages};
use evaluate::Table;
use traceql::query::{Field, Intrinsic, Scope};

use super::columns::Counting;
use super::found::{Found, Lists, add_value, count};
use crate::columns::value_of;
use crate::measure::page::Failure;

impl Counting<'_> {
    pub(super) fn of_lists(&mut self) -> Result<(), Failure> {
        self.of_tail()?;
        self.of_events()?;
        self.of_links()
    }

    /// Attributes without a column.
    fn of_tail(&mut self) -> Result<(), Failure> {
        let mut lists = Lists::new(Scope::Span);
        let mut found = Vec::new();
        for &page in self.rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let tail = self.spans.tail(page)?;
            let mut at = 0;
            while let Some(&owner) = tail.owners().get(at) {
                let row = first + owner as usize;
                let Some(slot) = self.rows.slot(row) else {
                    at += 1;
                    continue;
                };
                found.clear();
                let taken = &self.taken;
                let elsewhere =
                    |attribute: u32| taken.get(&attribute).is_some_and(|taken| taken.has(row));
                lists.add_owner(tail, owner, &mut at, elsewhere, self.table, &mut found)?;
                let weight = self.rows.weight(row);
                count(self.table, &found, self.rows.cell(slot), weight);
            }
        }
        Ok(())
    }

    fn of_events(&mut self) -> Result<(), Failure> {
        let attribute = self
            .table
            .attribute(&Field::intrinsic(Intrinsic::EventName))?;
        let mut names = Names {
            attribute,
            known: Vec::new(),
        };
        let mut lists = Lists::new(Scope::Event);
        for &page in self.rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let events = self.spans.events(page)?;
            let (words, attributes) = (events.names(), events.attributes());
            let owners = events.owners();
            let mut each = |event: usize, table: &mut Table, found: &mut Vec<Found>| {
                names.add(words, event, table, found)?;
                lists.add_element(attributes, event, table, found)
            };
            let (rows, table) = (self.rows, &mut *self.table);
            each_owner(owners, |owner, elements, found| {
                let row = first + owner as usize;
                let Some(slot) = rows.slot(row) else {
                    return Ok(());
                };
                for element in elements {
                    each(element, table, found)?;
                }
                found.sort_unstable();
                found.dedup();
                count(table, found, rows.cell(slot), rows.weight(row));
                Ok(())
            })?;
        }
        Ok(())
    }

    fn of_links(&mut self) -> Result<(), Failure> {
        let mut lists = Lists::new(Scope::Link);
        for &page in self.rows.pages() {
            let first = self.spans.page_rows(page).start as usize;
            let links = self.spans.links(page)?;
            let (rows, table) = (self.rows, &mut *self.table);
            each_owner(links.owners(), |owner, elements, found| {
                let row = first + owner as usize;
                let Some(slot) = rows.slot(row) else {
                    return Ok(());
                };
                for element in elements {
                    lists.add_element(links.attributes(), element, table, found)?;
                }
                found.sort_unstable();
                found.dedup();
                count(table, found, rows.cell(slot), rows.weight(row));
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Calls `each` with every row that has elements, which ones, and an empty list.
fn each_owner(
    owners: &[u32],
    mut each: impl FnMut(u32, std::ops::Range<usize>, &mut Vec<Found>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut found = Vec::new();
    let mut first = 0;
    for elements in owners.chunk_by(|a, b| a == b) {
        found.clear();
        each(elements[0], first..first + elements.len(), &mut found)?;
        first += elements.len();
    }
    Ok(())
}

/// Names of events, remembered by the entries of their dictionary.
struct Names {
    attribute: u32,
    known: Vec<Option<Found>>,
}

impl Names {
    fn add(
        &mut self,
        words: &WordPages,
        at: usize,
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        let Some(codes) = words.codes() else {
            return self.add_new(words.plain(at), table, found);
        };
        let code = codes[at] as usize;
        self.known.resize(words.entry_count(), None);
        if let Some(known) = self.known[code] {
            found.push(known);
            return Ok(());
        }
        self.add_new(words.entry(codes[at]), table, found)?;
        self.known[code] = found.last().copied();
        Ok(())
    }

    fn add_new(
        &self,
        bytes: &[u8],
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        let name = value_of(bytes, block::AttributeType::String)?;
        Ok(add_value(table, self.attribute, name, found)?)
    }
}

impl Lists {
    /// Adds the attributes of an event or link. Elements come in their order, some may be left out.
    fn add_element(
        &mut self,
        list: &ListPages,
        element: usize,
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        let element = element as u32;
        let mut at = list.owners().partition_point(|&owner| owner < element);
        self.add_owner(list, element, &mut at, |_| false, table, found)
    }
}
