//! Traces of a block decoded, with the columns that a query needs.

use std::collections::HashMap;

use block::{SpanColumn, SpanGroup};
use evaluate::{Tree, TreeBuilder};
use model::{Gathered, Remap, TraceId};

use super::BlockScan;
use crate::QueryError;
use crate::columns::Keys;

impl BlockScan {
    /// Decodes what `keys` say of these traces, and calls `each` with the position of every trace and the trace; by row group,
    /// in the order of the rows. `each` may end it by giving `false`.
    ///
    /// # Errors
    /// [`QueryError`], also those of `each`.
    pub(crate) fn evaluate(
        &self,
        traces: &[u32],
        keys: &Keys,
        mut each: impl FnMut(u32, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        for (group, traces) in self.by_group(traces) {
            if !self.evaluate_group(group, &traces, keys, &mut each)? {
                break;
            }
        }
        Ok(())
    }

    /// As [`Self::evaluate`], for traces of one row group, ascending. Gives what `each` gave last.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub(crate) fn evaluate_group(
        &self,
        group: usize,
        traces: &[u32],
        keys: &Keys,
        mut each: impl FnMut(u32, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<bool, QueryError> {
        if traces.is_empty() {
            return Ok(true);
        }
        let columns = keys.columns(&self.meta, self.columns.file());
        let mut reader = self.open_group(group, traces, &columns)?;
        let mut builder = TreeBuilder::default();
        let mut gathered = Gathered::new();
        let mut rows = Vec::new();
        for &trace in traces {
            if gathered.batch.len() > BATCH_SPANS {
                self.work.check()?;
                gathered.clear();
                reader.change_target();
            }
            rows.clear();
            self.append(&mut reader, trace, &mut gathered, &mut rows)?;
            self.work.count_traces(1);
            let tree = builder.build(&gathered.batch, &rows);
            let goes_on = each(trace, &tree)?;
            builder.recycle(tree);
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Appends what `keys` say of these traces to a batch, and the rows there of each to what `rows` has for its id.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn gather(
        &self,
        traces: &[u32],
        keys: &Keys,
        into: &mut Gathered,
        rows: &mut HashMap<TraceId, Vec<u32>>,
    ) -> Result<(), QueryError> {
        let columns = keys.columns(&self.meta, self.columns.file());
        for (group, traces) in self.by_group(traces) {
            let mut reader = self.open_group(group, &traces, &columns)?;
            for trace in traces {
                let id = self.table.trace_id(trace as usize);
                self.append(&mut reader, trace, into, rows.entry(id).or_default())?;
            }
        }
        Ok(())
    }

    fn open_group(
        &self,
        group: usize,
        traces: &[u32],
        columns: &[SpanColumn],
    ) -> Result<GroupRows, QueryError> {
        self.work.check()?;
        let pages = self.pages_of(group, traces)?;
        let (spans, bytes) = self.columns.read(group, columns, pages.as_deref())?;
        self.work.count_bytes(bytes);
        let mut remap = Remap::default();
        remap.reset(self.columns.resources());
        Ok(GroupRows {
            group,
            spans,
            remap,
        })
    }

    fn append(
        &self,
        reader: &mut GroupRows,
        trace: u32,
        into: &mut Gathered,
        rows: &mut Vec<u32>,
    ) -> Result<(), QueryError> {
        let first = into.batch.len() as u32;
        let id = self.table.trace_id(trace as usize);
        let of_trace = self.rows_in(trace, reader.group);
        let appended = reader.spans.append(id, of_trace, into, &mut reader.remap);
        appended.map_err(|error| self.columns.damaged(error))?;
        rows.extend(first..into.batch.len() as u32);
        self.work.count_spans(into.batch.len() - first as usize);
        Ok(())
    }
}

/// A row group whose rows are appended to batches.
struct GroupRows {
    group: usize,
    spans: SpanGroup,
    remap: Remap,
}

impl GroupRows {
    /// Must be called when the batch was cleared.
    fn change_target(&mut self) {
        let resources = self.spans.resources().clone();
        self.spans.change_target();
        self.remap.reset(&resources);
    }
}

/// Spans decoded before their memory is used again.
const BATCH_SPANS: usize = 16 << 10;
