//! A compiled condition decided for the rows of a page.

use std::ops::Range;

use block::{
    AttributePages, AttributeType, EventNamePages, ListPages, ReadError, SpanGroup, TraceTable,
    WordColumn, WordPages,
};
use model::ValueRef;

use super::filter::{AttributeLeaf, Filter, Known, Leaf, Node, Otherwise};
use super::value::{is_nil, tail_value, value_of};
use super::{Mask, Test};

/// For which rows a condition holds.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// Rows for which it may hold.
    pub(crate) maybe: Mask,
    /// Rows for which it surely holds; `None` when it does for all that may.
    sure: Option<Mask>,
}

impl Verdict {
    fn exact(mask: Mask) -> Self {
        Self {
            maybe: mask,
            sure: None,
        }
    }

    /// Rows for which it surely holds.
    pub(crate) fn sure(&self) -> &Mask {
        self.sure.as_ref().unwrap_or(&self.maybe)
    }

    fn not(&mut self) {
        let Some(sure) = &mut self.sure else {
            self.maybe.not();
            return;
        };
        std::mem::swap(sure, &mut self.maybe);
        sure.not();
        self.maybe.not();
    }

    fn combine(&mut self, other: &Self, with: fn(&mut Mask, &Mask)) {
        if self.sure.is_some() || other.sure.is_some() {
            let mut sure = self.sure().clone();
            with(&mut sure, other.sure());
            self.sure = Some(sure);
        }
        with(&mut self.maybe, &other.maybe);
    }
}

/// The traces of a row group and where their rows begin.
#[derive(Debug)]
pub(crate) struct GroupTraces {
    /// Positions in the trace table.
    pub(crate) traces: Range<usize>,
    /// The first row of each, counted in the row group, and behind them the number of all rows.
    first_rows: Vec<u32>,
}

impl GroupTraces {
    /// The traces whose rows are `rows` of the file.
    pub(crate) fn of(table: &TraceTable, rows: Range<u64>) -> Self {
        let traces = table.within(rows.clone());
        let within = |row: &u64| row.saturating_sub(rows.start).min(rows.end - rows.start) as u32;
        let mut first_rows: Vec<u32> = table
            .first_rows(traces.clone())
            .iter()
            .map(within)
            .collect();
        if let Some(last) = first_rows.last_mut() {
            *last = (rows.end - rows.start) as u32;
        }
        Self { traces, first_rows }
    }

    /// The rows of a trace of the table, counted in the row group that begins at row `first` of the file.
    pub(crate) fn rows(table: &TraceTable, trace: usize, first: u64) -> Range<u32> {
        let rows = table.rows(trace);
        let start = rows.start.saturating_sub(first) as u32;
        start..start + rows.len as u32
    }

    /// The position of the trace that a row of the row group belongs to, behind the first.
    pub(crate) fn of_row(&self, row: u32) -> usize {
        let before = self.first_rows.partition_point(|&first| first <= row);
        before
            .saturating_sub(1)
            .min(self.traces.len().saturating_sub(1))
    }

    /// Calls `each` with the position, behind the first, of the trace of each row of a page that is in `mask`.
    pub(crate) fn each(&self, page: &Range<u32>, mask: &Mask, mut each: impl FnMut(usize)) {
        let mut at = self.of_row(page.start);
        for row in mask.rows() {
            let row = page.start + row as u32;
            while self.first_rows.get(at + 1).is_some_and(|&next| next <= row)
                && at + 1 < self.traces.len()
            {
                at += 1;
            }
            each(at);
        }
    }

    /// The rows of a page, counted in it, that belong to traces for which `holds`, asked by position behind the first.
    fn mask(&self, page: &Range<u32>, holds: impl Fn(usize) -> bool) -> Mask {
        let mut mask = Mask::none(page.len());
        let mut at = self.of_row(page.start);
        while at < self.traces.len() && self.first_rows[at] < page.end {
            if holds(at) {
                let from = self.first_rows[at].max(page.start) - page.start;
                let to = self.first_rows[at + 1].min(page.end) - page.start;
                mask.set_range(from as usize..to.max(from) as usize);
            }
            at += 1;
        }
        mask
    }
}

