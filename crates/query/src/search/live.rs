//! The live traces of a search.

use std::cmp::Reverse;

use evaluate::Matcher;
use model::TraceId;

use super::{Known, Search, matched};
use crate::best::Rank;
use crate::work::on_blocking_thread;
use crate::{QueryError, TraceOrder};

impl Search<'_> {
    pub(super) async fn search_live(&mut self) -> Result<(), QueryError> {
        let (whole, mut scattered) = self.live_candidates();
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
        // A whole starts no later than its pieces, so of the newest those behind the last are not wanted. It may well take
        // longer.
        if self.request.order == TraceOrder::Newest
            && found.len() >= wanted
            && let Some((id, last)) = found.last()
        {
            let last = (Reverse(last.key), *id);
            scattered.retain(|rank| *rank <= last);
        }
        for (id, known) in found {
            self.offer(id, known);
        }
        self.offer_whole(scattered.into_iter().map(|(_, id)| id).collect())
            .await
    }

    /// The traces that are live as a whole and may be on the page, best first, and those of which more may be elsewhere, with
    /// the places that what is live of them would have.
    fn live_candidates(&self) -> (Vec<TraceId>, Vec<Rank>) {
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
        (whole.into_iter().map(|(_, id)| id).collect(), scattered)
    }
}
