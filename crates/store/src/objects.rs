//! Requests to the object store: each with a time limit, repeated a bounded number of times while the weather is bad, and
//! counted. Nothing else in this crate talks to the object store.

mod upload;
mod weather;

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};

pub(crate) use self::upload::Upload;
use self::weather::Weather;
use crate::config::RequestConfig;
use crate::ids::Ids;
use crate::stats::{Counters, Operation};
use crate::{ErrorKind, StoreError};

/// Data that a request moves in one second at the very least; time limits grow by it.
const SLOWEST_BYTES_PER_SECOND: u64 = 1 << 20;

/// How the local file system calls itself in errors, by whichever way it is asked.
const LOCAL: [&str; 2] = ["file system", "LocalFileSystem"];

/// The object store, as this crate uses it.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    config: RequestConfig,
    ids: Arc<Ids>,
    counters: Arc<Counters>,
    weather: Weather,
}

/// A request to be made.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    operation: Operation,
    /// In words, as in "cannot … the object".
    what: &'a str,
    path: &'a Path,
    /// How much it moves.
    bytes: u64,
    /// For somebody who would rather have the rest of an answer than wait long: not made in bad weather.
    is_hasty: bool,
}

/// What became of a create-only put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    /// The object is this one.
    Done,
    /// There was one before; perhaps this very one, if an answer was lost on the way.
    Exists,
}

