//! What spans have, as the table of `compare` numbers it.

use block::{ListPages, ReadError};
use evaluate::{MeterError, Table};
use hashbrown::HashMap;
use model::ValueRef;
use traceql::query::{Field, Scope};

use crate::columns::{constant, elements, tail_value};
use crate::measure::page::Failure;

/// An attribute and a value of it.
pub(super) type Found = (u32, Option<u32>);

/// Counts a span, or several, for these attributes and values. What belongs to one attribute stands together. `cell` tells
/// whether they are selected, and their point of time.
#[inline]
pub(super) fn count(table: &mut Table, found: &[Found], cell: (bool, usize), weight: f64) {
    let (is_selected, point) = cell;
    let mut last = None;
    for &(attribute, value) in found {
        if last.replace(attribute) != Some(attribute) {
            table.add_compared_total(attribute, is_selected, point, weight);
        }
        table.add_compared(attribute, value, is_selected, point, weight);
    }
}

/// Adds a value of an attribute, or the distinct elements of an array. Bytes and maps compare with nothing.
pub(super) fn add_value(
    table: &mut Table,
    attribute: u32,
    value: ValueRef<'_>,
    found: &mut Vec<Found>,
) -> Result<(), MeterError> {
    match value {
        ValueRef::Str(text) => found.push((attribute, table.attribute_text(attribute, text)?)),
        ValueRef::Json(text) => {
            let first = found.len();
            for element in elements(text) {
                let element = (attribute, table.attribute_value(attribute, &element)?);
                if !found[first..].contains(&element) {
                    found.push(element);
                }
            }
        }
        single => {
            if let Some(constant) = constant(single) {
                found.push((attribute, table.attribute_value(attribute, &constant)?));
            }
        }
    }
    Ok(())
}

/// Lists of attributes of one scope, remembered by the entries of their dictionaries for as long as one row group is read.
pub(super) struct Lists {
    scope: Scope,
    /// By the entry of the key: [`UNSEEN`], or the attribute.
    attributes: Vec<u32>,
    /// By key, type and value: a range of `remembered`.
    values: HashMap<(u32, u8, u32), (u32, u32)>,
    remembered: Vec<Found>,
    /// The attributes of the owner at hand.
    seen: Vec<u32>,
}

const UNSEEN: u32 = u32::MAX;

/// The key is empty, so it is no attribute.
const NOTHING: u32 = u32::MAX - 1;

impl Lists {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            attributes: Vec::new(),
            values: HashMap::new(),
            remembered: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Adds the attributes of an owner, which begin at `at` of the page, and moves `at` behind them. Of those with one key the
    /// first counts, and none that is `elsewhere`.
    pub(super) fn add_owner(
        &mut self,
        list: &ListPages,
        owner: u32,
        at: &mut usize,
        elsewhere: impl Fn(u32) -> bool,
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        self.seen.clear();
        while list.owners().get(*at) == Some(&owner) {
            let attribute = self.attribute(list, *at, table)?;
            if attribute != NOTHING && !self.seen.contains(&attribute) && !elsewhere(attribute) {
                self.seen.push(attribute);
                self.add_value(list, *at, attribute, table, found)?;
            }
            *at += 1;
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        list: &ListPages,
        at: usize,
        table: &mut Table,
    ) -> Result<u32, Failure> {
        let keys = list.keys();
        let Some(codes) = keys.codes() else {
            return self.new_attribute(keys.plain(at), table);
        };
        let code = codes[at] as usize;
        if let Some(&known) = self.attributes.get(code)
            && known != UNSEEN
        {
            return Ok(known);
        }
        let attribute = self.new_attribute(keys.entry(codes[at]), table)?;
        self.attributes.resize(keys.entry_count(), UNSEEN);
        self.attributes[code] = attribute;
        Ok(attribute)
    }

    fn new_attribute(&self, key: &[u8], table: &mut Table) -> Result<u32, Failure> {
        if key.is_empty() {
            return Ok(NOTHING);
        }
        let key = std::str::from_utf8(key)
            .map_err(|_| ReadError::Content("a key is not UTF-8".into()))?;
        Ok(table.attribute(&Field::attribute(self.scope, key))?)
    }

    fn add_value(
        &mut self,
        list: &ListPages,
        at: usize,
        attribute: u32,
        table: &mut Table,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        let (values, kind) = (list.values(), list.kind(at));
        let (Some(keys), Some(codes)) = (list.keys().codes(), values.codes()) else {
            let value = tail_value(values.value(at), kind)?;
            return Ok(add_value(table, attribute, value, found)?);
        };
        let code = (keys[at], kind as u8, codes[at]);
        let (from, to) = match self.values.get(&code) {
            Some(range) => *range,
            None => {
                let from = self.remembered.len() as u32;
                let value = tail_value(values.entry(codes[at]), kind)?;
                add_value(table, attribute, value, &mut self.remembered)?;
                let range = (from, self.remembered.len() as u32);
                self.values.insert(code, range);
                range
            }
        };
        found.extend_from_slice(&self.remembered[from as usize..to as usize]);
        Ok(())
    }
}