/// Decides a filter in one row group: remembers what it has said of entries of dictionaries.
pub(crate) struct Judge<'f> {
    filter: &'f Filter,
    /// For each dictionary: for each entry, [`UNSEEN`] or what was said.
    memos: Vec<Vec<u8>>,
    /// For each dictionary: whether it has the text that is sought; `None` before it was looked for.
    has_sought: Vec<Option<bool>>,
}

const UNSEEN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;
/// There is no value, as if the row had none.
const NIL: u8 = 3;

impl<'f> Judge<'f> {
    pub(crate) fn new(filter: &'f Filter) -> Self {
        Self {
            filter,
            memos: vec![Vec::new(); filter.memos],
            has_sought: vec![None; filter.memos],
        }
    }

    /// For which rows of a page of `group` the condition holds. Rows that are not in `within` may be called either way.
    ///
    /// # Errors
    /// [`ReadError`]
    pub(crate) fn page(
        &mut self,
        group: &mut SpanGroup,
        traces: &GroupTraces,
        page: usize,
        within: &Mask,
    ) -> Result<Verdict, ReadError> {
        let mut here = Page {
            rows: group.page_rows(page),
            group,
            traces,
            page,
            memos: &mut self.memos,
            has_sought: &mut self.has_sought,
        };
        here.node(&self.filter.root, within)
    }
}

struct Page<'p> {
    group: &'p mut SpanGroup,
    traces: &'p GroupTraces,
    page: usize,
    rows: Range<u32>,
    memos: &'p mut [Vec<u8>],
    has_sought: &'p mut [Option<bool>],
}

