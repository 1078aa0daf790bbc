//! The recorder: a tracer in simulated time.
//!
//! Pages and stories are ordinary nested calls on a [`Recorder`]: opening a span runs a closure and closes it, work moves
//! the time on, branches of a [`Fork`] share their start. Time is true time; what is written into a span is what the
//! clock of its host showed.

use std::sync::Arc;

use model::{SpanId, SpanKind, StatusCode, TraceId, UnixNanos};

use crate::fleet::{Fleet, Instance, Service};
use crate::language::Library;
use crate::rng::Rng;
use crate::span::{Attribute, Event, IntoValue, Link, Scope, ServiceSpans, Span, Text};
use crate::stack::{self, Frame};
use crate::story::Story;
use crate::visitor::Visitor;

/// Flags of a span: sampled, random trace id, and whether the parent is remote is known.
const FLAGS: u32 = 0x103;
/// The parent is remote.
const FLAG_REMOTE: u32 = 0x200;

/// Spread of ordinary work, as sigma of a log-normal distribution.
const STEADY: f64 = 0.35;
/// Between two processes in a cluster: median and spread, in milliseconds.
const NETWORK_MS: (f64, f64) = (0.16, 0.5);

/// Records what one visit causes.
pub(crate) struct Recorder<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) fleet: &'a mut Fleet,
    pub(crate) visitor: Visitor,
    opened: UnixNanos,
    now: i64,
    trace_id: TraceId,
    open: Vec<Open>,
    ended: Vec<Open>,
    stories: Vec<Story>,
}

struct Open {
    instance: Arc<Instance>,
    span: Span,
}

/// Branches that start together; the caller goes on when the last has ended.
pub(crate) struct Fork {
    start: i64,
    end: i64,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(
        rng: &'a mut Rng,
        fleet: &'a mut Fleet,
        visitor: Visitor,
        opened: UnixNanos,
        at: UnixNanos,
    ) -> Self {
        let trace_id = TraceId(rng.bytes());
        Self {
            rng,
            fleet,
            visitor,
            opened,
            now: at.0,
            trace_id,
            open: Vec::new(),
            ended: Vec::new(),
            stories: Vec::new(),
        }
    }

    /// The spans by process, each in the order of its ends, and the stories that were told.
    pub(crate) fn finish(mut self) -> (Vec<ServiceSpans>, Vec<Story>) {
        debug_assert!(self.open.is_empty(), "every span is closed by its closure");
        self.ended.sort_by_key(|ended| ended.span.end);
        let mut groups: Vec<ServiceSpans> = Vec::new();
        for Open { instance, span } in self.ended {
            match groups
                .iter_mut()
                .find(|group| Arc::ptr_eq(&group.resource, &instance.resource))
            {
                Some(group) => group.spans.push(span),
                None => groups.push(ServiceSpans {
                    resource: Arc::clone(&instance.resource),
                    spans: vec![span],
                }),
            }
        }
        (groups, self.stories)
    }

    /// Notes that this visit tells a story.
    pub(crate) fn tell(&mut self, story: Story) {
        if !self.stories.contains(&story) {
            self.stories.push(story);
        }
    }

    // === time

    /// Nanoseconds since the shop was opened.
    pub(crate) fn since_opening(&self) -> i64 {
        self.now - self.opened.0
    }

    /// Lets about this many milliseconds pass.
    pub(crate) fn work(&mut self, median_ms: f64) {
        self.work_spread(median_ms, STEADY);
    }

    /// Lets time pass whose spread is `sigma`.
    pub(crate) fn work_spread(&mut self, median_ms: f64, sigma: f64) {
        let ms = self.rng.log_normal(median_ms, sigma);
        self.wait(ms);
    }

    /// Lets exactly this many milliseconds pass.
    pub(crate) fn wait(&mut self, ms: f64) {
        self.now += (ms * 1e6) as i64;
    }

    /// Lets a message travel between two processes.
    pub(crate) fn network(&mut self) {
        self.work_spread(NETWORK_MS.0, NETWORK_MS.1);
    }

    /// Starts branches.
    pub(crate) fn fork(&self) -> Fork {
        Fork {
            start: self.now,
            end: self.now,
        }
    }

    /// Runs `body` after `delay_ms`, without anybody waiting for it.
    pub(crate) fn aside<R>(&mut self, delay_ms: f64, body: impl FnOnce(&mut Self) -> R) -> R {
        let now = self.now;
        self.wait(delay_ms);
        let result = body(self);
        self.now = now;
        result
    }

    // === spans

    /// One of the running instances of a service, in the region of the visit.
    pub(crate) fn instance(&mut self, service: Service) -> Arc<Instance> {
        self.fleet
            .pick(service, self.visitor.region, self.now, self.rng)
    }

