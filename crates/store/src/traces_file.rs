//! `traces.parquet` of a block, opened, for looking up where single traces are.

use std::sync::Arc;

use block::{TraceFile, TracePlace, TraceTable};
use model::TraceId;
use tokio::runtime::Handle;

use crate::StoreError;
use crate::objects::Objects;
use crate::parquet_file::ParquetFile;

/// The file, and what is known of its pages.
pub(crate) struct TracesFile {
    pub(crate) file: Arc<ParquetFile>,
    pages: TraceFile,
}

impl TracesFile {
    /// # Errors
    /// Of kind [`crate::ErrorKind::Corrupt`] when a column is missing, or where its pages are.
    pub(crate) fn new(file: ParquetFile) -> Result<Self, StoreError> {
        let pages = TraceFile::new(Arc::clone(file.metadata()));
        Ok(Self {
            pages: pages.map_err(|error| file.damaged(error))?,
            file: Arc::new(file),
        })
    }

    /// Memory held, in bytes, about.
    pub(crate) fn byte_count(&self) -> usize {
        self.file.byte_count() + self.pages.byte_count()
    }

    /// Where the spans of a trace are; `None` when it is not there. Blocks the thread while the object store is asked.
    pub(crate) fn find(
        &self,
        objects: &Objects,
        runtime: &Handle,
        id: TraceId,
    ) -> Result<Option<TracePlace>, StoreError> {
        let damaged = |error: block::ReadError| self.file.damaged(error);
        for page in self.pages.pages_with(id) {
            let ranges = self.pages.bytes_of(page);
            let parts = self.file.read_parts(objects, runtime, &ranges)?;
            let found = self.pages.find(page, parts, id).map_err(damaged)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// What tells the rows of a trace.
pub(crate) enum TraceRows {
    /// All of them are in memory.
    Table(Arc<TraceTable>),
    /// They are looked up page by page.
    File(Arc<TracesFile>),
}

impl TraceRows {
    /// As [`TracesFile::find`].
    pub(crate) fn find(
        &self,
        objects: &Objects,
        runtime: &Handle,
        id: TraceId,
    ) -> Result<Option<TracePlace>, StoreError> {
        match self {
            Self::Table(table) => Ok(table.find(id).map(|index| table.place(index))),
            Self::File(file) => file.find(objects, runtime, id),
        }
    }
}
