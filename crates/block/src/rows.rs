//! Spans of chosen traces out of chosen columns: what is not opened stays empty in them.

use std::ops::Range;

use model::{
    Attribute, DurationNanos, Gathered, NO_EXTRA, Range32, Remap, SpanExtra, SpanId, SpanKind,
    SpanRow, StatusCode, Symbol, TraceId, UnixNanos,
};

use crate::group::{Paged, no_resource};
use crate::pages::{PagedColumn, within};
use crate::read::content;
use crate::{ReadError, SpanGroup, WordColumn};

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
        let all = self.resources.resources.len();
        let of = self.len_of(page);
        for &resource in self.resource.load_rows(page, &rows, of)?.values(&rows) {
            if resource as usize >= all {
                return Err(no_resource(resource));
            }
            let resource = into.push_resource(&self.resources, resource, remap)?;
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
        let part = Part { page, rows, of };
        self.fill_ids(&part, trace_first, from, into)?;
        self.fill_plain(&part, from, into)?;
        self.fill_attributes(&part, from, into)?;
        self.fill_extras(&part, from, into)
    }

    fn fill_ids(
        &mut self,
        part: &Part,
        trace_first: usize,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let spans = &mut into.batch.spans;
        let Some(ids) = &mut self.span_id else {
            return Ok(());
        };
        let ids = part.of(ids)?.ids();
        for (span, id) in spans[from..].iter_mut().zip(&ids[part.rows.clone()]) {
            span.span_id = SpanId(*id);
        }
        if let Some(parents) = &mut self.parent {
            for (at, &back) in (from..).zip(part.of(parents)?.values(&part.rows)) {
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
        if let Some(parents) = &mut self.parent_span_id {
            let parents = part.of(parents)?;
            for at in within(parents.rows(), &part.rows) {
                let span = &mut spans[from + part.place_of(parents.rows()[at])];
                if span.parent_span_id.is_zero() {
                    span.parent_span_id = SpanId(parents.ids()[at]);
                }
            }
        }
        Ok(())
    }

    fn fill_plain(
        &mut self,
        part: &Part,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let rows = &part.rows;
        let spans = &mut batch.spans[from..];
        if let Some(starts) = &mut self.start {
            for (span, &start) in spans.iter_mut().zip(part.of(starts)?.values(rows)) {
                span.start = UnixNanos(start);
            }
        }
        if let Some(durations) = &mut self.duration {
            for (span, &duration) in spans.iter_mut().zip(part.of(durations)?.values(rows)) {
                span.duration = DurationNanos(duration);
            }
        }
        if let Some(flags) = &mut self.flags {
            for (span, &flags) in spans.iter_mut().zip(part.of(flags)?.values(rows)) {
                span.flags = flags;
            }
        }
        if let Some(kinds) = &mut self.kind {
            for (span, kind) in spans.iter_mut().zip(part.of(kinds)?.numbers(rows)) {
                span.kind = SpanKind::from_number(kind.into());
            }
        }
        if let Some(statuses) = &mut self.status {
            for (span, status) in spans.iter_mut().zip(part.of(statuses)?.numbers(rows)) {
                span.status = StatusCode::from_number(status.into());
            }
        }
        if let Some(names) = &mut self.words[WordColumn::Name as usize] {
            let names = part.of(names)?;
            for (span, row) in spans.iter_mut().zip(rows.clone()) {
                span.name = names.symbol_of(row, &mut batch.symbols)?;
            }
        }
        Ok(())
    }

    /// Gives the spans from `from` on the attributes that are in opened columns: columns first, then the others.
    fn fill_attributes(
        &mut self,
        part: &Part,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let mut found: Vec<(u32, Attribute)> = Vec::new();
        for (_, key, pages) in &mut self.attributes {
            // Most columns have no value in most traces: a look at the levels saves their dictionaries.
            if !pages.fetch(part.page, part.of)?.has_value_in(&part.rows)? {
                continue;
            }
            let pages = part.of(pages)?;
            let key = batch.symbols.intern_str(key)?;
            for at in within(pages.rows(), &part.rows) {
                let value = pages.symbol(at, &mut batch.symbols)?;
                found.push((pages.rows()[at], Attribute { key, value }));
            }
        }
        if let Some(tail) = &mut self.tail
            && tail.fetch(part.page, part.of)?.has_value_in(&part.rows)?
        {
            let tail = part.of(tail)?;
            for at in within(tail.owners(), &part.rows) {
                let attribute = tail.attribute(at, &mut batch.symbols)?;
                found.push((tail.owners()[at], attribute));
            }
        }
        // Stable: what a row has stays in the order of the columns.
        found.sort_by_key(|(row, _)| *row);
        let mut found = found.into_iter().peekable();
        for (span, row) in batch.spans[from..].iter_mut().zip(part.rows.start as u32..) {
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
        part: &Part,
        from: usize,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let rows = &part.rows;
        let mut extras = vec![SpanExtra::default(); rows.len()];
        for column in [WordColumn::StatusMessage, WordColumn::TraceState] {
            let Some(words) = &mut self.words[column as usize] else {
                continue;
            };
            let words = part.of(words)?;
            for at in within(words.rows(), rows) {
                let symbol = words.symbol(at, &mut batch.symbols)?;
                let extra = &mut extras[part.place_of(words.rows()[at])];
                match column {
                    WordColumn::StatusMessage => extra.status_message = symbol,
                    _ => extra.trace_state = symbol,
                }
            }
        }
        if let Some([attributes, events, links]) = &mut self.dropped {
            let attributes = part.of(attributes)?.values(rows).iter();
            let events = part.of(events)?.values(rows).iter();
            let links = part.of(links)?.values(rows).iter();
            for (extra, ((attributes, events), links)) in
                extras.iter_mut().zip(attributes.zip(events).zip(links))
            {
                extra.dropped_attributes = *attributes;
                extra.dropped_events = *events;
                extra.dropped_links = *links;
            }
        }
        if let Some(events) = &mut self.events
            && events.fetch(part.page, part.of)?.has_value_in(rows)?
        {
            let events = part.of(events)?;
            let mut places = events.before(rows.start as u32);
            for (extra, row) in extras.iter_mut().zip(rows.start as u32..) {
                extra.events = events.push(row, &mut places, batch)?;
            }
        }
        if let Some(links) = &mut self.links
            && links.fetch(part.page, part.of)?.has_value_in(rows)?
        {
            let links = part.of(links)?;
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

/// Rows of a page, which has `of` rows.
struct Part {
    page: usize,
    rows: Range<usize>,
    of: usize,
}

impl Part {
    /// A column with these rows decoded.
    fn of<'a, T: PagedColumn>(&self, column: &'a mut Paged<T>) -> Result<&'a mut T, ReadError> {
        column.load_rows(self.page, &self.rows, self.of)
    }

    /// The place of a row among these.
    fn place_of(&self, row: u32) -> usize {
        row as usize - self.rows.start
    }
}
