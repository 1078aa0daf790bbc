//! Opens a file to be imported, decompressing it whatever it is called.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use flate2::bufread::MultiGzDecoder;
use indicatif::ProgressBar;

const BUFFER_BYTES: usize = 1 << 20;

/// The largest window that zstd files may have been made with, as a power of two. Recordings made with `--long` have 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 31;

/// Reads the file, decompressed; `progress` advances by its bytes on disk.
pub(super) fn open(path: &Path, progress: &ProgressBar) -> anyhow::Result<Box<dyn BufRead + Send>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut raw = BufReader::with_capacity(BUFFER_BYTES, progress.wrap_read(file));
    let start = raw
        .fill_buf()
        .with_context(|| format!("cannot read {}", path.display()))?;
    let reader: Box<dyn Read + Send> = match start {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(raw)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd_decoder(raw)?),
        _ => return Ok(Box::new(raw)),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, reader)))
}

fn zstd_decoder<R: BufRead>(raw: R) -> io::Result<zstd::Decoder<'static, R>> {
    let mut decoder = zstd::Decoder::with_buffer(raw)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}
