//! Spans of chosen traces out of chosen columns: what is not opened stays empty in them.

use std::ops::Range;

use model::{
    Attribute, DurationNanos, Gathered, NO_EXTRA, Range32, Remap, SpanExtra, SpanId, SpanKind,
    SpanRow, StatusCode, Symbol, TraceId, UnixNanos,
};

use crate::pages::within;
use crate::read::content;
use crate::{ReadError, SpanColumn, SpanGroup, WordColumn};

impl SpanGroup {
    /// Appends the rows of one whole trace, counted in the row group, in their order. `remap` must have been reset for
    /// [`Self::resources`] when the target was last changed; see [`Self::change_target`].
    ///
    /// A row costs some 50 ns and its attributes; the first of a page costs the decoding of its columns.
    ///
    /// # Errors
    /// [`ReadError`]; then `into` may hold some of the rows.
    pub fn append(
        &mut self,
        trace_id: TraceId,
        rows: Range<u32>,
        into: &mut Gathered,
        remap: &mut Remap,
    ) -> Result<(), ReadError> {
        let first = into.batch.spans.len();
        let mut at = rows.start;
        while at < rows.end {
            let page = self.page_of(at);
            if page >= self.page_count() {
                return Err(content("a trace has more rows than its row group"));
            }
            let of_page = self.page_rows(page);
            let end = rows.end.min(of_page.end);
            let within = (at - of_page.start) as usize..(end - of_page.start) as usize;
            self.append_page(trace_id, page, within, first, into, remap)?;
            at = end;
        }
        Ok(())
    }

    /// Appends rows of one page. The trace begins at `trace_first` of the batch.
    fn append_page(
        &mut self,
        trace_id: TraceId,
        page: usize,
        rows: Range<usize>,
        trace_first: usize,
        into: &mut Gathered,
        remap: &mut Remap,
    ) -> Result<(), ReadError> {
        let from = into.batch.spans.len();
        let resources = self.resources.clone();
        for &resource in &self.resource(page)?[rows.clone()] {
            let resource = into.push_resource(&resources, resource, remap)?;
            into.batch.spans.push(SpanRow {
                trace_id,
                span_id: SpanId::ZERO,
                parent_span_id: SpanId::ZERO,
                start: UnixNanos(0),
                duration: DurationNanos(0),
                name: Symbol::EMPTY,
                resource,
                attributes: Range32::default(),
                extra: NO_EXTRA,
                flags: 0,
                kind: SpanKind::Unspecified,
                status: StatusCode::Unset,
            });
        }
        self.fill_ids(page, rows.clone(), trace_first, from, into)?;
        self.fill_plain(page, rows.clone(), from, into)?;
        self.fill_attributes(page, &rows, from, into)?;
        self.fill_extras(page, rows, from, into)
    }

    fn fill_ids(
        &mut self,
        page: usize,
        rows: Range<usize>,
        trace_first: usize,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let spans = &mut into.batch.spans;
        if !self.has(SpanColumn::SpanId) {
            return Ok(());
        }
        for (span, id) in spans[from..]
            .iter_mut()
            .zip(&self.span_id(page)?[rows.clone()])
        {
            span.span_id = SpanId(*id);
        }
        if self.has(SpanColumn::Parent) {
            for (at, &back) in (from..).zip(&self.parent(page)?[rows.clone()]) {
                let back = back as usize;
                if back > at - trace_first {
                    return Err(content(format!(
                        "a parent lies {back} rows back, outside its trace"
                    )));
                }
                if back > 0 {
                    spans[at].parent_span_id = spans[at - back].span_id;
                }
            }
        }
        if self.has(SpanColumn::ParentSpanId) {
            let (places, ids) = self.parent_span_id(page)?;
            for at in within(places, &rows) {
                let span = &mut spans[from + places[at] as usize - rows.start];
                if span.parent_span_id.is_zero() {
                    span.parent_span_id = SpanId(ids[at]);
                }
            }
        }
        Ok(())
    }

