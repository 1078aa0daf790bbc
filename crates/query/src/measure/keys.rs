//! The keys that spans are grouped by, as numbers: each distinct value is made a constant once.

use std::collections::HashMap;

use block::{
    AttributePages, AttributeType, ReadError, SpanColumn, SpanGroup, WordColumn, WordPages,
};
use evaluate::{MeterError, Shown, Table};
use model::{SERVICE_NAME, SpanBatch, SpanKind, StatusCode, Value, ValueRef};
use traceql::query::{Column, Constant, Field, Intrinsic, Owner, Scope};

use super::Read;
use super::page::Failure;
use crate::block_scan::BlockScan;
use crate::columns::{
    Keys as Needed, Mask, constant, constant_of_element, of_resource_attribute, of_scope_attribute,
    value_of,
};

/// The columns of `by`.
pub(super) struct Keys {
    sources: Vec<Source>,
    columns: Vec<SpanColumn>,
}

enum Source {
    Name,
    Kind,
    Status,
    /// By the row of the resource.
    Resource(Vec<Option<Constant>>),
    /// By columns of spans, and where they have none by the row of the resource.
    Attribute {
        columns: Vec<(u16, AttributeType)>,
        otherwise: Vec<Option<Constant>>,
    },
}

impl Keys {
    pub(super) fn compile(by: &[Column], scan: &BlockScan) -> Option<Self> {
        let mut keys = Self {
            sources: Vec::new(),
            columns: Vec::new(),
        };
        for column in by {
            let source = keys.source(&column.field, scan)?;
            keys.sources.push(source);
        }
        Some(keys)
    }

    pub(super) fn columns(&self) -> &[SpanColumn] {
        &self.columns
    }

    fn source(&mut self, field: &Field, scan: &BlockScan) -> Option<Source> {
        if field.owner() == Owner::Parent {
            return None;
        }
        match field {
            Field::Intrinsic { intrinsic, .. } => {
                let (column, source) = match intrinsic {
                    Intrinsic::Name => (SpanColumn::Name, Source::Name),
                    Intrinsic::Kind => (SpanColumn::Kind, Source::Kind),
                    Intrinsic::Status => (SpanColumn::Status, Source::Status),
                    _ => return None,
                };
                self.columns.push(column);
                Some(source)
            }
            Field::Attribute { scope, name, .. } => self.attribute(*scope, name, field, scan),
        }
    }

    fn attribute(
        &mut self,
        scope: Scope,
        name: &str,
        field: &Field,
        scan: &BlockScan,
    ) -> Option<Source> {
        let resources = scan.columns.resources();
        match scope {
            Scope::Event | Scope::Link => None,
            Scope::Resource | Scope::Instrumentation => {
                Some(Source::Resource(of_resources(resources, scope, name)))
            }
            Scope::Span | Scope::Any => {
                let file = scan.columns.file();
                let needed = Needed::of([field]).columns(&scan.meta, file);
                let elsewhere = [SpanColumn::Tail, SpanColumn::Events, SpanColumn::Links];
                if elsewhere.iter().any(|column| needed.contains(column)) {
                    return None;
                }
                let found = file.columns_of(name);
                let columns: Vec<_> = found.map(|(at, column)| (at, column.kind)).collect();
                self.columns
                    .extend(columns.iter().map(|(at, _)| SpanColumn::Attribute(*at)));
                let otherwise = if scope == Scope::Any {
                    of_resources(resources, scope, name)
                } else {
                    vec![None; resources.resources.len()]
                };
                Some(Source::Attribute { columns, otherwise })
            }
        }
    }

    /// What is remembered while one row group is read.
    pub(super) fn begin(&self) -> State {
        State {
            sources: self.sources.iter().map(Source::begin).collect(),
            groups: HashMap::new(),
            direct: Vec::new(),
            ids: vec![Vec::new(); self.sources.len()],
        }
    }

