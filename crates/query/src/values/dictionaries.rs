//! Values of an attribute in a block, as its resources and dictionaries tell them: no span is looked at.

use std::sync::Arc;

use block::{AttributePages, AttributeType, BlockMeta, SpanColumn, WordPages};
use model::{SERVICE_NAME, SpanBatch};
use store::BlockColumns;
use traceql::query::{Constant, Field, Owner, Scope};

use super::VALUES_MAX;
use super::blocks::is_elsewhere;
use super::found::Found;
use super::kept::Told;
use crate::QueryError;
use crate::columns::value_of;
use crate::work::Work;

/// A dictionary of more bytes may have been given up, so that its values are not all.
const TELLING_DICTIONARY_BYTES: usize = 4096;

/// What a block tells of values.
pub(super) struct Dictionaries {
    pub(super) meta: Arc<BlockMeta>,
    pub(super) columns: BlockColumns,
    pub(super) work: Work,
}

impl Dictionaries {
    /// The values of a field.
    pub(super) fn tell(&self, field: &Field) -> Result<Told, QueryError> {
        let mut found = Found::new(VALUES_MAX);
        let Field::Attribute {
            owner: Owner::Span,
            scope,
            name,
        } = field
        else {
            return Ok(found.told(true));
        };
        if matches!(scope, Scope::Resource | Scope::Instrumentation | Scope::Any) {
            of_resources(self.columns.resources(), *scope, name, &mut found);
        }
        let file = self.columns.file();
        if matches!(scope, Scope::Span | Scope::Any) {
            let columns = file.columns_of(name).map(|(at, column)| (at, column.kind));
            self.add_columns(&columns.collect::<Vec<_>>(), &mut found)?;
        }
        Ok(found.told(is_elsewhere(field, &self.meta, file)))
    }

    /// The entries of the dictionaries of columns; of a chunk without one, the values of its first page.
    fn add_columns(
        &self,
        columns: &[(u16, AttributeType)],
        found: &mut Found,
    ) -> Result<(), QueryError> {
        if columns.is_empty() {
            return Ok(());
        }
        let damaged = |error| self.columns.damaged(error);
        let mut wanted = vec![SpanColumn::Resource];
        wanted.extend(columns.iter().map(|(at, _)| SpanColumn::Attribute(*at)));
        for group in 0..self.columns.file().group_count() {
            self.work.check()?;
            let (mut spans, bytes) = self.columns.read(group, &wanted, Some(&[0]))?;
            self.work.count_bytes(bytes);
            for &(at, kind) in columns {
                match spans.attribute(at, 0).map_err(damaged)? {
                    AttributePages::Bools(_) => {
                        found.add(Constant::Bool(false));
                        found.add(Constant::Bool(true));
                    }
                    AttributePages::Words(words) => {
                        of_dictionary(words, kind, found).map_err(damaged)?;
                    }
                }
            }
            if found.is_full() {
                break;
            }
        }
        Ok(())
    }
}

fn of_dictionary(
    words: &WordPages,
    kind: AttributeType,
    found: &mut Found,
) -> Result<(), block::ReadError> {
    let mut bytes = 0;
    for code in 0..words.entry_count() as u32 {
        bytes += words.entry(code).len() + size_of::<u32>();
        found.add_value(value_of(words.entry(code), kind)?);
    }
    if words.codes().is_none() {
        for at in 0..words.len() {
            found.add_value(value_of(words.plain(at), kind)?);
        }
    }
    found.truncated |= bytes > TELLING_DICTIONARY_BYTES || words.entry_count() == 0;
    Ok(())
}

fn of_resources(resources: &SpanBatch, scope: Scope, name: &str, found: &mut Found) {
    for row in &resources.resources {
        if scope != Scope::Instrumentation {
            if name == SERVICE_NAME {
                found.add_text(resources.symbols.str(row.service));
            } else {
                of_attributes(resources, row.attributes, name, found);
            }
        }
        if scope != Scope::Resource {
            of_attributes(resources, row.scope_attributes, name, found);
        }
    }
}

fn of_attributes(batch: &SpanBatch, range: model::Range32, name: &str, found: &mut Found) {
    let mut attributes = batch.attributes(range).iter();
    if let Some(attribute) = attributes.find(|it| batch.symbols.str(it.key) == name) {
        found.add_value(batch.symbols.value(attribute.value));
    }
}