    fn fill_plain(
        &mut self,
        page: usize,
        rows: Range<usize>,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let spans = &mut batch.spans[from..];
        self.few_times(page, rows.clone(), |at, start, duration| {
            spans[at].start = UnixNanos(start.unwrap_or(0));
            spans[at].duration = DurationNanos(duration.unwrap_or(0));
        })?;
        if self.has(SpanColumn::Flags) {
            for (span, &flags) in spans.iter_mut().zip(&self.flags(page)?[rows.clone()]) {
                span.flags = flags;
            }
        }
        if self.has(SpanColumn::Kind) {
            for (span, &kind) in spans.iter_mut().zip(&self.kind(page)?[rows.clone()]) {
                span.kind = SpanKind::from_number(kind.into());
            }
        }
        if self.has(SpanColumn::Status) {
            for (span, &status) in spans.iter_mut().zip(&self.status(page)?[rows.clone()]) {
                span.status = StatusCode::from_number(status.into());
            }
        }
        if self.has(SpanColumn::Name) {
            let names = self.words(WordColumn::Name, page)?;
            for (span, row) in spans.iter_mut().zip(rows) {
                span.name = names.symbol(row, &mut batch.symbols)?;
            }
        }
        Ok(())
    }

    /// Gives the spans from `from` on the attributes that are in opened columns: columns first, then the others.
    fn fill_attributes(
        &mut self,
        page: usize,
        rows: &Range<usize>,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let len = self.page_rows(page).len();
        let batch = &mut into.batch;
        let mut found: Vec<(u32, Attribute)> = Vec::new();
        for (_, key, pages) in &mut self.attributes {
            if !pages.has_value_in(page, rows)? {
                continue;
            }
            let pages = pages.load(page, len)?;
            let own = within(pages.rows(), rows);
            let key = batch.symbols.intern_str(key)?;
            for at in own {
                let value = pages.symbol(at, &mut batch.symbols)?;
                found.push((pages.rows()[at], Attribute { key, value }));
            }
        }
        if self.has(SpanColumn::Tail) {
            let tail = self.tail(page)?;
            for at in within(tail.owners(), rows) {
                let attribute = tail.attribute(at, &mut batch.symbols)?;
                found.push((tail.owners()[at], attribute));
            }
        }
        // Stable: what a row has stays in the order of the columns.
        found.sort_by_key(|(row, _)| *row);
        let mut found = found.into_iter().peekable();
        for (span, row) in batch.spans[from..].iter_mut().zip(rows.start as u32..) {
            let start = batch.attributes.len();
            while let Some((_, attribute)) = found.next_if(|(of, _)| *of == row) {
                batch.attributes.push(attribute);
            }
            span.attributes = Range32::between(start, batch.attributes.len());
        }
        Ok(())
    }

    fn fill_extras(
        &mut self,
        page: usize,
        rows: Range<usize>,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let mut extras = vec![SpanExtra::default(); rows.len()];
        for column in [WordColumn::StatusMessage, WordColumn::TraceState] {
            let opened = match column {
                WordColumn::StatusMessage => SpanColumn::StatusMessage,
                _ => SpanColumn::TraceState,
            };
            if !self.has(opened) {
                continue;
            }
            let words = self.words(column, page)?;
            for at in within(words.rows(), &rows) {
                let symbol = words.symbol(at, &mut batch.symbols)?;
                let extra = &mut extras[words.rows()[at] as usize - rows.start];
                match column {
                    WordColumn::StatusMessage => extra.status_message = symbol,
                    _ => extra.trace_state = symbol,
                }
            }
        }
        if self.has(SpanColumn::Dropped) {
            let [attributes, events, links] = self.dropped(page)?;
            for (extra, row) in extras.iter_mut().zip(rows.clone()) {
                extra.dropped_attributes = attributes[row];
                extra.dropped_events = events[row];
                extra.dropped_links = links[row];
            }
        }
        if self.has(SpanColumn::Events) {
            let events = self.events(page)?;
            let mut places = events.before(rows.start as u32);
            for (extra, row) in extras.iter_mut().zip(rows.start as u32..) {
                extra.events = events.push(row, &mut places, batch)?;
            }
        }
        if self.has(SpanColumn::Links) {
            let links = self.links(page)?;
            let mut places = links.before(rows.start as u32);
            for (extra, row) in extras.iter_mut().zip(rows.start as u32..) {
                extra.links = links.push(row, &mut places, batch)?;
            }
        }
        for (extra, at) in extras.into_iter().zip(from..) {
            // Where empty ranges begin says nothing.
            let nothing = SpanExtra {
                events: extra.events,
                links: extra.links,
                ..SpanExtra::default()
            };
            if extra != nothing || extra.events.len > 0 || extra.links.len > 0 {
                batch.spans[at].extra = batch.extras.len() as u32;
                batch.extras.push(extra);
            }
        }
        Ok(())
    }
}
