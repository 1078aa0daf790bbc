//! Whole traces turned into what tables count: the general way, for every query.

use hashbrown::HashMap;
use traceql::query::{MetricsFunction, MetricsQuery};

use super::comparer::Comparer;
use super::{MeterError, Number, Table};
use crate::condition::Test;
use crate::item::Item;
use crate::keys::Part;
use crate::matcher::Matcher;
use crate::reader::Reader;
use crate::tree::Tree;
use crate::weight::weight_of;
use crate::{Exemplar, StepClock};

/// Looks at traces for one query.
#[derive(Debug)]
pub(super) struct Observer {
    matcher: Matcher,
    by: Vec<Reader>,
    what: What,
    weighted: bool,
    /// Groups of this trace by [`code`].
    groups: HashMap<u64, u32>,
}

#[derive(Debug)]
enum What {
    Count,
    Values(Reader, Vec<Number>),
    Compare(Box<Comparer>),
}

impl Observer {
    pub(super) fn new(query: &MetricsQuery, weighted: bool) -> Self {
        let what = match &query.function {
            MetricsFunction::Compare {
                selection, window, ..
            } => What::Compare(Box::new(Comparer::new(Test::new(selection), *window))),
            function => match function.field() {
                Some(field) => What::Values(Reader::new(field), Vec::new()),
                None => What::Count,
            },
        };
        Self {
            matcher: Matcher::new(&query.input),
            by: query.by.iter().map(|c| Reader::new(&c.field)).collect(),
            what,
            weighted,
            groups: HashMap::new(),
        }
    }

    /// Adds the spans of a trace that the query gives.
    pub(super) fn observe(
        &mut self,
        tree: &Tree<'_>,
        clock: &StepClock,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let spans = self.matcher.spans(tree);
        let added = self.add(&spans, tree, clock, table);
        self.matcher.recycle(spans);
        added?;
        table.check()
    }

    fn add(
        &mut self,
        spans: &[u32],
        tree: &Tree<'_>,
        clock: &StepClock,
        table: &mut Table,
    ) -> Result<(), MeterError> {
        let symbols = &tree.batch().symbols;
        self.by.iter_mut().for_each(|reader| reader.bind(symbols));
        match &mut self.what {
            What::Count => {}
            What::Values(reader, _) => reader.bind(symbols),
            What::Compare(comparer) => comparer.bind(tree),
        }
        self.groups.clear();
        let mut key: Vec<Part> = Vec::with_capacity(self.by.len());
        let mut last = None;
        for at in spans {
            let span = tree.span(*at);
            let Some(point) = clock.position(span.start) else {
                continue;
            };
            let weight = if self.weighted {
                weight_of(span, tree.batch())
            } else {
                1.0
            };
            let mut shown = span.duration.0 as f64 / 1e9;
            match &mut self.what {
                What::Compare(comparer) => {
                    comparer.add(tree, *at, point, weight, table)?;
                    continue;
                }
                What::Values(reader, numbers) => {
                    numbers.clear();
                    reader.visit(tree, *at, &mut |item| {
                        numbers.extend(number(item));
                        true
                    });
                    let Some(first) = numbers.first() else {
                        continue;
                    };
                    shown = first.seconds();
                }
                What::Count => {}
            }
            key.clear();
            key.extend(self.by.iter().map(|reader| reader.key(tree, *at)));
            let code = code(&key);
            let group = match last {
                // Neighbours are often of one group.
                Some((last_code, group)) if code == Some(last_code) => group,
                _ => self.find_group(&key, code, tree, table)?,
            };
            last = code.map(|code| (code, group));
            match &self.what {
                What::Values(_, numbers) => {
                    for number in numbers {
                        table.add_value(group, point, *number, weight);
                    }
                }
                _ => table.add_count(group, point, weight),
            }
            if table.wants_exemplar(group, point) {
                let exemplar = Exemplar {
                    trace_id: span.trace_id,
                    span_id: span.span_id,
                    time: span.start,
                    value: shown,
                };
                table.add_exemplar(group, point, exemplar);
            }
        }
        Ok(())
    }
}

impl Observer {
    fn find_group(
        &mut self,
        key: &[Part],
        code: Option<u64>,
        tree: &Tree<'_>,
        table: &mut Table,
    ) -> Result<u32, MeterError> {
        if let Some(group) = code.and_then(|code| self.groups.get(&code)) {
            return Ok(*group);
        }
        let group = table.group_of(key, &tree.batch().symbols)?;
        self.groups.extend(code.map(|code| (code, group)));
        Ok(group)
    }
}

/// A number that no other key of the same batch has; none for most keys of more than two parts.
fn code(key: &[Part]) -> Option<u64> {
    match key {
        [] => Some(0),
        [part] => part.code().map(u64::from),
        [first, second] => Some(u64::from(first.code()?) << 32 | u64::from(second.code()?)),
        _ => None,
    }
}

/// A finite number.
fn number(item: Item<'_>) -> Option<Number> {
    match item {
        Item::Int(int) => Some(Number::Int(int)),
        Item::Float(float) => float.is_finite().then_some(Number::Float(float)),
        Item::Duration(nanos) => Some(Number::Duration(nanos)),
        _ => None,
    }
}
