//! The local file system as an object store whose objects survive a power cut.
//!
//! `object_store`'s own `LocalFileSystem` never calls fsync: what it reports as written may be gone or empty after a power
//! cut, while the journal that held the same spans was trimmed in good faith. So writing is done here: into a staging
//! file, fsync, then the final name by rename (or by hard link, which refuses an existing name and so gives create-only
//! puts), then fsync of the folder, and of the folders above it that are new. Everything else is left to `LocalFileSystem`.
//!
//! Staging files live in `.staging` at the root, where no listing of a tenant sees them. What a crash leaves there is
//! removed when the folder is next opened, an hour later at the earliest, because another process may be writing.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
};
use parking_lot::Mutex;
use ulid::Ulid;

use crate::in_place;

const STAGING: &str = ".staging";

/// No write takes this long, so an older staging file belongs to nobody.
const STAGING_AGE_MAX: Duration = Duration::from_secs(3600);

/// A folder may vanish between its creation and its use when the last file of a removed block is deleted beside us.
const PLACE_ATTEMPTS: u32 = 5;

/// The local file system as an object store whose objects survive a power cut.
#[derive(Debug)]
pub struct DurableFileSystem {
    reader: LocalFileSystem,
    root: Arc<FilePath>,
}

impl fmt::Display for DurableFileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file://{}", self.root.display())
    }
}

impl DurableFileSystem {
    /// Opens a folder, creating it where it is missing. Blocks for a few file operations.
    ///
    /// # Errors
    /// When it cannot be created or written to.
    pub fn open(root: &FilePath) -> io::Result<Self> {
        create_folders(root)?;
        let root = root.canonicalize()?;
        create_folders(&root.join(STAGING))?;
        remove_stale(&root)?;
        let reader = LocalFileSystem::new_with_prefix(&root)
            .map_err(io::Error::other)?
            .with_automatic_cleanup(true);
        Ok(Self {
            reader,
            root: root.into(),
        })
    }

    fn destination(&self, location: &Path) -> object_store::Result<PathBuf> {
        self.reader.path_to_filesystem(location)
    }
}

/// Removes what a crash left. The file system tells the time: it also made the times of the files.
fn remove_stale(root: &FilePath) -> io::Result<()> {
    let probe = Staged::create(root)?;
    let now = probe.file.metadata()?.modified()?;
    for entry in fs::read_dir(root.join(STAGING))? {
        let entry = entry?;
        let modified = entry.metadata()?.modified()?;
        if now.duration_since(modified).unwrap_or_default() > STAGING_AGE_MAX {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A file without its final name yet; deleted when dropped.
#[derive(Debug)]
struct Staged {
    path: PathBuf,
    file: File,
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; whatever else fails here is tidied up by the next start.
        let _ = fs::remove_file(&self.path);
    }
}

impl Staged {
    fn create(root: &FilePath) -> io::Result<Self> {
        let path = root.join(STAGING).join(Ulid::new().to_string());
        let create = || OpenOptions::new().write(true).create_new(true).open(&path);
        let file = match create() {
            // Somebody tidied up while the server ran.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_folders(&root.join(STAGING))?;
                create()?
            }
            other => other?,
        };
        Ok(Self { path, file })
    }

    /// Makes the content durable and gives it its name, durably.
    fn place(self, destination: &FilePath, mode: &PutMode) -> io::Result<()> {
        self.file.sync_all()?;
        let folder = destination.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let mut attempt = 1;
        loop {
            match self.name(destination, folder, mode) {
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound && attempt < PLACE_ATTEMPTS =>
                {
                    attempt += 1;
                }
                named => return named,
            }
        }
    }

    fn name(&self, destination: &FilePath, folder: &FilePath, mode: &PutMode) -> io::Result<()> {
        create_folders(folder)?;
        match mode {
            PutMode::Create => fs::hard_link(&self.path, destination)?,
            _ => fs::rename(&self.path, destination)?,
        }
        sync_folder(folder)
    }
}

/// Creates a folder and those above it, and makes their names durable.
fn create_folders(folder: &FilePath) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_folders(parent)?;
    }
    match fs::create_dir(folder) {
        // Another writer was quicker, and may not have synced it yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        other => other?,
    }
    sync_folder(parent.unwrap_or(FilePath::new(".")))
}

