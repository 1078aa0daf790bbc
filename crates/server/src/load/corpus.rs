//! The requests to send, encoded: of a recording, or of the shop.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use model::UnixNanos;
use shop::{Batcher, Shop};

use super::patch::Index;
use super::settings::{Settings, Source};

/// A message of a recording is never longer: receivers refuse more than 64 MiB.
const MESSAGE_BYTES_MAX: u32 = 256 << 20;
/// Recordings are compressed with a window of up to 2^27 bytes.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// The pace at which the shop is assumed to run when the load has no rate of its own, in spans a second. It decides over how
/// long a time the spans of a trace lie apart in the corpus.
const SHOP_RATE_UNLIMITED: u64 = 300_000;
/// Spans of a visit to the shop on average, probes included.
const SPANS_PER_VISIT: f64 = 17.0;
/// When the shop of a corpus opens: 2026-11-21T08:00:00Z. Times are moved to the present when they are sent.
const SHOP_OPENED: UnixNanos = UnixNanos(1_795_248_000_000_000_000);

/// One request.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) index: Index,
}

/// All requests, in the order in which they are sent.
#[derive(Debug)]
pub(super) struct Corpus {
    pub(super) bodies: Vec<Body>,
}

/// How much a corpus is.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Size {
    pub(super) requests: u64,
    pub(super) spans: u64,
    pub(super) bytes: u64,
}

impl Corpus {
    /// Reads or makes the requests. Blocks; costs some seconds for a million spans.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or holds no span.
    pub(super) fn load(settings: &Settings) -> anyhow::Result<Self> {
        let corpus = match &settings.source {
            Source::File(path) => {
                Self::read(path).with_context(|| format!("cannot read {}", path.display()))?
            }
            Source::Shop {
                spans,
                spans_per_request,
            } => {
                let rate = settings.rate.unwrap_or(SHOP_RATE_UNLIMITED);
                Self::shop(settings.seed, *spans, *spans_per_request, rate)?
            }
        };
        anyhow::ensure!(corpus.size().spans > 0, "there is no span to send");
        Ok(corpus)
    }

    pub(super) fn size(&self) -> Size {
        Size {
            requests: self.bodies.len() as u64,
            spans: self.bodies.iter().map(|body| body.index.spans).sum(),
            bytes: self.bodies.iter().map(|body| body.bytes.len() as u64).sum(),
        }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let mut decoder = zstd::Decoder::new(File::open(path)?)?;
        decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
        let mut reader = BufReader::with_capacity(1 << 20, decoder);
        let mut bodies = Vec::new();
        while let Some(bytes) =
            read_message(&mut reader).with_context(|| format!("message {}", bodies.len()))?
        {
            let index = Index::of(&bytes).with_context(|| format!("message {}", bodies.len()))?;
            bodies.push(Body { bytes, index });
        }
        Ok(Self { bodies })
    }

    fn shop(seed: u64, spans: u64, spans_per_request: usize, rate: u64) -> anyhow::Result<Self> {
        let mut shop = Shop::new(seed, SHOP_OPENED);
        let mut batcher = Batcher::default();
        let visits_per_second = (rate as f64 / SPANS_PER_VISIT).max(0.1);
        let mut made = 0;
        for (_, visit) in shop.history(SHOP_OPENED, UnixNanos(i64::MAX), visits_per_second) {
            made += visit.span_count() as u64;
            batcher.add(visit);
            if made >= spans {
                break;
            }
        }
        let batches = batcher.take_all(spans_per_request);
        let bodies = batches.iter().map(|batch| {
            let bytes = batch.encode();
            let index = Index::of(&bytes)?;
            Ok(Body { bytes, index })
        });
        Ok(Self {
            bodies: bodies.collect::<anyhow::Result<_>>()?,
        })
    }
}

/// The next message; none at the end of the file.
fn read_message(reader: &mut impl Read) -> anyhow::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut filled = 0;
    while filled < length.len() {
        match reader.read(&mut length[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => anyhow::bail!("the file ends inside a length"),
            read => filled += read,
        }
    }
    let length = u32::from_le_bytes(length);
    anyhow::ensure!(
        length <= MESSAGE_BYTES_MAX,
        "a length of {length} bytes is no request's"
    );
    let mut bytes = Vec::new();
    reader.take(u64::from(length)).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() == length as usize,
        "the file ends inside a message"
    );
    Ok(Some(bytes))
}
