//! Reading parts of local files on the thread that asks for them.
//!
//! Files are read on threads that may wait for the disk. Who is on such a thread already, because decoding is work for the
//! processor, would wake another one for reading and be woken by it in turn, which takes longer than reading some hundred
//! kilobytes that the system has in memory.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(false) };
}

/// Runs work on a thread that may wait: what it reads of local files is read on this thread.
pub(crate) fn waiting<T>(work: impl FnOnce() -> T) -> T {
    /// What was so before, and will be again even after a panic.
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            MAY_WAIT.set(self.0);
        }
    }

    let _before = Before(MAY_WAIT.replace(true));
    work()
}

/// Whether this thread may wait for a file.
pub(crate) fn may_wait() -> bool {
    MAY_WAIT.get()
}

/// Reads parts of a file, which are together one piece of memory. Costs a call of the system for each, besides opening the file.
///
/// # Errors
/// When the file cannot be opened or read, or ends before a part does.
pub(crate) fn read_ranges(path: &Path, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
    let file = File::open(path)?;
    let length = |range: &Range<u64>| usize::try_from(range.end.saturating_sub(range.start));
    let lengths: Result<Vec<usize>, _> = ranges.iter().map(length).collect();
    let lengths = lengths.map_err(io::Error::other)?;
    let mut content = vec![0; lengths.iter().sum()];
    let mut rest = &mut content[..];
    for (range, &length) in ranges.iter().zip(&lengths) {
        let (part, behind) = rest.split_at_mut(length);
        read_at(&file, part, range.start)?;
        rest = behind;
    }
    let mut content = Bytes::from(content);
    Ok(lengths
        .iter()
        .map(|&length| content.split_to(length))
        .collect())
}

#[cfg(unix)]
fn read_at(file: &File, part: &mut [u8], start: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, part, start)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, part: &mut [u8], start: u64) -> io::Result<()> {
    use std::io::{Read as _, Seek as _};
    file.seek(io::SeekFrom::Start(start))?;
    file.read_exact(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let parts = read_ranges(&path, &[7..10, 0..0, 2..4]).unwrap();
        assert_eq!(parts, [&b"789"[..], b"", b"23"]);
        let cut = read_ranges(&path, &[0..1, 7..11]).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
        let missing = read_ranges(&folder.path().join("other"), &[]).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_thread_may_wait_only_while_it_says_so() {
        assert!(!may_wait());
        assert!(waiting(|| waiting(may_wait) && may_wait()));
        assert!(std::panic::catch_unwind(|| waiting(|| panic!("on purpose"))).is_err());
        assert!(!may_wait());
    }
}
