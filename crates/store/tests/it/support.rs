//! Small worlds: a clock, an object store, blocks of made-up spans, and spans told as lines of text.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use block::{
    BlockId, BlockMeta, BlockWriter, ColumnPlan, FinishedBlock, JournalRange, NewBlock, TraceRows,
    WriteOptions,
};
use futures::TryStreamExt as _;
use model::{
    Attribute, Clock, DurationNanos, EventRow, LinkRow, NO_EXTRA, Range32, ResourceRow, SpanBatch,
    SpanExtra, SpanId, SpanKind, SpanRow, StatusCode, TraceId, UnixNanos, ValueRef,
};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use store::testing::FaultyStore;
use store::{PendingBlock, Store, StoreConfig, StoreError};
use ulid::Ulid;

pub(crate) const HOUR: i64 = 3_600_000_000_000;
pub(crate) const MINUTE: i64 = 60_000_000_000;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    /// The middle of some hour not before the present: objects in memory carry the machine's time, and must not look
    /// younger than this clock.
    pub(crate) fn new() -> Arc<Self> {
        #[expect(clippy::disallowed_methods, reason = "see above")]
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as i64;
        Arc::new(Self(AtomicI64::new(now - now % HOUR + HOUR + 30 * MINUTE)))
    }

    pub(crate) fn advance(&self, nanos: i64) {
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixNanos {
        UnixNanos(self.0.load(Ordering::Relaxed))
    }
}

/// An object store in memory that can be made to fail, and a clock.
pub(crate) struct World {
    pub(crate) memory: Arc<InMemory>,
    pub(crate) faulty: FaultyStore,
    pub(crate) clock: Arc<TestClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        let memory = Arc::new(InMemory::new());
        Self {
            faulty: FaultyStore::new(memory.clone(), 7),
            memory,
            clock: TestClock::new(),
        }
    }

    pub(crate) fn now(&self) -> UnixNanos {
        self.clock.now()
    }

    pub(crate) async fn open(&self) -> Store {
        self.open_with(|_| {}).await.unwrap()
    }

    pub(crate) async fn open_with(
        &self,
        change: impl FnOnce(&mut StoreConfig),
    ) -> Result<Store, StoreError> {
        let mut config = quick_config();
        change(&mut config);
        let object_store: Arc<dyn ObjectStore> = Arc::new(self.faulty.clone());
        Store::open(config, object_store, self.clock.clone()).await
    }

    /// A store that has not asked the object store for anything yet.
    pub(crate) fn open_unread(&self) -> Store {
        let object_store: Arc<dyn ObjectStore> = Arc::new(self.faulty.clone());
        Store::open_unread(quick_config(), object_store, self.clock.clone()).unwrap()
    }

    /// The paths of all objects, sorted.
    pub(crate) async fn paths(&self) -> Vec<String> {
        let objects: Vec<_> = self.memory.list(None).try_collect().await.unwrap();
        let mut paths: Vec<_> = objects
            .iter()
            .map(|object| object.location.to_string())
            .collect();
        paths.sort();
        paths
    }

    /// The block folders that have any file.
    pub(crate) async fn folders(&self) -> Vec<String> {
        let mut folders: Vec<_> = self
            .paths()
            .await
            .iter()
            .filter(|path| path.contains("/class="))
            .map(|path| path.rsplit_once('/').unwrap().0.to_owned())
            .collect();
        folders.dedup();
        folders
    }

    pub(crate) async fn read(&self, path: &str) -> Vec<u8> {
        let object = self.memory.get(&Path::from(path)).await.unwrap();
        object.bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn write(&self, path: &str, bytes: Vec<u8>) {
        self.memory
            .put(&Path::from(path), bytes.into())
            .await
            .unwrap();
    }

    pub(crate) async fn remove(&self, path: &str) {
        self.memory.delete(&Path::from(path)).await.unwrap();
    }
}

/// Defaults, but patient for milliseconds only.
pub(crate) fn quick_config() -> StoreConfig {
    let mut config = StoreConfig::new(Path::default(), "acme");
    config.requests.backoff_first = Duration::from_millis(1);
    config.requests.backoff_max = Duration::from_millis(2);
    config.compaction.row_group_spans = 40;
    config.seed = Some(1);
    config
}

/// A span to be. Ids are numbers that are spread over all bytes, so that their order says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sent {
    pub(crate) trace: u64,
    pub(crate) span: u64,
    /// 0 for a root.
    pub(crate) parent: u64,
    pub(crate) start: i64,
}

impl Sent {
    pub(crate) fn start_time(&self) -> UnixNanos {
        UnixNanos(self.start)
    }
}