impl Objects {
    pub(crate) fn new(
        store: Arc<dyn ObjectStore>,
        config: RequestConfig,
        ids: Arc<Ids>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            store,
            config,
            ids,
            counters,
            weather: Weather::default(),
        }
    }

    /// Requests that one operation may have under way.
    pub(crate) fn concurrency(&self) -> usize {
        self.config.concurrency.max(1)
    }

    /// Reads a whole object.
    pub(crate) async fn get(&self, path: &Path) -> Result<Bytes, StoreError> {
        let bytes = self
            .repeat(asked(Operation::Get, "read", path, 0), || async {
                self.store.get(path).await?.bytes().await
            })
            .await?;
        self.counters.moved(Operation::Get, bytes.len());
        Ok(bytes)
    }

    /// Reads a whole object that is known to have `size` bytes.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Corrupt`] when it has another size.
    pub(crate) async fn get_sized(&self, path: &Path, size: u64) -> Result<Bytes, StoreError> {
        let bytes = self
            .repeat(hastily("read", path, size), || async {
                self.store.get(path).await?.bytes().await
            })
            .await?;
        self.counters.moved(Operation::Get, bytes.len());
        if bytes.len() as u64 != size {
            return Err(wrong_size(path, bytes.len() as u64, size));
        }
        Ok(bytes)
    }

    /// Reads one part of an object that is known to have `size` bytes.
    pub(crate) async fn get_range(
        &self,
        path: &Path,
        size: u64,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        let parts = self
            .get_ranges(path, size, std::slice::from_ref(&range))
            .await?;
        Ok(parts.into_iter().next().unwrap_or_default())
    }

    /// Reads parts of an object that is known to have `size` bytes.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Corrupt`] when it has another size.
    pub(crate) async fn get_ranges(
        &self,
        path: &Path,
        size: u64,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, StoreError> {
        if let Some(outside) = ranges.iter().find(|range| range.end > size) {
            return Err(StoreError::corrupt(
                path,
                format_args!(
                    "it refers to its bytes {} to {} and has {size}",
                    outside.start, outside.end
                ),
            ));
        }
        let wanted: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        let parts = self
            .repeat(hastily("read", path, wanted), || async {
                let parts = self.store.get_ranges(path, ranges).await;
                match parts {
                    Ok(parts) if complete(&parts, ranges) => Ok(Ok(parts)),
                    // A file that was cut fails like a bad connection. Asking for its size tells the two apart.
                    failed => match self.store.head(path).await {
                        Ok(meta) if meta.size != size => Ok(Err(meta.size)),
                        Err(error @ object_store::Error::NotFound { .. }) => Err(error),
                        _ => Err(failed.err().unwrap_or_else(short_answer)),
                    },
                }
            })
            .await?
            .map_err(|found| wrong_size(path, found, size))?;
        self.counters.moved(Operation::Get, wanted as usize);
        Ok(parts)
    }

    /// Writes an object, replacing what was there.
    pub(crate) async fn put(&self, path: &Path, bytes: Bytes) -> Result<(), StoreError> {
        let size = bytes.len();
        let asked = asked(Operation::Put, "write", path, size as u64);
        self.repeat(asked, || async {
            let payload = PutPayload::from_bytes(bytes.clone());
            self.store.put(path, payload).await.map(drop)
        })
        .await?;
        self.counters.moved(Operation::Put, size);
        Ok(())
    }

    /// Writes an object unless there is one.
    pub(crate) async fn create(&self, path: &Path, bytes: Bytes) -> Result<Created, StoreError> {
        use object_store::Error as E;
        let size = bytes.len();
        let created = self
            .repeat(
                asked(Operation::Create, "create", path, size as u64),
                || async {
                    let payload = PutPayload::from_bytes(bytes.clone());
                    match self
                        .store
                        .put_opts(path, payload, PutMode::Create.into())
                        .await
                    {
                        Ok(_) => Ok(Created::Done),
                        Err(E::AlreadyExists { .. } | E::Precondition { .. }) => {
                            Ok(Created::Exists)
                        }
                        Err(error) => Err(error),
                    }
                },
            )
            .await?;
        self.counters.moved(Operation::Create, size);
        Ok(created)
    }

    /// Deletes an object; one that is not there counts as deleted.
    pub(crate) async fn delete(&self, path: &Path) -> Result<(), StoreError> {
        self.repeat(asked(Operation::Delete, "delete", path, 0), || async {
            match self.store.delete(path).await {
                Err(object_store::Error::NotFound { .. }) => Ok(()),
                answer => answer,
            }
        })
        .await
    }

    /// All objects below `folder`, in no order. Held in memory: some 200 bytes each.
    pub(crate) async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, StoreError> {
        self.repeat(asked(Operation::List, "list", folder, 0), || async {
            self.store.list(Some(folder)).try_collect().await
        })
        .await
    }

    /// Begins to write an object in parts.
    pub(crate) async fn upload(self: &Arc<Self>, path: &Path) -> Result<Upload, StoreError> {
        let upload = self
            .repeat(
                asked(Operation::Upload, "begin to write", path, 0),
                || async { self.store.put_multipart(path).await },
            )
            .await?;
        Ok(Upload::new(Arc::clone(self), path.clone(), upload))
    }

    /// Makes a request until it succeeds, fails for good, or has failed too often.
    async fn repeat<T, F, Fut>(&self, asked: Asked<'_>, mut request: F) -> Result<T, StoreError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = object_store::Result<T>>,
    {
        let operation = asked.operation;
        let mut pause = self.config.backoff_first;
        let mut attempt = 1;
        loop {
            if asked.is_hasty {
                self.weather.check(self.config.silence)?;
            }
            self.counters.attempt(operation, attempt > 1);
            let Failure { error, met } = match self.within_time(asked, request()).await {
                Ok(answer) => {
                    self.weather.clear();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let is_last = attempt >= self.config.attempts;
            self.judge(asked, &error, met, is_last);
            let ends = !error.is_retry() || is_last;
            // That there is no such object is an answer; who needed it to be there says so.
            if error.kind() != ErrorKind::NotFound {
                self.counters.failure(operation, error.kind(), ends);
            }
            if ends {
                return Err(error);
            }
            tracing::debug!(operation = operation.as_str(), %error, attempt, "object store request failed, trying again");
            tokio::time::sleep(self.ids.jitter(pause)).await;
            pause = (pause * 2).min(self.config.backoff_max);
            attempt += 1;
        }
    }

    /// What a failure says of the weather. Of those that pass, only the last; and writes, which may be throttled by themselves, say
    /// nothing of reading.
    fn judge(&self, asked: Asked<'_>, error: &StoreError, met: Met, is_last: bool) {
        match met {
            Met::Answer => self.weather.clear(),
            Met::Trouble if !is_last => {}
            Met::Trouble | Met::Silence if asked.is_hasty => {
                self.weather.darken(error, self.config.silence);
            }
            Met::Trouble | Met::Silence => {}
        }
    }

    /// The answer to a request, or that there was none in time.
    async fn within_time<T>(
        &self,
        asked: Asked<'_>,
        request: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, Failure> {
        let Asked { what, path, .. } = asked;
        let patience = if asked.is_hasty {
            self.config.read_timeout
        } else {
            self.config.timeout
        };
        let limit = patience + Duration::from_secs(asked.bytes / SLOWEST_BYTES_PER_SECOND);
        match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| Failure {
                met: Met::of(&error),
                error: StoreError::of_object_store(what, path, &error),
            }),
            Err(_) => Err(Failure {
                met: Met::Silence,
                error: StoreError::new(
                    ErrorKind::Retry,
                    format!("cannot {what} {path}: no answer within {limit:?}"),
                ),
            }),
        }
    }
}

/// A request that failed, and what that says of the store as a whole.
struct Failure {
    error: StoreError,
    met: Met,
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// What a request has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    /// No answer in time.
    Silence,
    /// Nobody, or somebody who could not answer. The next attempt may.
    Trouble,
    /// Somebody who told what is wrong with this object.
    Answer,
}

impl Met {
    fn of(error: &object_store::Error) -> Self {
        match error {
            // A file that cannot be read says nothing of the others.
            object_store::Error::Generic { store, .. } if !LOCAL.contains(store) => Self::Trouble,
            _ => Self::Answer,
        }
    }
}

fn asked<'a>(operation: Operation, what: &'a str, path: &'a Path, bytes: u64) -> Asked<'a> {
    Asked {
        operation,
        what,
        path,
        bytes,
        is_hasty: false,
    }
}

/// A part of a block.
fn hastily<'a>(what: &'a str, path: &'a Path, bytes: u64) -> Asked<'a> {
    Asked {
        is_hasty: true,
        ..asked(Operation::Get, what, path, bytes)
    }
}

fn complete(parts: &[Bytes], ranges: &[Range<u64>]) -> bool {
    parts.len() == ranges.len()
        && parts
            .iter()
            .zip(ranges)
            .all(|(part, range)| part.len() as u64 == range.end - range.start)
}

fn short_answer() -> object_store::Error {
    object_store::Error::Generic {
        store: "object store",
        source: "the answer was shorter than asked for".into(),
    }
}

fn wrong_size(path: &Path, found: u64, size: u64) -> StoreError {
    StoreError::corrupt(
        path,
        format_args!("it has {found} bytes where the manifest says {size}"),
    )
}

/// Runs `each` over `items`, `limit` at a time, and returns the results in the order of the items.
pub(crate) fn in_parallel<I, T, F, Fut>(
    items: I,
    limit: usize,
    each: F,
) -> impl Future<Output = Vec<T>>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = T>,
{
    // Made before the first wait: a future that held the closure could not be seen to be `Send`.
    let futures: Vec<Fut> = items.into_iter().map(each).collect();
    futures::stream::iter(futures).buffered(limit).collect()
}
