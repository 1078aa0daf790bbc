//! The drawing: a head, a line for each span, and what was found. Pure, so that tests read it as it stands.
//!
//! ```text
//! shop  GET /checkout  1.24 s  5 spans  3 services  1 error
//!
//! shop  GET /checkout     ███░░░░░░░░░░░░░░░░░░░░██ 1.24 s
//! ├ cart  GetCart           █░░█                    180 ms
//! │ └ redis  HGETALL         ██                     50.0 ms
//! └ payment  Charge             ██████████████████  900 ms !
//! ```

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use analysis::{Analysis, Section};
use model::{SpanBatch, SpanRow, StatusCode};

use crate::query::millis;
use crate::terminal::{Ink, Paint, fitted, plain};

/// Levels of the tree that are indented; what is deeper stands below one another.
const DEPTH_MAX: usize = 16;

/// Columns for a duration and a mark.
const DURATION_WIDTH: usize = 12;

/// Columns of a name at the least and at the most.
const NAME_WIDTH: (usize, usize) = (24, 64);

/// Where to draw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) spans_max: usize,
    pub(super) paint: Paint,
}

/// The whole drawing.
pub(super) fn draw(spans: &SpanBatch, analysis: &Analysis, canvas: &Canvas) -> String {
    let drawing = Drawing::new(spans, analysis, canvas);
    let mut text = drawing.head();
    text.push('\n');
    let all = analysis.spans.id.len();
    let shown = all.min(canvas.spans_max);
    for position in 0..shown {
        text.push_str(&drawing.line(position));
        text.push('\n');
    }
    if shown < all {
        let _ = writeln!(text, "… {} more spans; --spans draws more", all - shown);
    }
    text.push_str(&drawing.findings());
    text
}

struct Drawing<'a> {
    spans: &'a SpanBatch,
    analysis: &'a Analysis,
    paint: Paint,
    name_width: usize,
    bar_width: usize,
    /// Sections of the critical path by position of their span.
    critical: HashMap<u32, Vec<Section>>,
    /// A colour for each service.
    hues: HashMap<&'a str, u8>,
}

impl<'a> Drawing<'a> {
    fn new(spans: &'a SpanBatch, analysis: &'a Analysis, canvas: &Canvas) -> Self {
        let (least, most) = NAME_WIDTH;
        let name_width = (canvas.width * 2 / 5).clamp(least, most);
        let taken = name_width + DURATION_WIDTH + 2;
        let mut critical: HashMap<u32, Vec<Section>> = HashMap::new();
        for section in analysis
            .critical_path
            .iter()
            .flat_map(|path| &path.sections)
        {
            critical.entry(section.span).or_default().push(*section);
        }
        let services: BTreeSet<&str> = spans.spans.iter().map(|row| spans.service(row)).collect();
        let hues = services.into_iter().zip((0..=u8::MAX).cycle()).collect();
        Self {
            spans,
            analysis,
            paint: canvas.paint,
            name_width,
            bar_width: canvas.width.saturating_sub(taken).max(10),
            critical,
            hues,
        }
    }

