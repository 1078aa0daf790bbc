//! The live traces of a search.

use std::cmp::Reverse;

use evaluate::Matcher;
use model::TraceId;

use super::{Known, Search, matched};
use crate::best::Rank;
use crate::live::Counts;
use crate::need::Need;
use crate::work::on_blocking_thread;
use crate::{QueryError, TraceOrder};

impl Search<'_> {
    pub(super) async fn search_live(&mut self) -> Result<(), QueryError> {
        let (whole, scattered) = self.live_candidates();
        let ids = whole.iter().chain(&scattered).map(|(_, id)| *id);
        let counts = self.count_live(ids.collect()).await?;
        let first_scattered = whole.len();
        let whole = whole.into_iter().zip(0..);
        let whole = whole.filter(|(_, at)| self.has_enough(&counts, *at));
        let whole = whole.map(|((_, id), _)| id).collect();
        let last = self.search_whole(whole).await?;
        // A whole starts no later than its pieces, so of the newest those behind the last are not wanted. It may well take
        // longer.
        let scattered = scattered.into_iter().zip(first_scattered..);
        let scattered = scattered.filter(|(rank, _)| last.is_none_or(|last| *rank <= last));
        let (enough, others): (Vec<_>, Vec<_>) =
            scattered.partition(|(_, at)| self.has_enough(&counts, *at));
        let filters = 0..self.shared.needs.filters.len();
        let counts_at = |at| {
            filters
                .clone()
                .map(|filter| counts.of(filter, at))
                .collect()
        };
        let others = others.into_iter();
        let others = others.map(|((_, id), at)| (id, counts_at(at))).collect();
        let mut ids: Vec<TraceId> = enough.into_iter().map(|((_, id), _)| id).collect();
        ids.extend(self.with_blocks(others).await?);
        self.offer_whole(ids).await
    }

    fn has_enough(&self, counts: &Counts, at: usize) -> bool {
        let need = &self.shared.needs.need;
        need.is_met(&|filter| counts.of(filter, at))
    }

    /// How many spans of live traces may pass each filter. Nothing is counted when nothing is needed of them.
    async fn count_live(&self, ids: Vec<TraceId>) -> Result<Counts, QueryError> {
        let needs = &self.shared.needs;
        if needs.need == Need::Nothing {
            return Ok(Counts::default());
        }
        let rows = self.shared.live.rows(ids).await?;
        rows.count(&needs.filters, &self.work).await
    }

    /// Offers those of these traces, best first, that match. They are live as a whole. Gives the place of the last when there
    /// were enough and no trace behind it is wanted.
    async fn search_whole(&mut self, whole: Vec<TraceId>) -> Result<Option<Rank>, QueryError> {
        let (shared, work, request) =
            (self.shared.clone(), self.work.clone(), self.request.clone());
        let wanted = self.best.missing();
        let found = on_blocking_thread(move || {
            let mut matcher = Matcher::new(&shared.pipeline);
            let mut found = Vec::new();
            shared.live.evaluate(&whole, &work, |id, tree| {
                let spansets = matched(&mut matcher, tree, &shared, &request);
                found.extend(spansets.map(|spansets| (id, Known::of(tree, spansets, &request))));
                Ok(found.len() < wanted)
            })?;
            Ok(found)
        })
        .await?;
        let is_enough = self.request.order == TraceOrder::Newest && found.len() >= wanted;
        let last = found.last().filter(|_| is_enough);
        let last = last.map(|(id, last)| (Reverse(last.key), *id));
        for (id, known) in found {
            self.offer(id, known);
        }
        Ok(last)
    }

    /// The places of the traces that are live as a whole and may be on the page, best first, and the places that what is live of
    /// those would have of which more may be elsewhere.
    fn live_candidates(&self) -> (Vec<Rank>, Vec<Rank>) {
        let (mut whole, mut scattered) = (Vec::new(), Vec::new());
        for (id, trace) in self.shared.live.iter() {
            let duration = trace.end.since(trace.start);
            let rank = (Reverse(self.request.order.key(trace.start, duration)), id);
            if !trace.is_whole() {
                // The whole may stand elsewhere in the list.
                scattered.push(rank);
            } else if self.request.covers(trace.start, trace.end) && self.best.is_after_cursor(rank)
            {
                whole.push(rank);
            }
        }
        whole.sort_unstable();
        (whole, scattered)
    }
}
