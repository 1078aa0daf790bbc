//! Measures what a span costs at each stage: pushes a file of OTLP requests through a collector with a real journal and
//! store, and prints CPU time per span, memory and sizes.
//!
//! ```text
//! cargo run --release -p collect --example stages -- [--gzip | --zstd] [--rounds N] [--senders N] [--replay] [--shop SPANS | FILE]
//! ```
//!
//! FILE is `real-shop-and-tickets.otlp.zst` of the recorded data by default: requests, each behind its length as a
//! little-endian u32, compressed with zstd as one stream. `--shop` takes so many generated spans instead. Each round gets trace ids of its own. With `--replay` nothing is
//! flushed, the collector is dropped as in a crash, and the next one's replay is timed.

#![expect(clippy::print_stdout, reason = "a tool for a terminal")]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use collect::{Collector, Encoding, Settings};
use journal::{Journal, JournalConfig, JournalError, Recovered, SystemFiles};
use model::{Clock, SpanBatch, UnixNanos};
use store::{Store, StoreConfig};

#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Failure = Box<dyn std::error::Error>;

struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> UnixNanos {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixNanos(since.map_or(0, |since| since.as_nanos() as i64))
    }
}

struct Options {
    encoding: Encoding,
    rounds: usize,
    senders: usize,
    replay: bool,
    shop_spans: usize,
    file: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = options()?;
    let bodies = Arc::new(bodies(&options)?);
    let folder = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    let url = folder.path().join("blocks");
    let (objects, root) = store::open_object_store(&url.to_string_lossy())?;
    let store = Store::open(
        StoreConfig::new(root, collect::TENANT),
        objects,
        clock.clone(),
    )
    .await?;
    let journal_config = JournalConfig::new(folder.path().join("journal"));
    let (journal, recovered) = Journal::open(journal_config.clone(), Arc::new(SystemFiles))?;
    let cores = std::thread::available_parallelism()?.get();
    let mut settings = Settings::for_machine(cores, 1 << 30);
    if options.replay {
        settings.generation_spans_max = 64 << 20;
        settings.live_bytes_max = 64 << 30;
    }
    let start = |journal, recovered| {
        Collector::start(
            settings.clone(),
            journal,
            recovered,
            store.clone(),
            clock.clone(),
            None,
        )
    };
    let (collector, _) = start(journal, recovered).await?;

    let before = cpu_time()?;
    let began = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..options.senders)
        .map(|_| {
            tokio::spawn(send(
                collector.clone(),
                bodies.clone(),
                next.clone(),
                options.encoding,
            ))
        })
        .collect();
    let mut waits = Vec::new();
    for sender in senders {
        waits.extend(sender.await?);
    }
    let sent = began.elapsed();
    let cpu_sent = cpu_time()? - before;
    if options.replay {
        drop(collector);
        let (journal, recovered) = reopen(&journal_config).await?;
        let (collector, report) = start(journal, recovered).await?;
        println!("replayed {report:#?}");
        assert!(collector.snapshot().law_holds());
        return Ok(());
    }
    collector.flush().await?;
    let cpu = cpu_time()? - before;
    waits.sort_unstable();

    let counts = collector.snapshot();
    assert!(counts.law_holds(), "{counts:#?}");
    let spans = counts.received as f64;
    let per_span = |time: Duration| time.as_nanos() as f64 / spans;
    println!("spans                  {}", counts.received);
    println!("spans/s while sending  {:.0}", spans / sent.as_secs_f64());
    println!(
        "ns CPU/span            {:.0} sending, {:.0} with the last flush",
        per_span(cpu_sent),
        per_span(cpu)
    );
    println!("ns/span inflate+decode {:.0}", per_span(counts.decode_time));
    println!(
        "ns/span insert         {:.0} (carried {:.1} %)",
        per_span(counts.insert_time),
        100.0 * counts.carried as f64 / spans
    );
    println!("ns/span encode block   {:.0}", per_span(counts.flush_time));
    println!(
        "answers p50 {:?}, p99 {:?}, max {:?}",
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
        waits[waits.len() - 1]
    );
    println!(
        "blocks                 {}, {:.2} bytes/span",
        counts.flushed_blocks,
        counts.flushed_bytes as f64 / spans
    );
    println!("sealed by reason       {:?}", counts.sealed);
    let sent_mb = bodies.iter().map(Bytes::len).sum::<usize>() >> 20;
    println!(
        "peak RSS               {} MB, of which the requests are {sent_mb} MB",
        peak_rss_mb()?
    );
    collector.drain(Duration::from_secs(10)).await;
    Ok(())
}