    /// The process that the open span belongs to.
    pub(crate) fn here(&self) -> Arc<Instance> {
        Arc::clone(&self.open.last().expect("called inside a span").instance)
    }

    /// The process that called the open span's, if the trace began elsewhere.
    pub(crate) fn caller(&self) -> Option<&Instance> {
        let place = self.open.len().checked_sub(2)?;
        Some(&self.open[place].instance)
    }

    /// The library of the process of the open span.
    pub(crate) fn library(&self, library: Library) -> Arc<Scope> {
        self.fleet.scopes.get(self.here().facts.language, library)
    }

    /// A span in any process, around `body`.
    pub(crate) fn span<R>(
        &mut self,
        instance: Arc<Instance>,
        scope: Arc<Scope>,
        kind: SpanKind,
        name: impl Into<Text>,
        body: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let parent = self.open.last();
        let remote = parent.is_some_and(|open| !Arc::ptr_eq(&open.instance, &instance));
        let span = Span {
            trace_id: self.trace_id,
            span_id: SpanId(self.rng.bytes()),
            parent_span_id: parent.map_or(SpanId::ZERO, |open| open.span.span_id),
            flags: if remote { FLAGS | FLAG_REMOTE } else { FLAGS },
            name: name.into(),
            kind,
            start: UnixNanos(self.now + instance.skew),
            scope,
            ..Span::default()
        };
        self.open.push(Open { instance, span });
        let result = body(self);
        if let Some(mut open) = self.open.pop() {
            open.span.end = UnixNanos(self.now + open.instance.skew);
            self.ended.push(open);
        }
        result
    }

    /// A span of the process's own code, around `body`.
    pub(crate) fn internal<R>(
        &mut self,
        name: impl Into<Text>,
        body: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let here = self.here();
        let tracer = Arc::clone(&here.tracer);
        self.span(here, tracer, SpanKind::Internal, name, body)
    }

    /// Runs `body` in a trace of its own, as where the context was lost.
    pub(crate) fn new_trace<R>(&mut self, body: impl FnOnce(&mut Self) -> R) -> R {
        let stack = std::mem::take(&mut self.open);
        let trace_id = std::mem::replace(&mut self.trace_id, TraceId(self.rng.bytes()));
        let result = body(self);
        self.open = stack;
        self.trace_id = trace_id;
        result
    }

    // === the open span

    fn span_mut(&mut self) -> &mut Span {
        &mut self.open.last_mut().expect("called inside a span").span
    }

    /// Ids of the open span, for a link to it.
    pub(crate) fn context(&mut self) -> (TraceId, SpanId) {
        let span = self.span_mut();
        (span.trace_id, span.span_id)
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, key: &'static str, value: impl IntoValue) {
        self.span_mut().attributes.push(Attribute::new(key, value));
    }

    /// Sets the trace state.
    pub(crate) fn set_trace_state(&mut self, state: impl Into<Text>) {
        self.span_mut().trace_state = state.into();
    }

    /// Adds a link.
    pub(crate) fn link(
        &mut self,
        (trace_id, span_id): (TraceId, SpanId),
        attributes: Vec<Attribute>,
    ) {
        self.span_mut().links.push(Link {
            trace_id,
            span_id,
            flags: FLAGS | FLAG_REMOTE,
            attributes,
            ..Link::default()
        });
    }

    /// Adds an event.
    pub(crate) fn event(&mut self, name: impl Into<Text>, attributes: Vec<Attribute>) {
        let time = UnixNanos(self.now + self.here().skew);
        self.span_mut().events.push(Event {
            time,
            name: name.into(),
            attributes,
            dropped_attributes: 0,
        });
    }

    /// Marks the span as failed.
    pub(crate) fn fail(&mut self, error_type: impl IntoValue, message: impl Into<Text>) {
        self.set("error.type", error_type);
        let span = self.span_mut();
        span.status = StatusCode::Error;
        span.status_message = message.into();
    }

    /// Records an exception that was thrown at the first of `frames`.
    pub(crate) fn exception(&mut self, kind: &str, message: &str, frames: &[Frame]) {
        let language = self.here().facts.language;
        self.event(
            "exception",
            vec![
                Attribute::new("exception.type", kind),
                Attribute::new("exception.message", message),
                Attribute::new(
                    "exception.stacktrace",
                    stack::print(language, kind, message, frames),
                ),
            ],
        );
    }
}

impl Fork {
    /// Runs a branch from the common start.
    pub(crate) fn branch<R>(
        &mut self,
        r: &mut Recorder<'_>,
        body: impl FnOnce(&mut Recorder<'_>) -> R,
    ) -> R {
        r.now = self.start;
        let result = body(r);
        self.end = self.end.max(r.now);
        result
    }

    /// Waits for the last branch.
    pub(crate) fn join(self, r: &mut Recorder<'_>) {
        r.now = self.end;
    }
}
