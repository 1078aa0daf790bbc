//! Which pieces of traces a list is made from: those that match, and those whose trace may match though they do not.
//!
//! A trace in several places is met piece by piece. Where a list begins at its newest trace, each trace of it is met by what it
//! is listed for: of the pieces that have the service, say, one is met no later than the trace is due, for a trace starts no later
//! than its pieces. So a piece without anything that is asked for says nothing, and where thousands of pieces are the last to come
//! that spares their look-ups. Where a list goes on in the middle, the piece with the service may lie before that place; and by
//! duration a trace is due where its longest piece is. There every piece that is marked as partial may be of a trace that matches,
//! and its whole trace tells.

use std::cmp::Reverse;
use std::sync::Arc;

use block::{BlockMeta, TraceTable};
use collect::{ListOrder, TraceFilter};
use model::{Symbol, TraceId};

use crate::best::Best;
use crate::{TraceCursor, TraceListRequest, TraceOrder};

/// The greatest id: as a cursor it leaves out all traces of its key.
const LAST_ID: TraceId = TraceId([u8::MAX; 16]);

impl TraceListRequest {
    /// The same list, begun where its first trace can be: the newest before an end come after all that start at it.
    pub(crate) fn begun_at_its_end(&self) -> Self {
        let end = self.end.filter(|_| self.order == TraceOrder::Newest);
        let at_end = end.map(|end| TraceCursor {
            key: end.0,
            trace_id: LAST_ID,
        });
        let later = |cursor: &TraceCursor| (Reverse(cursor.key), cursor.trace_id);
        Self {
            cursor: self.cursor.into_iter().chain(at_end).max_by_key(later),
            ..self.clone()
        }
    }

    /// Whether each trace is met by a piece that has some of what it is listed for. The end that makes it long enough has nothing.
    fn is_witnessed(&self) -> bool {
        self.order == TraceOrder::Newest && self.cursor.is_none() && self.min_duration.is_none()
    }

    /// The blocks that may have something for the list, those with the best keys first.
    pub(crate) fn in_order<'a>(
        &self,
        blocks: impl Iterator<Item = &'a Arc<BlockMeta>>,
    ) -> Vec<&'a Arc<BlockMeta>> {
        let mut blocks: Vec<_> = blocks.filter(|block| self.may_match(block)).collect();
        blocks.sort_by_key(|block| Reverse(self.order.best_key(block)));
        blocks
    }

    fn may_match(&self, block: &BlockMeta) -> bool {
        let has_service = self.service.as_deref().is_none_or(|service| {
            let named = |info: &block::ServiceInfo| info.name.as_str().cmp(service);
            block.services.binary_search_by(named).is_ok()
        });
        let has_pieces = block.partial_traces > 0;
        self.is_reached(block)
            && self.start.is_none_or(|start| block.start_max >= start)
            && self.end.is_none_or(|end| block.start_min < end)
            && (has_service || (has_pieces && self.may_have_witness(block)))
            && (has_pieces
                || self
                    .min_duration
                    .is_none_or(|min| block.duration_max >= min.0))
            && (has_pieces || self.error != Some(true) || block.errors > 0)
    }

    /// Whether pieces without the service that is asked for may be looked at for something else.
    fn may_have_witness(&self, block: &BlockMeta) -> bool {
        !self.is_witnessed()
            || self.root_name.is_some()
            || (self.error == Some(true) && block.errors > 0)
    }

    /// Whether a block has traces that come after the cursor, if any.
    fn is_reached(&self, block: &BlockMeta) -> bool {
        let Some(cursor) = self.cursor else {
            return true;
        };
        match self.order {
            TraceOrder::Newest => block.start_min.0 <= cursor.key,
            // What is known of durations is the longest.
            TraceOrder::Slowest => true,
        }
    }

    /// Offers the pieces of a block that may be of the list.
    pub(crate) fn scan(&self, table: &TraceTable, best: &mut Best) {
        let asked = Asked::new(self, table);
        let offer = |best: &mut Best, index: usize| {
            let key = self.order.key(table.start(index), table.duration(index));
            if best.wants(key, table.trace_id(index)) && asked.may_list(index) {
                best.offer(key, table.trace_id(index));
            }
        };
        match self.order {
            TraceOrder::Newest => {
                for &index in self.after_cursor(table) {
                    if best.is_beyond(table.start(index as usize).0) {
                        break;
                    }
                    offer(best, index as usize);
                }
            }
            TraceOrder::Slowest => (0..table.len()).for_each(|index| offer(best, index)),
        }
    }

    /// The newest traces of a table, but for those that start after the cursor, which earlier pages have.
    fn after_cursor<'t>(&self, table: &'t TraceTable) -> &'t [u32] {
        let newest = table.newest();
        let is_earlier_page = |&at: &u32| {
            let start = table.start(at as usize).0;
            self.cursor.is_some_and(|cursor| start > cursor.key)
        };
        &newest[newest.partition_point(is_earlier_page)..]
    }

    /// What is asked of live traces.
    pub(crate) fn live_filter(&self, limit: usize) -> TraceFilter {
        TraceFilter {
            service: self.service.clone(),
            root_name: self.root_name.clone(),
            min_duration: self.min_duration,
            max_duration: self.max_duration,
            error: self.error,
            start: self.start,
            end: self.end,
            order: match self.order {
                TraceOrder::Newest => ListOrder::Newest,
                TraceOrder::Slowest => ListOrder::Slowest,
            },
            limit,
            after: self.cursor.map(|cursor| (cursor.key, cursor.trace_id)),
            is_witnessed: self.is_witnessed(),
        }
    }
}

