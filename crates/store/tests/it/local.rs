//! The local file system as an object store, and addresses.

use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload};
use store::{DurableFileSystem, ErrorKind, Store, open_object_store};

use crate::support::{
    TestClock, block_of, made, quick_config, tell_all, tell_sent, tell_trace, trace, trace_id,
};
use model::Clock as _;

fn files_below(folder: &FilePath) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

async fn open_in(folder: &FilePath, clock: &Arc<TestClock>) -> Store {
    let (object_store, root) = open_object_store(folder.to_str().unwrap()).unwrap();
    let mut config = quick_config();
    config.root = root;
    Store::open(config, object_store, clock.clone())
        .await
        .unwrap()
}

/// A file that the system cannot read, here for a link to itself, says nothing of the other files.
#[cfg(unix)]
#[tokio::test]
async fn one_file_that_cannot_be_read_keeps_no_other_from_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let open = || open_in(folder.path(), &clock);
    let store = open().await;
    let spans = [1, 2].map(|number| trace(number, 3, clock.now()));
    for spans in &spans {
        store.add(block_of(spans, made(clock.now()))).await.unwrap();
    }
    let first = store
        .blocks()
        .iter()
        .map(|block| block.folder())
        .min()
        .unwrap();
    for name in ["spans.parquet", "traces.parquet", "trace_id.bloom"] {
        let path = folder.path().join(&first).join(name);
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&path, &path).unwrap();
    }
    let cold = open().await;
    let mut found = 0;
    for (number, spans) in [1, 2].into_iter().zip(&spans) {
        match cold.find_trace(trace_id(number)).await {
            Ok(trace) if trace.spans.batch.len() == spans.len() => found += 1,
            Ok(_) => {}
            Err(error) => assert!(!error.to_string().contains("does not answer"), "{error}"),
        }
    }
    assert_eq!(found, 1);
}

#[tokio::test]
async fn a_store_in_a_folder_is_there_again_after_opening() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/down");
    let clock = TestClock::new();
    let spans: Vec<_> = (0..30)
        .flat_map(|number| trace(number, 6, clock.now()))
        .collect();
    let open = || open_in(&place, &clock);
    let store = open().await;
    for part in spans.chunks(60) {
        store.add(block_of(part, made(clock.now()))).await.unwrap();
    }
    drop(store);
    let store = open().await;
    assert_eq!(tell_all(&store).await, tell_sent(&spans));
    store.compact_now().await.unwrap().unwrap();
    clock.advance(crate::support::HOUR);
    assert_eq!(store.collect_garbage().await.unwrap().removed_blocks, 3);
    drop(store);
    let store = open().await;
    assert_eq!(tell_all(&store).await, tell_sent(&spans));
    let expected = tell_sent(&trace(17, 6, spans[0].start_time()));
    assert_eq!(tell_trace(&store, 17).await, (expected, vec![]));
    let block = place.join(store.blocks()[0].folder());
    let files = files_below(&place);
    assert_eq!(
        files.iter().filter(|path| path.contains("class=")).count(),
        4,
        "{files:?}"
    );
    assert!(block.join("spans.parquet").is_file());
    assert_eq!(fs::read_dir(place.join(".staging")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_name_is_created_once_whoever_tries() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DurableFileSystem::open(folder.path()).unwrap());
    let path = Path::from("a/b/00000000000000000001.json");
    let mut tries = Vec::new();
    for number in 0..16u8 {
        let (store, path) = (store.clone(), path.clone());
        tries.push(tokio::spawn(async move {
            let payload = PutPayload::from(vec![number; 1000]);
            let created = store.put_opts(&path, payload, PutMode::Create.into()).await;
            match created {
                Ok(_) => Some(number),
                Err(Error::AlreadyExists { .. }) => None,
                Err(other) => panic!("{other}"),
            }
        }));
    }
    let mut winners = Vec::new();
    for attempt in tries {
        winners.extend(attempt.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, vec![winners[0]; 1000]);
    let listed: Vec<_> = futures::TryStreamExt::try_collect(store.list(Some(&Path::from("a"))))
        .await
        .unwrap();
    let listed: Vec<object_store::ObjectMeta> = listed;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn an_upload_appears_when_it_is_complete_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = DurableFileSystem::open(folder.path()).unwrap();
    let path = Path::from("x/spans.parquet");
    let mut upload = store.put_multipart(&path).await.unwrap();
    let parts = [
        upload.put_part(vec![1; 100].into()),
        upload.put_part(vec![2; 50].into()),
    ];
    // In the other order: a part has its place from the beginning.
    for part in parts.into_iter().rev() {
        part.await.unwrap();
    }
    assert!(matches!(
        store.head(&path).await,
        Err(Error::NotFound { .. })
    ));
    upload.complete().await.unwrap();
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes, [vec![1; 100], vec![2; 50]].concat());
    let mut upload = store.put_multipart(&Path::from("x/other")).await.unwrap();
    let lost = upload.put_part(vec![3; 10].into());
    drop(lost);
    upload.put_part(vec![4; 5].into()).await.unwrap();
    let mut short = store.put_multipart(&Path::from("x/short")).await.unwrap();
    drop(short.put_part(vec![3; 10].into()));
    assert!(short.complete().await.is_err());
    upload.abort().await.unwrap();
    assert!(upload.complete().await.is_err());
    drop((upload, short));
    assert_eq!(files_below(folder.path()).len(), 1);
}