/// A whole trace of `spans` spans, a chain from the root down, a millisecond apart.
pub(crate) fn trace(trace: u64, spans: u64, start: UnixNanos) -> Vec<Sent> {
    (1..=spans)
        .map(|span| Sent {
            trace,
            span,
            parent: span - 1,
            start: start.0 + (span as i64 - 1) * 1_000_000,
        })
        .collect()
}

fn spread(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

pub(crate) fn trace_id(number: u64) -> TraceId {
    let mut id = TraceId::ZERO;
    id.0[..8].copy_from_slice(&spread(number).to_be_bytes());
    id.0[8..].copy_from_slice(&number.to_be_bytes());
    id
}

pub(crate) fn span_id(trace: u64, number: u64) -> SpanId {
    if number == 0 {
        SpanId::ZERO
    } else {
        SpanId(spread(trace << 20 | number).to_be_bytes())
    }
}

/// What a new block is to be.
#[derive(Debug, Clone)]
pub(crate) struct Making {
    pub(crate) created: UnixNanos,
    pub(crate) class: String,
    pub(crate) journal: Option<JournalRange>,
}

pub(crate) fn made(created: UnixNanos) -> Making {
    Making {
        created,
        class: "default".into(),
        journal: None,
    }
}

/// A block of these spans, in up to twenty row groups.
pub(crate) fn block_of(spans: &[Sent], making: Making) -> PendingBlock {
    PendingBlock::from(finished(spans, making))
}

fn finished(spans: &[Sent], making: Making) -> FinishedBlock {
    let batch = batch_of(spans);
    let mut by_trace: BTreeMap<TraceId, Vec<u32>> = BTreeMap::new();
    for (row, span) in batch.spans.iter().enumerate() {
        by_trace.entry(span.trace_id).or_default().push(row as u32);
    }
    let options = WriteOptions {
        columns_max: 2,
        ..WriteOptions::default()
    };
    let new = NewBlock {
        id: BlockId(Ulid::from_parts(
            (making.created.0 / 1_000_000) as u64,
            Ulid::new().random(),
        )),
        tenant: "acme".into(),
        class: making.class,
        level: 0,
        created: making.created,
        journal: making.journal,
    };
    let plan = ColumnPlan::of_batch(&batch, &options);
    let mut writer = BlockWriter::new(new, &options, plan).unwrap();
    let traces: Vec<_> = by_trace
        .iter()
        .map(|(trace_id, rows)| TraceRows {
            trace_id: *trace_id,
            rows,
            partial: false,
        })
        .collect();
    for group in traces.chunks((traces.len() / 20).max(10)) {
        writer.write(&batch, group).unwrap();
    }
    writer.finish().unwrap()
}

/// The spans with all that a span may have, derived from their numbers.
fn batch_of(spans: &[Sent]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for sent in spans {
        push(&mut batch, sent);
    }
    batch
}

fn push(batch: &mut SpanBatch, sent: &Sent) {
    let resource = push_resource(batch, sent.span % 3);
    let attributes = push_attributes(
        batch,
        &[
            ("route", ValueRef::Str(["/a", "/b"][sent.span as usize % 2])),
            ("number", ValueRef::Int(sent.span as i64)),
            ("share", ValueRef::Double(sent.trace as f64 / 4.0)),
            ("rare", ValueRef::Json(r#"{"bytes":"AAE="}"#)),
        ][..2 + (sent.span % 3) as usize],
    );
    let extra = if sent.span % 4 == 1 {
        push_extra(batch, sent)
    } else {
        NO_EXTRA
    };
    let name = format!("step {}", sent.span % 5);
    let name = batch.symbols.intern_str(&name).unwrap();
    batch.spans.push(SpanRow {
        trace_id: trace_id(sent.trace),
        span_id: span_id(sent.trace, sent.span),
        parent_span_id: span_id(sent.trace, sent.parent),
        start: UnixNanos(sent.start),
        duration: DurationNanos(500_000 + sent.span as i64),
        name,
        resource,
        attributes,
        extra,
        flags: 0x101,
        kind: SpanKind::from_number((sent.span % 6) as i64),
        status: StatusCode::from_number((sent.span % 3) as i64),
    });
}

fn push_resource(batch: &mut SpanBatch, number: u64) -> u32 {
    let service = ["cart", "pay", "ship"][number as usize];
    let attributes = push_attributes(batch, &[("service.name", ValueRef::Str(service))]);
    let row = ResourceRow {
        attributes,
        service: batch.service_of(attributes).unwrap(),
        scope_name: batch.symbols.intern_str("lib").unwrap(),
        ..ResourceRow::default()
    };
    batch.resources.push(row);
    (batch.resources.len() - 1) as u32
}

fn push_extra(batch: &mut SpanBatch, sent: &Sent) -> u32 {
    let attributes = push_attributes(batch, &[("why", ValueRef::Str("because"))]);
    let name = batch.symbols.intern_str("event").unwrap();
    batch.events.push(EventRow {
        time: UnixNanos(sent.start + 7),
        name,
        attributes,
        dropped_attributes: 1,
    });
    batch.links.push(LinkRow {
        trace_id: trace_id(sent.trace + 1),
        span_id: span_id(sent.trace + 1, 1),
        trace_state: name,
        flags: 1,
        attributes,
        dropped_attributes: 2,
    });
    batch.extras.push(SpanExtra {
        status_message: batch.symbols.intern_str("broken").unwrap(),
        dropped_events: 3,
        events: Range32::between(batch.events.len() - 1, batch.events.len()),
        links: Range32::between(batch.links.len() - 1, batch.links.len()),
        ..SpanExtra::default()
    });
    (batch.extras.len() - 1) as u32
}

fn push_attributes(batch: &mut SpanBatch, attributes: &[(&str, ValueRef<'_>)]) -> Range32 {
    let start = batch.attributes.len();
    for (key, value) in attributes {
        let key = batch.symbols.intern_str(key).unwrap();
        let value = batch.symbols.intern_value(*value).unwrap();
        batch.attributes.push(Attribute { key, value });
    }
    Range32::between(start, batch.attributes.len())
}

/// Every span as a line that says all of it, sorted.
pub(crate) fn tell(batch: &SpanBatch) -> Vec<String> {
    let mut lines: Vec<_> = batch
        .spans
        .iter()
        .map(|span| tell_span(batch, span))
        .collect();
    lines.sort();
    lines
}

/// What [`tell`] says of spans that were sent, each once.
pub(crate) fn tell_sent<'a>(spans: impl IntoIterator<Item = &'a Sent>) -> Vec<String> {
    let mut spans: Vec<Sent> = spans.into_iter().copied().collect();
    spans.sort();
    spans.dedup();
    tell(&batch_of(&spans))
}

fn tell_span(batch: &SpanBatch, span: &SpanRow) -> String {
    let resource = &batch.resources[span.resource as usize];
    let extra = batch.extra(span);
    let word = |symbol| batch.symbols.str(symbol).to_owned();
    let events: Vec<_> = batch
        .events(span)
        .iter()
        .map(|event| {
            let attributes = tell_attributes(batch, event.attributes);
            format!(
                "{:?} {} {attributes} {}",
                event.time,
                word(event.name),
                event.dropped_attributes
            )
        })
        .collect();
    let links: Vec<_> = batch
        .links(span)
        .iter()
        .map(|link| {
            let attributes = tell_attributes(batch, link.attributes);
            format!(
                "{} {} {} {} {attributes} {}",
                link.trace_id,
                link.span_id,
                word(link.trace_state),
                link.flags,
                link.dropped_attributes
            )
        })
        .collect();
    format!(
        "{}/{} under {} at {:?} for {:?} {} {} {} {:x} in {} {} {} {} with {} and {:?} {} {} {} events {events:?} links {links:?}",
        span.trace_id,
        span.span_id,
        span.parent_span_id,
        span.start,
        span.duration,
        word(span.name),
        span.kind.as_str(),
        span.status.as_str(),
        span.flags,
        word(resource.service),
        word(resource.scope_name),
        tell_attributes(batch, resource.attributes),
        tell_attributes(batch, resource.scope_attributes),
        tell_attributes(batch, span.attributes),
        word(extra.status_message),
        extra.dropped_attributes,
        extra.dropped_events,
        extra.dropped_links,
    )
}

fn tell_attributes(batch: &SpanBatch, range: Range32) -> String {
    let mut told: Vec<_> = batch
        .attributes(range)
        .iter()
        .map(|attribute| {
            format!(
                "{}={:?}",
                batch.symbols.str(attribute.key),
                batch.symbols.value(attribute.value)
            )
        })
        .collect();
    told.sort();
    told.join(",")
}

/// Every span of every block as lines, sorted; a span that is in two blocks twice.
pub(crate) async fn tell_all(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    for block in store.blocks().iter() {
        lines.extend(tell(&read_all(store, block).await));
    }
    lines.sort();
    lines
}

pub(crate) async fn read_all(store: &Store, block: &BlockMeta) -> SpanBatch {
    let table = store.trace_table(block).await.unwrap();
    let rows: Vec<_> = (0..table.len()).map(|index| table.rows(index)).collect();
    store.read_rows(block, &rows).await.unwrap()
}

/// The spans of a trace as lines, sorted, and what could not be read.
pub(crate) async fn tell_trace(store: &Store, trace: u64) -> (Vec<String>, Vec<String>) {
    let found = store.find_trace(trace_id(trace)).await.unwrap();
    (tell(&found.spans.batch), found.unreadable)
}