/// Opens the journal as soon as the threads of the dropped collector have let go of it.
async fn reopen(config: &JournalConfig) -> Result<(Journal, Recovered), Failure> {
    loop {
        match Journal::open(config.clone(), Arc::new(SystemFiles)) {
            Err(JournalError::Locked { .. }) => tokio::time::sleep(Duration::from_millis(1)).await,
            opened => return Ok(opened?),
        }
    }
}

fn options() -> Result<Options, Failure> {
    let data = std::env::var("THROUGHLINE_DATA").unwrap_or_else(|_| "../shared/data".into());
    let mut options = Options {
        encoding: Encoding::Identity,
        rounds: 2,
        senders: 4,
        replay: false,
        shop_spans: 0,
        file: PathBuf::from(data).join("real-shop-and-tickets.otlp.zst"),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            arguments
                .next()
                .ok_or("a number is missing")?
                .parse::<usize>()
                .map_err(Failure::from)
        };
        match &*argument {
            "--gzip" => options.encoding = Encoding::Gzip,
            "--replay" => options.replay = true,
            "--zstd" => options.encoding = Encoding::Zstd,
            "--shop" => options.shop_spans = number()?,
            "--rounds" => options.rounds = number()?,
            "--senders" => options.senders = number()?,
            file => options.file = file.into(),
        }
    }
    Ok(options)
}

/// Reads the messages of the file.
fn recorded(options: &Options) -> Result<Vec<Vec<u8>>, Failure> {
    const WINDOW_LOG_MAX: u32 = 30;
    let file = std::fs::File::open(&options.file)?;
    let mut decoder = zstd::Decoder::new(file)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes)?;
    let mut messages = Vec::new();
    let mut rest = &bytes[..];
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let (message, tail) = tail.split_at(u32::from_le_bytes(*len) as usize);
        messages.push(message.to_vec());
        rest = tail;
    }
    Ok(messages)
}

/// Requests of a simulated shop with a hundred visits a second, each process sending every second.
fn generated(spans: usize) -> Vec<Vec<u8>> {
    const VISIT: i64 = 10_000_000;
    let mut now = UnixNanos(1_795_219_200_000_000_000);
    let mut shop = shop::Shop::new(7, now);
    let mut batcher = shop::Batcher::default();
    let mut messages = Vec::new();
    let mut sent = 0;
    while sent < spans {
        for _ in 0..100 {
            now.0 += VISIT;
            batcher.add(shop.visit(now));
        }
        for batch in batcher.take_ended(now, shop::MAX_SPANS_PER_BATCH) {
            sent += batch.spans.spans.len();
            messages.push(batch.encode());
        }
    }
    messages
}

/// The messages, each round with its own trace ids, compressed.
fn bodies(options: &Options) -> Result<Vec<Bytes>, Failure> {
    let messages = match options.shop_spans {
        0 => recorded(options)?,
        spans => generated(spans),
    };
    let mut bodies = Vec::new();
    let mut batch = SpanBatch::default();
    for round in 0..options.rounds {
        for message in &messages {
            let body = if round == 0 {
                message.clone()
            } else {
                wire::otlp::decode(message, &wire::otlp::DecodeLimits::default(), &mut batch)?;
                for span in &mut batch.spans {
                    span.trace_id.0[0] ^= round as u8;
                }
                wire::otlp::encode(&batch)
            };
            bodies.push(compress(options.encoding, body)?.into());
        }
    }
    Ok(bodies)
}

fn compress(encoding: Encoding, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    Ok(match encoding {
        Encoding::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&body)?;
            encoder.finish()?
        }
        Encoding::Zstd => zstd::bulk::compress(&body, 3)?,
        _ => body,
    })
}

/// Sends bodies until there are no more, and returns how long each answer took.
async fn send(
    collector: Collector,
    bodies: Arc<Vec<Bytes>>,
    next: Arc<AtomicUsize>,
    encoding: Encoding,
) -> Vec<Duration> {
    let mut waits = Vec::new();
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let began = Instant::now();
        while let Err(refusal) = collector.receive(encoding, body.clone()).await {
            println!("refused: {refusal}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        waits.push(began.elapsed());
    }
    waits
}

/// User and system time of this process.
fn cpu_time() -> Result<Duration, Failure> {
    /// What Linux reports times in, on every machine.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

fn peak_rss_mb() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .ok_or("no VmHWM")?;
    let kb: String = line.chars().filter(char::is_ascii_digit).collect();
    Ok(kb.parse::<u64>()? / 1024)
}