    fn row(&self, position: usize) -> &'a SpanRow {
        &self.spans.spans[self.analysis.spans.row[position] as usize]
    }

    fn name(&self, position: usize) -> &'a str {
        self.spans.symbols.str(self.row(position).name)
    }

    fn head(&self) -> String {
        let analysis = self.analysis;
        let errors = self.spans.spans.iter();
        let errors = errors.filter(|row| row.status == StatusCode::Error).count();
        let counted = |number: usize, noun: &str| match number {
            1 => format!("1 {noun}"),
            _ => format!("{number} {noun}s"),
        };
        let mut line = String::new();
        if let Some(root) = analysis.main_root.map(|root| root as usize) {
            let service = self.spans.service(self.row(root));
            let name = plain(&format!("{service}  {}", self.name(root)));
            line = self.paint.ink(Ink::Bold, &name) + "  ";
        }
        let _ = write!(
            line,
            "{}  {}  {}",
            duration(analysis.end_ns - analysis.start_ns),
            counted(self.spans.len(), "span"),
            counted(self.hues.len(), "service"),
        );
        if errors > 0 {
            let errors = counted(errors, "error");
            let _ = write!(line, "  {}", self.paint.ink(Ink::Error, &errors));
        }
        let id = self.spans.spans.first().map(|row| row.trace_id.to_string());
        let start = jiff::Timestamp::from_nanosecond(analysis.start_time_unix_nano.into());
        let start = start.map_or_else(|_| String::new(), |start| start.to_string());
        let origin = format!("trace {}  {start}", id.unwrap_or_default());
        format!("{line}\n{}\n", self.paint.ink(Ink::Dim, &origin))
    }

    /// One span: branches, service and name, bar, duration, and a mark for an error.
    fn line(&self, position: usize) -> String {
        let row = self.row(position);
        let service = self.spans.service(row);
        let branches = self.branches(position);
        let room = self.name_width.saturating_sub(branches.chars().count());
        let label = fitted(&format!("{service}  {}", self.name(position)), room);
        // The service keeps its colour where the label was cut inside of it.
        let split = plain(service).len().min(label.len());
        let split = label.floor_char_boundary(split);
        let hue = Ink::Hue(self.hues.get(service).copied().unwrap_or(0));
        let is_error = row.status == StatusCode::Error;
        let mut took = duration(self.analysis.spans.duration_ns[position]);
        if is_error {
            took.push_str(" !");
        }
        format!(
            "{}{}{} {} {}",
            self.paint.ink(Ink::Dim, &branches),
            self.paint.ink(hue, &label[..split]),
            &label[split..],
            self.bar(position),
            if is_error {
                self.paint.ink(Ink::Error, &took)
            } else {
                took
            },
        )
    }

    /// The lines of the tree in front of a span.
    fn branches(&self, position: usize) -> String {
        let spans = &self.analysis.spans;
        let end = |position: usize| position + spans.descendants[position] as usize;
        let mut parts = Vec::new();
        let mut child = position;
        while let Some(parent) = spans.parent[child].map(|parent| parent as usize) {
            let is_last = end(child) == end(parent);
            parts.push(match (child == position, is_last) {
                (true, true) => "└ ",
                (true, false) => "├ ",
                (false, true) => "  ",
                (false, false) => "│ ",
            });
            child = parent;
        }
        parts.truncate(DEPTH_MAX);
        parts.into_iter().rev().collect()
    }

    /// When the span ran: full blocks where most of the time was on the critical path, light ones where not.
    fn bar(&self, position: usize) -> String {
        let spans = &self.analysis.spans;
        let start = spans.start_ns[position];
        let end = start + spans.duration_ns[position];
        let mut ran = vec![0.0; self.bar_width];
        let mut critical = vec![0.0; self.bar_width];
        self.spread(start, end, &mut ran);
        for section in self.critical.get(&(position as u32)).into_iter().flatten() {
            self.spread(section.start_ns, section.end_ns, &mut critical);
        }
        let is_error = self.row(position).status == StatusCode::Error;
        let ink = if is_error { Ink::Error } else { Ink::Critical };
        let cells: Vec<char> = ran
            .iter()
            .zip(&critical)
            .map(
                |(&ran, &critical)| match critical > 0.0 && critical * 2.0 >= ran {
                    true => '█',
                    false if ran > 0.0 => '░',
                    false => ' ',
                },
            )
            .collect();
        let mut text = String::new();
        for run in cells.chunk_by(|left, right| left == right) {
            let piece: String = run.iter().collect();
            match run[0] {
                '█' => text.push_str(&self.paint.ink(ink, &piece)),
                '░' => text.push_str(&self.paint.ink(Ink::Dim, &piece)),
                _ => text.push_str(&piece),
            }
        }
        text
    }

    /// Adds a stretch of time to the cells that it touches, in nanoseconds; one of no length leaves a trace too.
    fn spread(&self, start: i64, end: i64, cells: &mut [f64]) {
        const LEAST: f64 = 0.5;
        let analysis = self.analysis;
        let total = (analysis.end_ns - analysis.start_ns).max(1) as f64;
        let per_cell = total / cells.len() as f64;
        let from = (start - analysis.start_ns).max(0) as f64;
        let to = ((end - analysis.start_ns).max(0) as f64).max(from + LEAST);
        let first = ((from / per_cell) as usize).min(cells.len() - 1);
        let last = ((to / per_cell).ceil() as usize).clamp(first + 1, cells.len());
        for (at, cell) in cells.iter_mut().enumerate().take(last).skip(first) {
            let (left, right) = (at as f64 * per_cell, (at + 1) as f64 * per_cell);
            *cell += (to.min(right) - from.max(left)).max(LEAST);
        }
    }

    /// Where the time went, and what is worth a look.
    fn findings(&self) -> String {
        let mut text = String::new();
        let summary = plain(&self.analysis.summary.text);
        if !summary.is_empty() {
            let _ = writeln!(text, "\n{summary}");
        }
        let found = &self.analysis.findings;
        for finding in &found.list {
            let share = match finding.share {
                share if share >= 0.01 => format!("  {:.0} %", share * 100.0),
                _ => String::new(),
            };
            let headline = self.paint.ink(Ink::Bold, &plain(&finding.headline));
            let _ = writeln!(text, "\n• {headline}{share}");
            for sentence in [&finding.sentence, &finding.advice] {
                if !sentence.is_empty() {
                    let _ = writeln!(text, "  {}", plain(sentence));
                }
            }
        }
        if found.left_out > 0 {
            let _ = writeln!(text, "\n… and {} findings of less weight", found.left_out);
        }
        text
    }
}

