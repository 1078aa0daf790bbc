//! Lists of live traces: the best few by start or duration, without looking at spans until the winners are known.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use hashbrown::{HashMap, HashSet};
use model::{DurationNanos, SpanId, StatusCode, Symbol, TraceId, TraceSummary, UnixNanos};

use super::Shard;
use super::generation::Generation;
use super::live::{LiveTrace, State};

/// The order of a list. Ties go by trace id, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListOrder {
    /// Latest start first.
    #[default]
    Newest,
    /// Longest duration first.
    Slowest,
}

/// Which live traces, in which order, how many.
///
/// The filter is *wide* for traces of which other spans are in blocks: where those could make a condition true, the trace
/// is listed. So whoever joins it with its stored pieces must check again.
#[derive(Debug, Clone, Default)]
pub struct TraceFilter {
    /// Only traces in which this service takes part.
    pub service: Option<String>,
    /// Only traces whose root span has this name.
    pub root_name: Option<String>,
    /// Only traces at least this long.
    pub min_duration: Option<DurationNanos>,
    /// Only traces at most this long.
    pub max_duration: Option<DurationNanos>,
    /// Only traces with (`true`) or without (`false`) a span whose status is error.
    pub error: Option<bool>,
    /// Only traces that start at or after this.
    pub start: Option<UnixNanos>,
    /// Only traces that start before this.
    pub end: Option<UnixNanos>,
    /// Order.
    pub order: ListOrder,
    /// The most traces to list; bounded by [`TraceFilter::LIMIT_MAX`].
    pub limit: usize,
    /// Start or duration in nanoseconds, by the order, and id of a trace: only traces that come after it in the order.
    pub after: Option<(i64, TraceId)>,
    /// Of traces with other spans in blocks, only those whose spans here have the service, the root name or the error that is asked
    /// for, if any is: the others are met in a block.
    pub is_witnessed: bool,
}

impl TraceFilter {
    /// The most traces that one list holds.
    pub const LIMIT_MAX: usize = 10_000;

    fn key(&self, trace: &LiveTrace) -> i64 {
        match self.order {
            ListOrder::Newest => trace.start.0,
            ListOrder::Slowest => trace.duration().0,
        }
    }

    /// Of a trace with other spans in blocks one of these must be met, besides what no other span can make true.
    fn of_late_traces(&self) -> Vec<Self> {
        let service = self.service.as_ref().map(|service| Self {
            service: Some(service.clone()),
            ..Self::default()
        });
        let root_name = self.root_name.as_ref().map(|name| Self {
            root_name: Some(name.clone()),
            ..Self::default()
        });
        let error = (self.error == Some(true)).then(|| Self {
            error: self.error,
            ..Self::default()
        });
        let asked: Vec<Self> = [service, root_name, error].into_iter().flatten().collect();
        if self.is_witnessed && !asked.is_empty() {
            asked
        } else {
            vec![Self::default()]
        }
    }

    /// Puts summaries into the order of this list and cuts them at its limit.
    pub(crate) fn sort(&self, summaries: &mut Vec<TraceSummary>) {
        summaries.sort_unstable_by_key(|summary| {
            let key = match self.order {
                ListOrder::Newest => summary.start.0,
                ListOrder::Slowest => summary.duration().0,
            };
            (Reverse(key), summary.trace_id)
        });
        summaries.truncate(self.limit.min(Self::LIMIT_MAX));
    }
}

/// What the names of a filter are in one generation.
struct Names {
    /// The bit of the service, and its ordinal where the bit may belong to several.
    service: Option<(u64, Option<usize>)>,
    root_name: Option<Symbol>,
    /// A name that the filter asks for does not occur, so only traces with spans elsewhere can match.
    is_foreign: bool,
}

impl Names {
    fn of(filter: &TraceFilter, generation: &Generation) -> Self {
        let symbols = &generation.batch().symbols;
        let services = generation.services();
        let ordinal = filter.service.as_deref().map(|name| {
            let symbol = symbols.find_str(name)?;
            services.iter().position(|&service| service == symbol)
        });
        let root_name = filter
            .root_name
            .as_deref()
            .map(|name| symbols.find_str(name));
        let is_shared = services.len() > u64::BITS as usize;
        Self {
            is_foreign: ordinal == Some(None) || root_name == Some(None),
            service: ordinal.flatten().map(|ordinal| {
                (
                    1 << (ordinal as u32 % u64::BITS),
                    is_shared.then_some(ordinal),
                )
            }),
            root_name: root_name.flatten(),
        }
    }