impl Page<'_> {
    fn node(&mut self, node: &Node, within: &Mask) -> Result<Verdict, ReadError> {
        let rows = self.rows.len();
        match node {
            Node::Const(value) => Ok(Verdict::exact(Mask::constant(rows, *value))),
            Node::Open => Ok(Verdict {
                maybe: Mask::all(rows),
                sure: Some(Mask::none(rows)),
            }),
            Node::Not(inner) => {
                let mut verdict = self.node(inner, within)?;
                verdict.not();
                Ok(verdict)
            }
            Node::All(nodes) => {
                let mut left = within.clone();
                let mut verdict = Verdict::exact(left.clone());
                for node in nodes {
                    let next = self.node(node, &left)?;
                    verdict.combine(&next, Mask::and);
                    left.and(&next.maybe);
                    if left.is_empty() {
                        return Ok(Verdict::exact(left));
                    }
                }
                Ok(verdict)
            }
            Node::Any(nodes) => {
                let mut left = within.clone();
                let mut verdict = Verdict::exact(Mask::none(rows));
                for node in nodes {
                    let next = self.node(node, &left)?;
                    verdict.combine(&next, Mask::or);
                    left.without(next.sure());
                    if left.is_empty() {
                        break;
                    }
                }
                Ok(verdict)
            }
            Node::Leaf(leaf) => self.leaf(leaf, within),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, within: &Mask) -> Result<Verdict, ReadError> {
        let page = self.page;
        let mask = match leaf {
            Leaf::Resource(verdicts) => {
                let resource = self.group.resource(page)?;
                Mask::of(resource, |&at| verdicts[at as usize])
            }
            Leaf::Kind(verdicts) => Mask::of(self.group.kind(page)?, |&at| verdicts[at as usize]),
            Leaf::Status(verdicts) => {
                Mask::of(self.group.status(page)?, |&at| verdicts[at as usize])
            }
            Leaf::Duration(durations) => {
                Mask::of(self.group.duration(page)?, |&nanos| durations.has(nanos))
            }
            Leaf::SpanId { id, equal } => Mask::of(self.group.span_id(page)?, |other| {
                (*other == id.0) == *equal
            }),
            Leaf::Root { without, with } => return self.root(*without, *with),
            Leaf::Trace(known) => {
                let known = &known[self.traces.traces.clone()];
                let maybe = self.traces.mask(&self.rows, |at| known[at] != Known::No);
                let sure = known
                    .contains(&Known::Maybe)
                    .then(|| self.traces.mask(&self.rows, |at| known[at] == Known::Yes));
                return Ok(Verdict { maybe, sure });
            }
            Leaf::Name { test, memo } => {
                let memo = &mut self.memos[*memo];
                let words = self.group.words(WordColumn::Name, page)?;
                let mut said = Said::new(words, test, AttributeType::String, memo);
                let mut mask = Mask::none(words.len());
                for row in 0..words.len() {
                    if said.of(row)? == YES {
                        mask.set(row);
                    }
                }
                mask
            }
            Leaf::StatusMessage { test, memo } => {
                let memo = &mut self.memos[*memo];
                let rows = self.rows.len();
                let words = self.group.words(WordColumn::StatusMessage, page)?;
                let mut said = Said::new(words, test, AttributeType::String, memo);
                let mut mask = Mask::constant(rows, test.of_text(""));
                for (at, &row) in words.rows().iter().enumerate() {
                    set(&mut mask, row as usize, said.of(at)? == YES);
                }
                mask
            }
            Leaf::EventName { test, memo } => {
                let (rows, memo) = (self.rows.len(), &mut self.memos[*memo]);
                of_event_names(self.group.event_names(page)?, rows, test, memo)?
            }
            Leaf::Attribute(leaf) => return self.attribute(leaf, within),
        };
        Ok(Verdict::exact(mask))
    }

    fn root(&mut self, without: Known, with: Known) -> Result<Verdict, ReadError> {
        let parents = self.group.parent(self.page)?;
        let known = |&back: &u32| if back == 0 { without } else { with };
        let maybe = Mask::of(parents, |back| known(back) != Known::No);
        let sure = (without == Known::Maybe || with == Known::Maybe)
            .then(|| Mask::of(parents, |back| known(back) == Known::Yes));
        Ok(Verdict { maybe, sure })
    }

    fn attribute(&mut self, leaf: &AttributeLeaf, within: &Mask) -> Result<Verdict, ReadError> {
        let rows = self.rows.len();
        if self.is_ruled_out(leaf)? {
            return Ok(Verdict::exact(Mask::none(rows)));
        }
        let mut mask = Mask::none(rows);
        // Rows that have no value yet; the first value that a row has counts.
        let mut open = within.clone();
        for &(at, kind, memo) in &leaf.columns {
            match self.group.attribute(at, self.page)? {
                AttributePages::Bools(bools) => {
                    let verdicts =
                        [false, true].map(|value| leaf.test.of_value(ValueRef::Bool(value)));
                    for (place, &row) in bools.rows().iter().enumerate() {
                        let holds = verdicts[usize::from(bools.value(place))];
                        decide(&mut mask, &mut open, row as usize, holds);
                    }
                }
                AttributePages::Words(words) => {
                    let mut said = Said::new(words, &leaf.test, kind, &mut self.memos[memo]);
                    for (place, &row) in words.rows().iter().enumerate() {
                        match said.of(place)? {
                            NIL => {}
                            verdict => decide(&mut mask, &mut open, row as usize, verdict == YES),
                        }
                    }
                }
            }
        }
        if let Some(key) = &leaf.tail
            && !open.is_empty()
        {
            let tail = self.group.tail(self.page)?;
            in_tail(tail, key, &leaf.test, &mut mask, &mut open)?;
        }
        match &leaf.otherwise {
            Otherwise::Const(true) => mask.or(&open),
            Otherwise::Const(false) => {}
            Otherwise::Resource(known) => return self.otherwise(known, mask, &open),
        }
        Ok(Verdict::exact(mask))
    }

    /// Whether dictionaries tell that no row of the page passes: of many values, most are in few row groups.
    fn is_ruled_out(&mut self, leaf: &AttributeLeaf) -> Result<bool, ReadError> {
        let Some(sought) = leaf.test.sought() else {
            return Ok(false);
        };
        if leaf.tail.is_some() || !matches!(leaf.otherwise, Otherwise::Const(false)) {
            return Ok(false);
        }
        for &(at, kind, memo) in &leaf.columns {
            let Some(words) = self.group.dictionary(at, self.page)? else {
                return Ok(false);
            };
            // Elements of arrays are compared, and what is no text is equal to none.
            let has_sought = self.has_sought[memo].get_or_insert_with(|| match kind {
                AttributeType::Json => true,
                AttributeType::String => {
                    let mut codes = 0..words.entry_count() as u32;
                    codes.any(|code| words.entry(code) == sought.as_bytes())
                }
                _ => false,
            });
            if *has_sought {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds what holds for the rows that have no value of their own.
    fn otherwise(
        &mut self,
        known: &[Known],
        mut mask: Mask,
        open: &Mask,
    ) -> Result<Verdict, ReadError> {
        let resource = self.group.resource(self.page)?;
        let mut sure = mask.clone();
        let mut is_exact = true;
        for row in open.rows() {
            match known[resource[row] as usize] {
                Known::No => {}
                Known::Yes => {
                    mask.set(row);
                    sure.set(row);
                }
                Known::Maybe => {
                    mask.set(row);
                    is_exact = false;
                }
            }
        }
        Ok(Verdict {
            maybe: mask,
            sure: (!is_exact).then_some(sure),
        })
    }
}

/// The rows whose events have such names.
fn of_event_names(
    events: &EventNamePages,
    rows: usize,
    test: &Test,
    memo: &mut Vec<u8>,
) -> Result<Mask, ReadError> {
    let mut said = Said::new(events.names(), test, AttributeType::String, memo);
    let mut mask = Mask::constant(rows, test.of_nil());
    let mut at = 0;
    for of_row in events.owners().chunk_by(|a, b| a == b) {
        // Every name is to pass, or any.
        let decisive = if test.asks_every() { NO } else { YES };
        let mut is_decided = false;
        for name in at..at + of_row.len() {
            is_decided |= said.of(name)? == decisive;
        }
        set(
            &mut mask,
            of_row[0] as usize,
            is_decided == (decisive == YES),
        );
        at += of_row.len();
    }
    Ok(mask)
}

fn set(mask: &mut Mask, row: usize, value: bool) {
    if value {
        mask.set(row);
    } else {
        mask.clear(row);
    }
}

#[inline]
fn decide(mask: &mut Mask, open: &mut Mask, row: usize, holds: bool) {
    if open.has(row) {
        open.clear(row);
        if holds {
            mask.set(row);
        }
    }
}

/// What a test says of the values of a page, each entry of the dictionary asked once.
struct Said<'a> {
    words: &'a WordPages,
    test: &'a Test,
    kind: AttributeType,
    memo: &'a mut [u8],
}

impl<'a> Said<'a> {
    fn new(
        words: &'a WordPages,
        test: &'a Test,
        kind: AttributeType,
        memo: &'a mut Vec<u8>,
    ) -> Self {
        memo.resize(words.entry_count(), UNSEEN);
        Self {
            words,
            test,
            kind,
            memo,
        }
    }

    #[inline]
    fn of(&mut self, at: usize) -> Result<u8, ReadError> {
        let Some(codes) = self.words.codes() else {
            return self.ask(self.words.plain(at));
        };
        let code = codes[at];
        let known = self.memo[code as usize];
        if known != UNSEEN {
            return Ok(known);
        }
        let verdict = self.ask(self.words.entry(code))?;
        self.memo[code as usize] = verdict;
        Ok(verdict)
    }

    fn ask(&self, bytes: &[u8]) -> Result<u8, ReadError> {
        let value = value_of(bytes, self.kind)?;
        Ok(if is_nil(value) {
            NIL
        } else if self.test.of_value(value) {
            YES
        } else {
            NO
        })
    }
}

/// Decides rows by what the attributes without a column say.
fn in_tail(
    tail: &ListPages,
    key: &str,
    test: &Test,
    mask: &mut Mask,
    open: &mut Mask,
) -> Result<(), ReadError> {
    let keys = tail.keys();
    let wanted = keys.codes().map(|_| {
        let mut entries = 0..keys.entry_count() as u32;
        entries.find(|&code| keys.entry(code) == key.as_bytes())
    });
    if wanted == Some(None) {
        return Ok(());
    }
    for (at, &row) in tail.owners().iter().enumerate() {
        let is_it = match (keys.codes(), wanted) {
            (Some(codes), Some(Some(wanted))) => codes[at] == wanted,
            _ => keys.plain(at) == key.as_bytes(),
        };
        if !is_it || !open.has(row as usize) {
            continue;
        }
        if let Some(holds) = of_tail_value(tail, at, test)? {
            decide(mask, open, row as usize, holds);
        }
    }
    Ok(())
}

fn of_tail_value(tail: &ListPages, at: usize, test: &Test) -> Result<Option<bool>, ReadError> {
    let value = tail_value(tail.values().value(at), tail.kind(at))?;
    Ok((!is_nil(value)).then(|| test.of_value(value)))
}