/// What a list asks, in the words of one block; a word that the block does not have is `Some(None)`.
struct Asked<'a> {
    request: &'a TraceListRequest,
    table: &'a TraceTable,
    service: Option<Option<Symbol>>,
    root_name: Option<Option<Symbol>>,
}

impl<'a> Asked<'a> {
    fn new(request: &'a TraceListRequest, table: &'a TraceTable) -> Self {
        let word = |text: &Option<String>| text.as_deref().map(|name| table.word(name));
        Self {
            request,
            table,
            service: word(&request.service),
            root_name: word(&request.root_name),
        }
    }

    /// Whether the piece matches, or could as a part of its trace.
    fn may_list(&self, index: usize) -> bool {
        let (request, table) = (self.request, self.table);
        let duration = table.duration(index);
        // More spans can only make a trace start earlier, end later and have more errors.
        let certain = request.max_duration.is_none_or(|max| duration <= max)
            && request
                .start
                .is_none_or(|start| table.start(index) >= start)
            && (request.error != Some(false) || table.errors(index) == 0);
        let matches = || {
            request.min_duration.is_none_or(|min| duration >= min)
                && request.end.is_none_or(|end| table.start(index) < end)
                && self.has_errors(index)
                && self.has_service(index)
                && self.has_root_name(index)
        };
        certain
            && if table.is_partial(index) {
                !request.is_witnessed() || self.is_witness(index)
            } else {
                matches()
            }
    }

    /// Whether the piece has one of the things asked for that a single span can give its trace.
    fn is_witness(&self, index: usize) -> bool {
        let asks_errors = self.request.error == Some(true);
        let asks_nothing = self.service.is_none() && self.root_name.is_none() && !asks_errors;
        asks_nothing
            || (self.service.is_some() && self.has_service(index))
            || (self.root_name.is_some() && self.has_root_name(index))
            || (asks_errors && self.has_errors(index))
    }

    fn has_service(&self, index: usize) -> bool {
        self.service
            .is_none_or(|name| name.is_some_and(|name| self.table.has_service(index, name)))
    }

    fn has_root_name(&self, index: usize) -> bool {
        self.root_name
            .is_none_or(|name| name.is_some() && self.table.root_name(index) == name)
    }

    fn has_errors(&self, index: usize) -> bool {
        self.request.error != Some(true) || self.table.errors(index) > 0
    }
}