    fn match_names(&self, generation: &Generation, trace: &LiveTrace) -> bool {
        if self.is_foreign {
            return false;
        }
        if self
            .root_name
            .is_some_and(|name| !trace.has_root() || trace.root_name != name)
        {
            return false;
        }
        let Some((bit, shared)) = self.service else {
            return true;
        };
        trace.services & bit != 0
            && shared.is_none_or(|ordinal| {
                generation
                    .rows(trace)
                    .any(|row| generation.service_ordinal(generation.span(row)) == ordinal)
            })
    }
}

/// Where a trace stands in a list; the greatest is listed last.
type Rank = (Reverse<i64>, TraceId);

impl Shard {
    /// The best traces of the list with what is known of them here, in order. Costs a walk over the records of all
    /// traces, and over the spans of the winners.
    pub(crate) fn list(&self, filter: &TraceFilter) -> Vec<TraceSummary> {
        let scattered = self.scattered();
        let of_late = filter.of_late_traces();
        let limit = filter.limit.min(TraceFilter::LIMIT_MAX);
        let mut best: BinaryHeap<Rank> = BinaryHeap::with_capacity(limit + 1);
        let after: Option<Rank> = filter.after.map(|(key, id)| (Reverse(key), id));
        let mut offer = |trace: &LiveTrace, accepts: &dyn Fn() -> bool| {
            let rank = (Reverse(filter.key(trace)), trace.trace_id);
            let is_behind = best.len() >= limit && best.peek().is_none_or(|worst| rank > *worst);
            if is_behind || after.is_some_and(|after| rank <= after) || !accepts() {
                return;
            }
            best.push(rank);
            if best.len() > limit {
                best.pop();
            }
        };
        for generation in self.generations() {
            let names = Names::of(filter, generation);
            let of_late = of_late
                .iter()
                .map(|asked| (asked, Names::of(asked, generation)));
            let of_late: Vec<_> = of_late.collect();
            for trace in generation.traces() {
                if trace.state == State::Carried || scattered.contains_key(&trace.trace_id) {
                    continue;
                }
                let meets = |asked: &TraceFilter, names: &Names| {
                    matches(asked, trace) && names.match_names(generation, trace)
                };
                offer(trace, &|| {
                    may_match(filter, trace)
                        && if trace.is_late {
                            of_late.iter().any(|(asked, names)| meets(asked, names))
                        } else {
                            meets(filter, &names)
                        }
                });
            }
        }
        for trace in scattered.values() {
            let meets = |asked: &TraceFilter| {
                matches(asked, trace) && self.any_piece_matches(asked, trace.trace_id)
            };
            offer(trace, &|| {
                may_match(filter, trace)
                    && if trace.is_late {
                        of_late.iter().any(meets)
                    } else {
                        meets(filter)
                    }
            });
        }
        let mut winners: Vec<Rank> = best.into_vec();
        winners.sort_unstable();
        winners
            .into_iter()
            .map(|(_, id)| self.summary(id))
            .collect()
    }

    /// The summaries of those of these traces that have spans here.
    pub(crate) fn summaries(&self, ids: &[TraceId]) -> Vec<TraceSummary> {
        let here = ids.iter().filter(|id| self.pieces(**id).next().is_some());
        here.map(|&id| self.summary(id)).collect()
    }

    /// The traces that have pieces in several generations here, each with the bounds of all pieces.
    fn scattered(&self) -> HashMap<TraceId, LiveTrace> {
        let mut scattered: HashMap<TraceId, LiveTrace> = HashMap::new();
        // A later piece is marked as late, because its trace was among the lately flushed when it began.
        for generation in self.generations().skip(1) {
            for trace in generation.traces().iter().filter(|trace| trace.is_late) {
                let id = trace.trace_id;
                if trace.state == State::Carried || scattered.contains_key(&id) {
                    continue;
                }
                let mut pieces = self.pieces(id).map(|(_, piece)| *piece);
                let (Some(first), Some(second)) = (pieces.next(), pieces.next()) else {
                    continue;
                };
                let whole =
                    pieces.fold(joined(first, &second), |whole, piece| joined(whole, &piece));
                scattered.insert(id, whole);
            }
        }
        scattered
    }