    /// The group of each row of a page that is in `mask`; the others mean nothing.
    pub(super) fn groups(
        &self,
        state: &mut State,
        spans: &mut SpanGroup,
        page: usize,
        mask: &Mask,
        table: &mut Table,
        out: &mut Vec<u32>,
    ) -> Result<(), Failure> {
        let rows = spans.page_rows(page).len();
        out.clear();
        if self.sources.is_empty() {
            let group = table.group(&[])?;
            out.resize(rows, group);
            return Ok(());
        }
        out.resize(rows, 0);
        if let [Source::Resource(values)] = &self.sources[..] {
            let resources = spans.resource(page)?;
            state.direct.resize(values.len(), NO_GROUP);
            return fill(mask, resources, values, &mut state.direct, table, out);
        }
        for (at, source) in self.sources.iter().enumerate() {
            state.sources[at].ids(source, spans, page, &mut state.ids[at])?;
        }
        if self.sources.len() == 1 {
            let (values, ids) = (&state.sources[0].values, &state.ids[0]);
            state.direct.resize(values.len(), NO_GROUP);
            return fill(mask, ids, values, &mut state.direct, table, out);
        }
        let mut key = Vec::with_capacity(self.sources.len());
        for row in mask.rows() {
            key.clear();
            key.extend(state.ids.iter().map(|ids| ids[row]));
            out[row] = match state.groups.get(&key) {
                Some(group) => *group,
                None => state.new_group(&key, table)?,
            };
        }
        Ok(())
    }
}

const NO_GROUP: u32 = u32::MAX;

