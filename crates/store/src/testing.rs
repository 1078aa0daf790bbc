//! An object store that fails, delays, cuts answers and dies, by seed or by script: for tests and simulations.
//!
//! What it does to a request is decided when the request is made, from a seeded sequence, so that a single-threaded run
//! with the same seed meets the same faults.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use block::{BlockMeta, RowRange, SpanDecoder};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use model::{Gathered, SpanBatch};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    UploadPart,
};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::ids::Ids;
use crate::parquet_file::Selection;
use crate::reader::{BATCH_ROWS, on_blocking_thread};
use crate::{Store, StoreError};

/// How often what goes wrong; each a probability from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Faults {
    /// A request fails and has no effect.
    pub fails: f64,
    /// A write takes effect, and its answer is lost.
    pub loses_answer: f64,
    /// The connection breaks in the middle of a body.
    pub cuts_body: f64,
    /// A request takes up to this much longer.
    pub delay_max: Duration,
}

/// What a test may tell a [`FaultyStore`] while it is in use.
#[derive(Debug, Default)]
struct Script {
    faults: Faults,
    /// Writes (puts, parts, completions, deletes) that still work before everything fails.
    writes_left: Option<u64>,
    /// Whether the last write before the end still takes effect, its answer being lost.
    last_write_lands: bool,
    dead: bool,
    writes: u64,
}

/// An object store in front of another that lets things go wrong. All clones share the script.
#[derive(Debug, Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    script: Arc<Mutex<Script>>,
    random: Arc<Ids>,
}

/// What is to happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Works,
    Fails,
    LosesAnswer,
}

impl FaultyStore {
    /// Wraps a store; everything works until something else is asked for.
    pub fn new(inner: Arc<dyn ObjectStore>, seed: u64) -> Self {
        Self {
            inner,
            script: Arc::default(),
            random: Arc::new(Ids::new(Some(seed))),
        }
    }

    /// Sets what goes wrong by chance.
    pub fn set_faults(&self, faults: Faults) {
        self.script.lock().faults = faults;
    }

    /// Lets `writes` more writes work, then fails everything, as for a process that was killed. With `lands` the write
    /// after those takes effect too, but nobody learns of it.
    pub fn die_after(&self, writes: u64, lands: bool) {
        let mut script = self.script.lock();
        script.writes_left = Some(writes);
        script.last_write_lands = lands;
        script.dead = false;
    }

    /// Fails everything from now on.
    pub fn die(&self) {
        self.script.lock().dead = true;
    }

    /// Lets everything work again, but for the faults by chance.
    pub fn revive(&self) {
        let mut script = self.script.lock();
        script.dead = false;
        script.writes_left = None;
    }

    /// Whether [`FaultyStore::die_after`] has come to its end.
    pub fn is_dead(&self) -> bool {
        self.script.lock().dead
    }

    /// Writes asked for so far.
    pub fn writes(&self) -> u64 {
        self.script.lock().writes
    }

    fn chance(&self, probability: f64) -> bool {
        (self.random.next() as f64 / u64::MAX as f64) < probability
    }

    fn fate(&self, write: bool) -> (Fate, Duration) {
        let mut script = self.script.lock();
        script.writes += u64::from(write);
        let faults = script.faults;
        let delay = faults
            .delay_max
            .mul_f64(self.random.next() as f64 / u64::MAX as f64);
        let fate = if script.dead {
            Fate::Fails
        } else if write && script.writes_left == Some(0) {
            script.dead = true;
            if script.last_write_lands {
                Fate::LosesAnswer
            } else {
                Fate::Fails
            }
        } else if self.chance(faults.fails) {
            Fate::Fails
        } else if write && self.chance(faults.loses_answer) {
            Fate::LosesAnswer
        } else {
            Fate::Works
        };
        if write && !script.dead {
            script.writes_left = script.writes_left.map(|left| left.saturating_sub(1));
        }
        (fate, delay)
    }

    async fn meet<T>(
        &self,
        write: bool,
        request: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let (fate, delay) = self.fate(write);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match fate {
            Fate::Works => request.await,
            Fate::Fails => Err(injected("the request failed")),
            Fate::LosesAnswer => {
                let _ = request.await;
                Err(injected("the answer was lost"))
            }
        }
    }
}