    /// Whether the names of the filter occur in the pieces of a trace, in one or in several together.
    fn any_piece_matches(&self, filter: &TraceFilter, id: TraceId) -> bool {
        let only_service = TraceFilter {
            service: filter.service.clone(),
            ..TraceFilter::default()
        };
        let only_root = TraceFilter {
            root_name: filter.root_name.clone(),
            ..TraceFilter::default()
        };
        [only_service, only_root].iter().all(|filter| {
            self.pieces(id).any(|(generation, piece)| {
                Names::of(filter, generation).match_names(generation, piece)
            })
        })
    }

    /// The summary of a trace from its spans here, each counted once.
    fn summary(&self, trace_id: TraceId) -> TraceSummary {
        let mut tally = Tally::new(trace_id);
        for (position, (generation, piece)) in self.pieces(trace_id).enumerate() {
            // A later piece is late because of the earlier ones, which are all here unless the first one is late too.
            tally.summary.partial |= position == 0 && piece.is_late;
            tally.add(generation, piece);
        }
        tally.finish()
    }
}

/// The summary of a trace in the making.
struct Tally<'a> {
    summary: TraceSummary,
    root_start: UnixNanos,
    services: BTreeMap<&'a str, (u32, u32)>,
    seen: HashSet<SpanId>,
}

impl<'a> Tally<'a> {
    fn new(trace_id: TraceId) -> Self {
        Self {
            summary: TraceSummary {
                trace_id,
                start: UnixNanos(i64::MAX),
                end: UnixNanos(i64::MIN),
                root_service: String::new(),
                root_name: String::new(),
                has_root: false,
                span_count: 0,
                error_count: 0,
                services: Vec::new(),
                partial: false,
            },
            root_start: UnixNanos(i64::MAX),
            services: BTreeMap::new(),
            seen: HashSet::new(),
        }
    }

    fn add(&mut self, generation: &'a Generation, piece: &LiveTrace) {
        self.summary.start = self.summary.start.min(piece.start);
        self.summary.end = self.summary.end.max(piece.end);
        self.add_root(generation, piece);
        // Counted by number first: names are compared once for each service, not for each span.
        let mut counts = vec![(0u32, 0u32); generation.services().len()];
        for row in generation.rows(piece) {
            let span = generation.span(row);
            if self.seen.insert(span.span_id) {
                let count = &mut counts[generation.service_ordinal(span)];
                count.0 += 1;
                count.1 += u32::from(span.status == StatusCode::Error);
            }
        }
        for (ordinal, (spans, errors)) in counts.into_iter().enumerate() {
            if spans > 0 {
                let total = self
                    .services
                    .entry(generation.service_name(ordinal))
                    .or_default();
                total.0 += spans;
                total.1 += errors;
                self.summary.span_count += u64::from(spans);
                self.summary.error_count += u64::from(errors);
            }
        }
    }

    fn add_root(&mut self, generation: &Generation, piece: &LiveTrace) {
        if !piece.has_root() {
            return;
        }
        let (batch, root) = (generation.batch(), generation.span(piece.root_row));
        if !self.summary.has_root || root.start < self.root_start {
            self.root_start = root.start;
            self.summary.has_root = true;
            self.summary.root_service = batch.service(root).to_owned();
            self.summary.root_name = batch.symbols.str(root.name).to_owned();
        }
    }

    fn finish(mut self) -> TraceSummary {
        self.summary.partial |= !self.summary.has_root;
        self.summary.services = self
            .services
            .into_iter()
            .map(|(name, (spans, errors))| (name.to_owned(), spans, errors))
            .collect();
        self.summary
    }
}

/// Whether times and errors are such that more spans could make them fit, which can only make a trace start earlier, end later and
/// have more errors.
fn may_match(filter: &TraceFilter, trace: &LiveTrace) -> bool {
    filter
        .max_duration
        .is_none_or(|max| trace.duration() <= max)
        && filter.start.is_none_or(|start| trace.start >= start)
        && (filter.error != Some(false) || trace.error_count == 0)
}

/// Whether the times and errors fit that more spans could make fit.
fn matches(filter: &TraceFilter, trace: &LiveTrace) -> bool {
    filter
        .min_duration
        .is_none_or(|min| trace.duration() >= min)
        && filter.end.is_none_or(|end| trace.start < end)
        && (filter.error != Some(true) || trace.error_count > 0)
}

/// The bounds and counts of two pieces together. Rows and names of the result mean nothing.
fn joined(mut whole: LiveTrace, piece: &LiveTrace) -> LiveTrace {
    whole.start = whole.start.min(piece.start);
    whole.end = whole.end.max(piece.end);
    whole.span_count += piece.span_count;
    whole.error_count += piece.error_count;
    whole
}