/// Looks up the group of each row in `mask` by its number, of which `values` are the keys and `known` the groups so far.
fn fill(
    mask: &Mask,
    numbers: &[u32],
    values: &[Option<Constant>],
    known: &mut [u32],
    table: &mut Table,
    out: &mut [u32],
) -> Result<(), Failure> {
    let mut failure = None;
    mask.each(|row| {
        let number = numbers[row] as usize;
        if known[number] == NO_GROUP && failure.is_none() {
            match table.group(std::slice::from_ref(&values[number])) {
                Ok(group) => known[number] = group,
                Err(error) => failure = Some(error),
            }
        }
        out[row] = known[number];
    });
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// What is remembered while one row group is read.
pub(super) struct State {
    sources: Vec<Ids>,
    groups: HashMap<Vec<u32>, u32>,
    /// With one key: the group of each of its values, or of each resource.
    direct: Vec<u32>,
    ids: Vec<Vec<u32>>,
}

impl State {
    fn new_group(&mut self, key: &[u32], table: &mut Table) -> Result<u32, MeterError> {
        let values = self.sources.iter().zip(key);
        let values: Vec<_> = values
            .map(|(ids, id)| ids.values[*id as usize].clone())
            .collect();
        let group = table.group(&values)?;
        self.groups.insert(key.to_vec(), group);
        Ok(group)
    }
}

/// The distinct values of one key, numbered.
struct Ids {
    values: Vec<Option<Constant>>,
    known: HashMap<String, u32>,
    /// By the row of the resource.
    of_resource: Vec<u32>,
    /// For each column: by the entry of the dictionary, [`UNSEEN`] or the number.
    of_entry: Vec<Vec<u32>>,
}

const UNSEEN: u32 = u32::MAX;

/// The number of nil.
const NIL: u32 = 0;

impl Source {
    fn begin(&self) -> Ids {
        let mut ids = Ids {
            values: vec![None],
            known: HashMap::new(),
            of_resource: Vec::new(),
            of_entry: Vec::new(),
        };
        match self {
            Self::Name => ids.of_entry.push(Vec::new()),
            Self::Kind => {
                let kinds = (0..6).map(|at| Constant::Kind(SpanKind::from_number(at)));
                ids.of_resource = kinds.map(|kind| ids.number(Some(kind))).collect();
            }
            Self::Status => {
                let statuses = (0..3).map(|at| Constant::Status(StatusCode::from_number(at)));
                ids.of_resource = statuses.map(|status| ids.number(Some(status))).collect();
            }
            Self::Resource(values) => {
                ids.of_resource = values
                    .iter()
                    .map(|value| ids.number(value.clone()))
                    .collect();
            }
            Self::Attribute { columns, otherwise } => {
                ids.of_resource = otherwise
                    .iter()
                    .map(|value| ids.number(value.clone()))
                    .collect();
                ids.of_entry = vec![Vec::new(); columns.len()];
            }
        }
        ids
    }
}

impl Ids {
    fn number(&mut self, value: Option<Constant>) -> u32 {
        let Some(value) = value else {
            return NIL;
        };
        let text = Shown::One(value.clone()).to_string();
        if let Some(known) = self.known.get(&text) {
            return *known;
        }
        let number = self.values.len() as u32;
        self.values.push(Some(value));
        self.known.insert(text, number);
        number
    }

    /// The number of the key of each row of a page.
    fn ids(
        &mut self,
        source: &Source,
        spans: &mut SpanGroup,
        page: usize,
        out: &mut Vec<u32>,
    ) -> Read<()> {
        out.clear();
        match source {
            Source::Kind => {
                let kinds = spans.kind(page)?.iter();
                out.extend(kinds.map(|&kind| self.of_resource[usize::from(kind)]));
            }
            Source::Status => {
                let statuses = spans.status(page)?.iter();
                out.extend(statuses.map(|&status| self.of_resource[usize::from(status)]));
            }
            Source::Resource(_) => {
                let resources = spans.resource(page)?.iter();
                out.extend(resources.map(|&row| self.of_resource[row as usize]));
            }
            Source::Name => {
                let words = spans.words(WordColumn::Name, page)?;
                for at in 0..words.len() {
                    out.push(
                        self.entry(0, words, AttributeType::String, at)?
                            .unwrap_or(NIL),
                    );
                }
            }
            Source::Attribute { columns, .. } => {
                let resources = spans.resource(page)?.iter();
                out.extend(resources.map(|&row| self.of_resource[row as usize]));
                // The first column that has a value counts, so it comes last.
                for (place, &(at, kind)) in columns.iter().enumerate().rev() {
                    match spans.attribute(at, page)? {
                        AttributePages::Bools(bools) => {
                            let ids =
                                [false, true].map(|value| self.number(Some(Constant::Bool(value))));
                            for (at, &row) in bools.rows().iter().enumerate() {
                                out[row as usize] = ids[usize::from(bools.value(at))];
                            }
                        }
                        AttributePages::Words(words) => {
                            for (at, &row) in words.rows().iter().enumerate() {
                                if let Some(id) = self.entry(place, words, kind, at)? {
                                    out[row as usize] = id;
                                }
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The number of a value of a page; `None` when it is nil.
    #[inline]
    fn entry(
        &mut self,
        column: usize,
        words: &WordPages,
        kind: AttributeType,
        at: usize,
    ) -> Read<Option<u32>> {
        let Some(codes) = words.codes() else {
            let value = key_of(value_of(words.plain(at), kind)?);
            return Ok(value.map(|value| self.number(Some(value))));
        };
        let code = codes[at] as usize;
        let known = self.of_entry[column].get(code).copied().unwrap_or(UNSEEN);
        if known != UNSEEN {
            return Ok((known != NIL).then_some(known));
        }
        self.new_entry(column, words, kind, code)
    }

    fn new_entry(
        &mut self,
        column: usize,
        words: &WordPages,
        kind: AttributeType,
        code: usize,
    ) -> Result<Option<u32>, ReadError> {
        let value = key_of(value_of(words.entry(code as u32), kind)?);
        let id = self.number(value);
        let of_entry = &mut self.of_entry[column];
        if of_entry.len() < words.entry_count() {
            of_entry.resize(words.entry_count(), UNSEEN);
        }
        of_entry[code] = id;
        Ok((id != NIL).then_some(id))
    }
}

fn of_resources(resources: &SpanBatch, scope: Scope, name: &str) -> Vec<Option<Constant>> {
    (0..resources.resources.len())
        .map(|row| {
            let of_resource = || {
                if name == SERVICE_NAME {
                    let service = resources.resources[row].service;
                    return Some(Constant::Str(resources.symbols.str(service).into()));
                }
                of_resource_attribute(resources, row, name).and_then(key_of)
            };
            let of_scope = || of_scope_attribute(resources, row, name).and_then(key_of);
            match scope {
                Scope::Resource => of_resource(),
                Scope::Instrumentation => of_scope(),
                _ => of_resource().or_else(of_scope),
            }
        })
        .collect()
}

/// A value as a key: of an array its first element, of what is no single value its text; `None` for nil.
fn key_of(value: ValueRef<'_>) -> Option<Constant> {
    let ValueRef::Json(text) = value else {
        return constant(value);
    };
    match Value::from_canonical(text) {
        Ok(Value::Empty) => None,
        Ok(Value::Array(items)) => {
            let first = items.first()?;
            let of_other = || Constant::Str(first.to_canonical().into());
            Some(constant_of_element(first).unwrap_or_else(of_other))
        }
        _ => Some(Constant::Str(text.into())),
    }
}