fn injected(what: &'static str) -> Error {
    Error::Generic {
        store: "faulty store",
        source: what.into(),
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.meet(true, self.inner.put_opts(location, payload, opts))
            .await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self
            .meet(true, self.inner.put_multipart_opts(location, opts))
            .await?;
        Ok(Box::new(FaultyUpload {
            inner: upload,
            store: self.clone(),
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let result = self
            .meet(false, self.inner.get_opts(location, options))
            .await?;
        let probability = self.script.lock().faults.cuts_body;
        if !self.chance(probability) {
            return Ok(result);
        }
        let GetResult {
            meta,
            range,
            attributes,
            ..
        } = &result;
        let (meta, range, attributes) = (meta.clone(), range.clone(), attributes.clone());
        let body = result.bytes().await?;
        let begun: Vec<Result<Bytes>> = vec![
            Ok(body.slice(..body.len() / 2)),
            Err(injected("the connection broke in the body")),
        ];
        Ok(GetResult {
            payload: GetResultPayload::Stream(futures::stream::iter(begun).boxed()),
            meta,
            range,
            attributes,
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .then(move |location| {
                let store = store.clone();
                async move {
                    let location = location?;
                    let one = futures::stream::once({
                        let location = location.clone();
                        async move { Ok(location) }
                    });
                    let mut deletion = store.inner.delete_stream(one.boxed());
                    let deleted = async { deletion.next().await.unwrap_or(Ok(location)) };
                    store.meet(true, deleted).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listing = self.inner.list(prefix);
        let store = self.clone();
        let begin = async move {
            match store.meet(false, async { Ok(()) }).await {
                Ok(()) => listing,
                Err(error) => futures::stream::once(async { Err(error) }).boxed(),
            }
        };
        begin.flatten_stream().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.meet(false, self.inner.list_with_delimiter(prefix))
            .await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.meet(true, self.inner.copy_opts(from, to, options))
            .await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    store: FaultyStore,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.inner.put_part(data);
        let store = self.store.clone();
        async move { store.meet(true, part).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let store = self.store.clone();
        store.meet(true, self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        let store = self.store.clone();
        store.meet(true, self.inner.abort()).await
    }
}

impl Store {
    /// The spans in some rows of a block, in the order of the rows, as Parquet's general reader sees them: what our own readers are
    /// held against. Each range must hold whole traces; ranges may come in any order and must not overlap.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) or [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) naming the file; or
    /// as the object store fails.
    pub async fn read_rows(
        &self,
        block: &BlockMeta,
        rows: &[RowRange],
    ) -> std::result::Result<SpanBatch, StoreError> {
        let mut rows: Vec<Range<u64>> = rows
            .iter()
            .map(|range| range.start..range.start.saturating_add(range.len))
            .collect();
        rows.sort_unstable_by_key(|range| range.start);
        if rows.windows(2).any(|pair| pair[0].end > pair[1].start) {
            return Err(StoreError::invalid("ranges of rows overlap"));
        }
        let block_ref = self.inner.block_ref(block);
        let reader = &self.inner.reader;
        let opened =
            futures::try_join!(reader.spans_file(&block_ref), reader.resources(&block_ref));
        let (file, resources) = self.reported(block, opened)?;
        let mut decoder = SpanDecoder::new(block, resources);
        let (objects, runtime) = (Arc::clone(&self.inner.objects), Handle::current());
        let read = on_blocking_thread(file.path().clone(), move || {
            let selection = Selection {
                rows: Some(&rows),
                columns: None,
                batch_rows: BATCH_ROWS,
            };
            let mut gathered = Gathered::new();
            let mut rows = file.rows(&objects, &runtime, &selection)?;
            while let Some(batch) = rows.next()? {
                let appended = decoder.append(&batch, &mut gathered);
                appended.map_err(|error| file.damaged(error))?;
            }
            Ok(gathered.batch)
        });
        self.reported(block, read.await)
    }
}