#[tokio::test]
async fn staging_files_of_a_crash_are_removed_when_they_are_old() {
    let folder = tempfile::tempdir().unwrap();
    drop(DurableFileSystem::open(folder.path()).unwrap());
    let staging = folder.path().join(".staging");
    for (name, age) in [("old", 2 * 3600), ("young", 60)] {
        let file = fs::File::create(staging.join(name)).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_modified(modified - Duration::from_secs(age))
            .unwrap();
    }
    drop(DurableFileSystem::open(folder.path()).unwrap());
    let left = files_below(&staging);
    assert_eq!(left.len(), 1);
    assert!(left[0].ends_with("young"));
}

#[tokio::test]
async fn folders_that_vanish_beside_a_writer_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DurableFileSystem::open(folder.path()).unwrap());
    // Deleting the last file of a folder removes the folder, while others write into it.
    let work = (0..4u8).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let path = Path::from(format!("date=2026-11-21/{number}"));
            for _ in 0..50 {
                store.put(&path, vec![number].into()).await.unwrap();
                store.delete(&path).await.unwrap();
            }
        })
    });
    for task in work.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(files_below(folder.path()), Vec::<String>::new());
}

#[test]
fn addresses_that_cannot_work_are_refused_in_words() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below_a_file = file.path().join("x");
    for (address, words) in [
        ("", "empty"),
        ("ftp://host/dir", "ftp"),
        ("file://relative", "three slashes"),
        ("s3:///prefix", "bucket is missing"),
        ("s3://bucket/a?colour=red", "colour"),
    ] {
        let error = open_object_store(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{address}");
        assert!(error.to_string().contains(words), "{address}: {error}");
    }
    let error = open_object_store(below_a_file.to_str().unwrap()).unwrap_err();
    assert!(
        error.to_string().contains("cannot open the folder"),
        "{error}"
    );
}

#[test]
fn addresses_lead_to_a_store_and_a_folder() {
    let (_, folder) = open_object_store("s3://bucket/some/place/?region=eu-west-1").unwrap();
    assert_eq!(folder, Path::from("some/place"));
    let (store, folder) =
        open_object_store("s3://bucket?endpoint=http://127.0.0.1:9&region=x").unwrap();
    assert_eq!(folder, Path::default());
    assert!(store.to_string().contains("bucket"), "{store}");
    assert!(open_object_store("memory://").is_ok());
    let folder = tempfile::tempdir().unwrap();
    let address = format!("file://{}/new", folder.path().display());
    assert!(open_object_store(&address).is_ok());
    assert!(folder.path().join("new").is_dir());
}