fn duration(nanos: i64) -> String {
    millis(nanos as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Id, parent, service, name, start and end in milliseconds, whether it failed.
    type Drawn = (u8, u8, &'static str, &'static str, i64, i64, bool);

    fn batch(drawn: &[Drawn]) -> SpanBatch {
        let at = |millis: i64| (1_795_253_400_000_000_000 + millis * 1_000_000).to_string();
        let resource_spans = drawn.iter().map(|&(id, parent, service, name, start, end, failed)| {
            json!({
                "resource": {"attributes": [
                    {"key": "service.name", "value": {"stringValue": service}},
                ]},
                "scopeSpans": [{"spans": [{
                    "traceId": "0af7651916cd43dd8448eb211c80319c",
                    "spanId": format!("{id:016x}"),
                    "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
                    "name": name,
                    "kind": 1,
                    "startTimeUnixNano": at(start),
                    "endTimeUnixNano": at(end),
                    "status": {"code": if failed { 2 } else { 0 }},
                }]}],
            })
        });
        let request = json!({"resourceSpans": resource_spans.collect::<Vec<_>>()});
        let bytes = wire::otlp_json::to_protobuf(request.to_string().as_bytes()).unwrap();
        let mut batch = SpanBatch::default();
        wire::otlp::decode(&bytes, &wire::otlp::DecodeLimits::default(), &mut batch).unwrap();
        batch
    }

    fn shop() -> SpanBatch {
        batch(&[
            (1, 0, "shop", "GET /checkout", 0, 1_000, false),
            (2, 1, "cart", "GetCart", 100, 300, false),
            (3, 2, "redis", "HGETALL", 150, 200, false),
            (
                4,
                1,
                "payment",
                "Charge with a name that is longer",
                300,
                950,
                true,
            ),
        ])
    }

    fn drawn(batch: &SpanBatch, width: usize, spans_max: usize, paint: Paint) -> String {
        let analysis = analysis::analyse(batch, &analysis::Settings::default());
        let canvas = Canvas {
            width,
            spans_max,
            paint,
        };
        draw(batch, &analysis, &canvas)
    }

    #[test]
    fn a_trace_is_drawn() {
        let text = drawn(&shop(), 70, 100, Paint::OFF);
        let (drawing, findings) = text.split_at(text.match_indices('\n').nth(6).unwrap().0);
        assert_eq!(
            drawing,
            "\
shop  GET /checkout  1.00 s  4 spans  4 services  1 error
trace 0af7651916cd43dd8448eb211c80319c  2026-11-21T09:30:00Z

shop  GET /checkout          ███░░░░░░░░░░░░░░░░░░░░░░░░█ 1.00 s
├ cart  GetCart                ██░░███                    200 ms
│ └ redis  HGETALL               ██                       50.0 ms
└ payment  Charge with a na…         ███████████████████  650 ms !",
        );
        assert!(findings.contains("payment"), "{findings}");
    }

    #[test]
    fn what_is_not_drawn_is_counted() {
        let text = drawn(&shop(), 70, 2, Paint::OFF);
        assert!(
            text.contains("… 2 more spans; --spans draws more\n"),
            "{text}"
        );
        assert!(!text.contains("redis  HGETALL"));
    }

    #[test]
    fn colours_mark_errors_and_the_path() {
        let text = drawn(&shop(), 70, 100, Paint::ON);
        let error = text.lines().find(|line| line.contains("Charge")).unwrap();
        assert!(error.contains("\x1b[31m██") && error.ends_with("\x1b[31m650 ms !\x1b[0m"));
        let plain = drawn(&shop(), 70, 100, Paint::OFF);
        assert_eq!(console::strip_ansi_codes(&text), plain);
    }

    #[test]
    fn hostile_traces_are_drawn_all_the_same() {
        let mut chain: Vec<Drawn> = (1..=200)
            .map(|id| (id, id - 1, "a\x1b[2J", "b\n", 0, i64::from(id), false))
            .collect();
        chain.push((201, 77, "", "", -5_000, -5_000, false));
        chain.push((202, 202, "self", "is its own parent", 10, 5, true));
        let text = drawn(&batch(&chain), 60, 1_000, Paint::OFF);
        assert!(!text.contains('\x1b'));
        assert!(text.lines().count() > 202);
    }
}
