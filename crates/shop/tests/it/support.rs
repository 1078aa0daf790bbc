//! What the tests share: an hour of the shop, and ways to look at its spans.

use std::collections::HashMap;
use std::sync::LazyLock;

use model::{SpanId, SpanKind, StatusCode, TraceId, UnixNanos};
use shop::{Resource, Scene, Shop, Span, Story, Visit};

/// When the shops of the tests open: 2026-11-21T08:00:00Z.
pub(crate) const OPENED: UnixNanos = UnixNanos(1_795_248_000_000_000_000);
pub(crate) const MINUTE: i64 = 60_000_000_000;

pub(crate) fn after_minutes(minutes: i64) -> UnixNanos {
    UnixNanos(OPENED.0 + minutes * MINUTE)
}

/// An hour from the opening, as the demo sends it. Made once, because many tests look through it.
pub(crate) fn hour() -> &'static [(UnixNanos, Visit)] {
    static HOUR: LazyLock<Vec<(UnixNanos, Visit)>> = LazyLock::new(|| {
        Shop::new(1, OPENED)
            .history(OPENED, after_minutes(60), 1.5)
            .collect()
    });
    &HOUR
}

/// A visit that tells the story, at some time when it can be told.
pub(crate) fn telling(story: Story, scene: Scene, minutes: i64) -> Visit {
    Shop::new(11, OPENED)
        .find(scene, story, after_minutes(minutes))
        .unwrap_or_else(|| panic!("{story:?} was never told"))
}

/// A visit of the scene that does not tell the story.
pub(crate) fn without(story: Story, scene: Scene, minutes: i64) -> Visit {
    let mut shop = Shop::new(12, OPENED);
    loop {
        let visit = shop.play(scene, after_minutes(minutes));
        if !visit.stories.contains(&story) {
            return visit;
        }
    }
}

/// A span with the process that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) span: &'a Span,
}

impl Seen<'_> {
    pub(crate) fn service(&self) -> &str {
        self.resource.service()
    }

    pub(crate) fn failed(&self) -> bool {
        self.span.status == StatusCode::Error
    }

    pub(crate) fn is(&self, service: &str, kind: SpanKind) -> bool {
        self.service() == service && self.span.kind == kind
    }
}

/// The spans of a visit with the parents resolved.
pub(crate) struct Tree<'a> {
    pub(crate) spans: Vec<Seen<'a>>,
    by_id: HashMap<(TraceId, SpanId), usize>,
}

impl<'a> Tree<'a> {
    pub(crate) fn of(visit: &'a Visit) -> Self {
        let spans: Vec<Seen<'a>> = visit
            .services
            .iter()
            .flat_map(|group| {
                group.spans.iter().map(|span| Seen {
                    resource: &group.resource,
                    span,
                })
            })
            .collect();
        let by_id = (0..)
            .zip(&spans)
            .map(|(place, seen)| ((seen.span.trace_id, seen.span.span_id), place))
            .collect();
        Self { spans, by_id }
    }

    pub(crate) fn parent(&self, of: &Span) -> Option<Seen<'a>> {
        let place = self.by_id.get(&(of.trace_id, of.parent_span_id))?;
        Some(self.spans[*place])
    }

    pub(crate) fn children(&self, of: &Span) -> Vec<Seen<'a>> {
        let mut children: Vec<Seen<'a>> = self
            .spans
            .iter()
            .filter(|seen| {
                seen.span.trace_id == of.trace_id && seen.span.parent_span_id == of.span_id
            })
            .copied()
            .collect();
        children.sort_by_key(|seen| seen.span.start);
        children
    }

    pub(crate) fn ancestors(&self, of: &Span) -> Vec<Seen<'a>> {
        std::iter::successors(self.parent(of), |seen| self.parent(seen.span)).collect()
    }

    pub(crate) fn roots(&self) -> Vec<Seen<'a>> {
        self.filter(|seen| seen.span.is_root())
    }

    pub(crate) fn filter(&self, keep: impl Fn(&Seen<'a>) -> bool) -> Vec<Seen<'a>> {
        self.spans
            .iter()
            .filter(|seen| keep(seen))
            .copied()
            .collect()
    }

    /// The only span of a service with this name.
    pub(crate) fn one(&self, service: &str, kind: SpanKind, name: &str) -> Seen<'a> {
        let found = self.filter(|seen| seen.is(service, kind) && seen.span.name == name);
        assert_eq!(found.len(), 1, "spans `{name}` of {service}");
        found[0]
    }
}
