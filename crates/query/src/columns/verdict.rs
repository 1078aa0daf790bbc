//! A compiled condition decided for the rows of a page.

use std::ops::Range;

use block::{AttributePages, AttributeType, ReadError, SpanGroup, WordColumn};
use model::ValueRef;

use super::filter::{Filter, Node};
use super::leaf::{AttributeLeaf, Elements, Known, Leaf, Otherwise};
use super::said::{NIL, Said, YES, decide, in_tail, of_element_attributes, of_elements, set};
use super::{GroupTraces, Mask, Test};

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

/// Decides a filter in one row group: remembers what it has said of entries of dictionaries.
pub(crate) struct Judge<'f> {
    filter: &'f Filter,
    /// For each dictionary: for each entry, what was said of it.
    memos: Vec<Vec<u8>>,
    /// For each dictionary: whether it has the text that is sought; `None` before it was looked for.
    has_sought: Vec<Option<bool>>,
}

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
                let events = self.group.event_names(page)?;
                let mut said = Said::new(events.names(), test, AttributeType::String, memo);
                of_elements(events.owners(), rows, test, |at| Ok(said.of(at)? == YES))?
            }
            Leaf::ElementAttribute {
                of_links,
                key,
                test,
            } => {
                let rows = self.rows.len();
                if *of_links {
                    let links = self.group.links(page)?;
                    of_element_attributes(links.owners(), links.attributes(), key, test, rows)?.mask
                } else {
                    let events = self.group.events(page)?;
                    of_element_attributes(events.owners(), events.attributes(), key, test, rows)?
                        .mask
                }
            }
            Leaf::LinkId { of_trace, test } => {
                let rows = self.rows.len();
                let links = self.group.links(page)?;
                of_elements(links.owners(), rows, test, |at| {
                    Ok(if *of_trace {
                        test.of_text(&links.trace_id(at).to_string())
                    } else {
                        test.of_text(&links.span_id(at).to_string())
                    })
                })?
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
            Otherwise::Resource(verdicts) => {
                self.by_resource(&mut mask, &mut open, |resource| Some(verdicts[resource]))?;
            }
            Otherwise::Elements(elements) => {
                self.in_elements(elements, &leaf.test, &mut mask, &mut open)?;
            }
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

    /// Adds what holds for the rows that have no value of their own, by the row of the resource.
    fn by_resource(
        &mut self,
        mask: &mut Mask,
        open: &mut Mask,
        holds: impl Fn(usize) -> Option<bool>,
    ) -> Result<(), ReadError> {
        let resource = self.group.resource(self.page)?;
        for (row, &resource) in resource.iter().enumerate() {
            if let Some(holds) = holds(resource as usize) {
                decide(mask, open, row, holds);
            }
        }
        Ok(())
    }

    fn in_elements(
        &mut self,
        elements: &Elements,
        test: &Test,
        mask: &mut Mask,
        open: &mut Mask,
    ) -> Result<(), ReadError> {
        let Elements { key, .. } = elements;
        self.by_resource(mask, open, |resource| elements.of_resource[resource])?;
        let rows = self.rows.len();
        if elements.in_events && !open.is_empty() {
            let events = self.group.events(self.page)?;
            of_element_attributes(events.owners(), events.attributes(), key, test, rows)?
                .decide(mask, open);
        }
        if elements.in_links && !open.is_empty() {
            let links = self.group.links(self.page)?;
            of_element_attributes(links.owners(), links.attributes(), key, test, rows)?
                .decide(mask, open);
        }
        self.by_resource(mask, open, |resource| Some(elements.last[resource]))
    }
}