#[cfg(unix)]
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere folders cannot be opened, and the file system journals names by itself.
#[cfg(not(unix))]
fn sync_folder(_folder: &FilePath) -> io::Result<()> {
    Ok(())
}

fn store_error(location: &Path, source: io::Error) -> object_store::Error {
    let path = location.to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => object_store::Error::AlreadyExists {
            path,
            source: source.into(),
        },
        io::ErrorKind::NotFound => object_store::Error::NotFound {
            path,
            source: source.into(),
        },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            object_store::Error::PermissionDenied {
                path,
                source: source.into(),
            }
        }
        _ => object_store::Error::Generic {
            store: "file system",
            source: source.into(),
        },
    }
}

async fn blocking<T: Send + 'static>(
    location: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> object_store::Result<T> {
    tokio::task::spawn_blocking(work)
        .await?
        .map_err(|error| store_error(location, error))
}

fn refuse(what: &str) -> object_store::Error {
    object_store::Error::NotSupported {
        source: format!("{what} in local files").into(),
    }
}

#[async_trait]
impl ObjectStore for DurableFileSystem {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        if matches!(opts.mode, PutMode::Update(_)) {
            return Err(refuse("conditional replacement"));
        }
        if !opts.attributes.is_empty() {
            return Err(refuse("attributes of objects"));
        }
        let destination = self.destination(location)?;
        let root = Arc::clone(&self.root);
        blocking(location, move || {
            let mut staged = Staged::create(&root)?;
            for part in &payload {
                staged.file.write_all(part)?;
            }
            staged.place(&destination, &opts.mode)
        })
        .await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        if !opts.attributes.is_empty() {
            return Err(refuse("attributes of objects"));
        }
        let destination = self.destination(location)?;
        let root = Arc::clone(&self.root);
        let staged = blocking(location, move || Staged::create(&root)).await?;
        Ok(Box::new(DurableUpload {
            location: location.clone(),
            destination,
            state: Arc::new(Mutex::new(Some(staged))),
            next: 0,
        }))
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> object_store::Result<Vec<Bytes>> {
        if in_place::may_wait() {
            let path = self.destination(location)?;
            let read = in_place::read_ranges(&path, ranges);
            return read.map_err(|error| store_error(location, error));
        }
        self.reader.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.reader.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.reader.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.reader.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        _from: &Path,
        _to: &Path,
        _options: CopyOptions,
    ) -> object_store::Result<()> {
        // Nobody copies here, and a copy would have to be made durable too.
        Err(refuse("copying"))
    }
}

/// Parts of a file, in the order in which they were given.
#[derive(Debug)]
struct DurableUpload {
    location: Path,
    destination: PathBuf,
    /// `None` once placed, aborted or failed: a part that is missing must never look complete.
    state: Arc<Mutex<Option<Staged>>>,
    /// Where the next part goes.
    next: u64,
}

#[async_trait]
impl MultipartUpload for DurableUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.next;
        self.next += data.content_length() as u64;
        let state = Arc::clone(&self.state);
        let location = self.location.clone();
        async move {
            blocking(&location, move || {
                let mut state = state.lock();
                let staged = state.as_mut().ok_or_else(gone)?;
                let written = write_at(&mut staged.file, offset, &data);
                if written.is_err() {
                    *state = None;
                }
                written
            })
            .await
        }
        .boxed()
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let state = Arc::clone(&self.state);
        let destination = self.destination.clone();
        let bytes = self.next;
        blocking(&self.location, move || {
            let staged = state.lock().take().ok_or_else(gone)?;
            if staged.file.metadata()?.len() != bytes {
                return Err(io::Error::other("a part was not written"));
            }
            staged.place(&destination, &PutMode::Overwrite)
        })
        .await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        let state = Arc::clone(&self.state);
        blocking(&self.location, move || {
            drop(state.lock().take());
            Ok(())
        })
        .await
    }
}

fn gone() -> io::Error {
    io::Error::other("the upload failed or was ended before")
}

fn write_at(file: &mut File, offset: u64, data: &PutPayload) -> io::Result<()> {
    use std::io::{Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset))?;
    data.iter().try_for_each(|part| file.write_all(part))
}
