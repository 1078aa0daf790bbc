//! From an address to an object store.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use crate::local::DurableFileSystem;
use crate::{ErrorKind, StoreError};

/// Opens the object store at `url` and says in which folder of it the data lies.
///
/// - a path, or `file:///path`: a folder on the local file system, created where missing. What is written there survives a
///   power cut.
/// - `s3://bucket/folder`: Amazon S3 or anything compatible that can refuse to overwrite (`If-None-Match: *`), as R2,
///   MinIO, Ceph and Garage can. Credentials, region and endpoint come from the environment: `AWS_ACCESS_KEY_ID`,
///   `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT`, web identity and
///   instance roles. `?endpoint=http://host:9000&region=garage` behind the folder overrides the environment, and
///   `anonymous=true` sends no signature. An endpoint that says `http://` is taken at its word.
/// - `memory://`: nothing is kept; for tests.
///
/// Makes no request, but for creating a local folder.
///
/// # Errors
/// [`ErrorKind::Invalid`] for an address that is none of these; [`ErrorKind::Denied`] or [`ErrorKind::Retry`] when a local
/// folder cannot be created.
pub fn open_object_store(url: &str) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    match url.split_once("://") {
        Some(("s3" | "s3a", rest)) => open_s3(url, rest),
        Some(("memory", _)) => Ok((Arc::new(InMemory::new()), Path::default())),
        Some(("file", rest)) => open_folder(&file_path(url, rest)?),
        None if url.is_empty() => Err(StoreError::invalid("the address of the storage is empty")),
        None => open_folder(FilePath::new(url)),
        Some((scheme, _)) => Err(StoreError::invalid(format!(
            "cannot open {url}: storage {scheme:?} is not known; use a path, file://, s3:// or memory://"
        ))),
    }
}

/// Whether [`open_object_store`] could make sense of `url`. Touches nothing.
///
/// # Errors
/// [`ErrorKind::Invalid`], saying what is wrong with it.
pub fn check_object_store(url: &str) -> Result<(), StoreError> {
    match url.split_once("://") {
        Some(("file", rest)) => file_path(url, rest).map(drop),
        None if !url.is_empty() => Ok(()),
        _ => open_object_store(url).map(drop),
    }
}

/// The path in `file://[localhost]/path`. Percent signs are taken as they stand, as most people write them.
fn file_path(url: &str, rest: &str) -> Result<PathBuf, StoreError> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if path.starts_with('/') {
        Ok(PathBuf::from(path))
    } else {
        Err(StoreError::invalid(format!(
            "cannot open {url}: a file URL needs three slashes, as in file:///var/lib/throughline"
        )))
    }
}

fn open_folder(folder: &FilePath) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    let store = DurableFileSystem::open(folder).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Denied
            }
            _ => ErrorKind::Retry,
        };
        StoreError::new(
            kind,
            format!("cannot open the folder {}: {error}", folder.display()),
        )
    })?;
    Ok((Arc::new(store), Path::default()))
}

fn open_s3(url: &str, rest: &str) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    let invalid =
        |cause: &dyn std::fmt::Display| StoreError::invalid(format!("cannot open {url}: {cause}"));
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, folder) = place.split_once('/').unwrap_or((place, ""));
    if bucket.is_empty() {
        return Err(invalid(&"the bucket is missing, as in s3://bucket/folder"));
    }
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // One repetition at once for a connection that had gone stale; the rest of patience is in `Objects`, where it is counted.
        .with_retry(RetryConfig {
            max_retries: 1,
            retry_timeout: Duration::from_secs(20),
            ..RetryConfig::default()
        });
    let mut endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    for option in options.split('&').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("endpoint", value)) => endpoint = Some(value.to_owned()),
            Some(("region", value)) => builder = builder.with_region(value),
            Some(("anonymous", "true")) => builder = builder.with_skip_signature(true),
            _ => {
                return Err(invalid(&format_args!(
                    "option {option:?} is not known; there are endpoint=, region= and anonymous=true"
                )));
            }
        }
    }
    let mut client = ClientOptions::new().with_connect_timeout(Duration::from_secs(5));
    if let Some(endpoint) = endpoint {
        client = client.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder
        .with_client_options(client)
        .build()
        .map_err(|error| invalid(&error))?;
    let folder = Path::parse(folder.trim_matches('/')).map_err(|error| invalid(&error))?;
    Ok((Arc::new(store), folder))
}
