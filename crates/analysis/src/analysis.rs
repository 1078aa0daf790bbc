//! The whole result for one trace, in the shape in which it is answered.

use model::SpanBatch;
use serde::{Serialize, Serializer};

use crate::findings::{self, Findings};
use crate::path::{CriticalPath, Section};
use crate::settings::Settings;
use crate::summary::{self, Summary};
use crate::trace::Trace;

/// What is known of a trace. See the [crate] for units and for how spans are named.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// Nanoseconds since 1970 of offset zero, the earliest recorded start; a decimal string in JSON, since it does not fit
    /// a double.
    #[serde(serialize_with = "as_text")]
    pub start_time_unix_nano: i64,
    /// The earliest start after correction of clocks: an offset, mostly zero.
    pub start_ns: i64,
    /// The latest end after correction of clocks: an offset.
    pub end_ns: i64,
    /// The root that shares are of: the earliest one without a parent id, or the longest orphan. None without spans.
    pub main_root: Option<u32>,
    /// Where the time went, in words.
    pub summary: Summary,
    /// What is worth a look, most time at stake first.
    pub findings: Findings,
    /// One path for each root, in the order of the roots.
    pub critical_path: Vec<CriticalPath>,
    /// Stretches of the critical path about which nothing is recorded, long enough to be drawn.
    pub dark: Vec<Section>,
    /// What was odd about the spans themselves.
    pub notes: Notes,
    /// A value for each span.
    pub spans: SpanColumns,
}

/// Values by position; all columns are equally long.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpanColumns {
    /// Span ids in hex. Those of a shared pair are equal, see [`Notes::shared_ids`].
    #[serde(serialize_with = "as_ids")]
    pub id: Vec<model::SpanId>,
    /// Row of the batch that was analysed.
    pub row: Vec<u32>,
    /// The parent's position; null for roots of every sort.
    pub parent: Vec<Option<u32>>,
    /// Spans below; they are the next positions.
    pub descendants: Vec<u32>,
    /// Offset of the start, after correction of clocks.
    pub start_ns: Vec<i64>,
    /// Never negative, whatever was recorded.
    pub duration_ns: Vec<i64>,
    /// What was added to the recorded start and end because clocks disagree. Zero for most.
    pub shift_ns: Vec<i64>,
    /// Duration minus the time in which some child ran that the span waited for.
    pub self_ns: Vec<i64>,
    /// Own time on the critical path. Over the tree of a root it sums up to the root's duration.
    pub critical_ns: Vec<i64>,
    /// Self time of a client whose server is below: network and queues, neither side's work. Part of `self_ns`.
    pub gap_ns: Vec<i64>,
    /// Own time on the critical path about which nothing is recorded. Part of `critical_ns`.
    pub dark_ns: Vec<i64>,
    /// Whether nobody waited for it: a consumer, or a child that outlives its parent. What is below shares its fate.
    pub is_detached: Vec<bool>,
}

/// What was odd about the spans. Lists are positions, but for duplicates.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// Roots that name a parent which is not among the spans.
    pub orphans: Vec<u32>,
    /// Spans that are their own ancestors by what they say; the circle was cut above them.
    pub circles: Vec<u32>,
    /// Servers with the id of their client, as Zipkin writes them; they were made its children.
    pub shared_ids: Vec<u32>,
    /// Rows of the batch that were left out since an earlier span has their id.
    pub duplicate_rows: Vec<u32>,
    /// Spans that end before they start; they are taken to have no length.
    pub backwards: Vec<u32>,
    /// Spans that lie outside their parents by so much that clocks were not corrected.
    pub skew_refused: Vec<u32>,
}

/// Analyses the spans of a batch as those of one trace, whatever their trace ids are.
///
/// Any input has a result; without spans an empty one. Never panics. Costs O(n log n) time, some 300 ns for each span,
/// and some 200 bytes of memory for each.
pub fn analyse(batch: &SpanBatch, settings: &Settings) -> Analysis {
    let trace = Trace::new(batch, settings);
    let findings = findings::find(&trace);
    let summary = summary::summarise(&trace, &findings);
    let (start_ns, end_ns) = trace.timeline.bounds();
    Analysis {
        start_time_unix_nano: trace.timeline.origin.0,
        start_ns,
        end_ns,
        main_root: trace.main_root.map(|root| root as u32),
        summary,
        findings,
        dark: drawn_dark(&trace),
        notes: notes(&trace),
        spans: columns(&trace),
        critical_path: trace.paths,
    }
}

fn drawn_dark(trace: &Trace<'_>) -> Vec<Section> {
    let settings = trace.settings;
    let least = (settings.dark_drawn_share * trace.total_ns() as f64) as i64;
    let least = least.max(settings.dark_drawn_ns);
    let long = |stretch: &&Section| stretch.duration_ns() >= least;
    trace.own.dark.iter().filter(long).copied().collect()
}

fn notes(trace: &Trace<'_>) -> Notes {
    Notes {
        orphans: trace.tree.orphans().to_vec(),
        circles: trace.tree.circles().to_vec(),
        shared_ids: trace.tree.shared().to_vec(),
        duplicate_rows: trace.tree.duplicate_rows().to_vec(),
        backwards: trace.timeline.backwards.clone(),
        skew_refused: trace.skew_refused.clone(),
    }
}

fn columns(trace: &Trace<'_>) -> SpanColumns {
    let Trace {
        tree,
        timeline,
        own,
        ..
    } = trace;
    let all = || 0..tree.len();
    SpanColumns {
        id: all().map(|position| trace.span(position).span_id).collect(),
        row: all().map(|position| tree.row(position) as u32).collect(),
        parent: all()
            .map(|position| tree.parent(position).map(|parent| parent as u32))
            .collect(),
        descendants: all()
            .map(|position| tree.descendants(position).len() as u32)
            .collect(),
        start_ns: timeline.start.clone(),
        duration_ns: all().map(|position| timeline.duration(position)).collect(),
        shift_ns: timeline.shift.clone(),
        self_ns: own.self_ns.clone(),
        critical_ns: own.critical_ns.clone(),
        gap_ns: own.gap_ns.clone(),
        dark_ns: own.dark_ns.clone(),
        is_detached: trace.detached.clone(),
    }
}

fn as_text<S: Serializer>(nanos: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(nanos)
}

fn as_ids<S: Serializer>(ids: &[model::SpanId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}
