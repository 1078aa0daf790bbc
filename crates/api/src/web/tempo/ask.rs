//! Questions in Tempo's terms, checked, and turned into those of the engine. Rules and defaults are Tempo's, but for its
//! bounds on time: any range can be asked for, up to this moment, and without a range everything is.

use std::sync::Arc;

use evaluate::Steps;
use model::{DurationNanos, UnixNanos};
use query::{
    Limits, MAX_EXEMPLARS, MAX_POINTS, MetricsRequest, SearchRequest, TagValuesRequest,
    TagsRequest, TraceCursor, TraceOrder,
};
use traceql::query::{Constant, Exemplars, Field, Intrinsic, Scope, Type};

use super::legacy;
use crate::web::failure::Failure;
use crate::web::params::LIMIT_DEFAULT;
use crate::web::query::search::{SPANS_DEFAULT, SPANS_MAX};
use crate::web::query::{EVERYTHING, compile_metrics, compile_search, duration_text};

/// Traces of an answer at the most, as in Tempo.
const TRACES_MAX: usize = 262_144;

/// Names of a scope, and values of an attribute, at the most; so many when nothing is said. Grafana asks for 5,000.
pub(crate) const NAMES_MAX: usize = 10_000;

/// The range of a metrics query that says nothing of it.
const SINCE_DEFAULT: DurationNanos = DurationNanos(3_600_000_000_000);

const SECOND: i64 = 1_000_000_000;

/// A search. What is `None` or empty was not given.
#[derive(Debug, Default)]
pub(crate) struct SearchAsk {
    pub(crate) q: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) min_duration: Option<DurationNanos>,
    pub(crate) max_duration: Option<DurationNanos>,
    pub(crate) start: Option<UnixNanos>,
    pub(crate) end: Option<UnixNanos>,
    pub(crate) limit: Option<usize>,
    pub(crate) spans_per_spanset: Option<usize>,
    pub(crate) order: TraceOrder,
    pub(crate) cursor: Option<TraceCursor>,
}

impl SearchAsk {
    pub(crate) fn request(&self, limits: Limits) -> Result<SearchRequest, Failure> {
        let (start, end) = both_or_neither(self.start, self.end)?;
        let limit = match self.limit {
            Some(limit @ 1..=TRACES_MAX) => limit,
            Some(limit) => {
                return Err(Failure::invalid(format!(
                    "limit: `{limit}` is not a number from 1 to {TRACES_MAX}"
                )));
            }
            None => LIMIT_DEFAULT,
        };
        let spans_per_spanset = match self.spans_per_spanset {
            None | Some(0) => SPANS_DEFAULT,
            Some(spans @ 1..=SPANS_MAX) => spans,
            Some(spans) => {
                return Err(Failure::invalid(format!(
                    "spss: `{spans}` is not a number from 0 to {SPANS_MAX}"
                )));
            }
        };
        Ok(SearchRequest {
            query: self.query()?,
            start,
            end,
            order: self.order,
            limit,
            spans_per_spanset,
            cursor: self.cursor,
            limits,
        })
    }

    fn query(&self) -> Result<Arc<traceql::Query>, Failure> {
        let is_legacy =
            !self.tags.is_empty() || self.min_duration.is_some() || self.max_duration.is_some();
        match (&self.q, is_legacy) {
            (Some(_), true) => Err(Failure::invalid(
                "q: cannot be given together with tags, minDuration or maxDuration",
            )),
            (Some(q), false) => compile_search(q),
            (None, false) => compile_search(EVERYTHING),
            (None, true) => {
                let text = legacy::query(&self.tags, self.min_duration, self.max_duration)?;
                compile_search(&text)
            }
        }
    }
}

/// Both ends of a range or none, in order. Zero is what a client sends that has none.
fn both_or_neither(
    start: Option<UnixNanos>,
    end: Option<UnixNanos>,
) -> Result<(Option<UnixNanos>, Option<UnixNanos>), Failure> {
    let given = |time: Option<UnixNanos>| time.filter(|time| time.0 != 0);
    match (given(start), given(end)) {
        (Some(start), Some(end)) if start >= end => {
            Err(Failure::invalid("start: must be before end"))
        }
        (Some(_), None) => Err(Failure::invalid("end: must be given where start is")),
        (None, Some(_)) => Err(Failure::invalid("start: must be given where end is")),
        range => Ok(range),
    }
}

/// Which names are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagsScope {
    /// All, the intrinsics among them.
    All,
    /// Those of the language.
    Intrinsic,
    /// Those of attributes of one scope.
    Of(Scope),
}

/// A question for names.
#[derive(Debug)]
pub(crate) struct TagsAsk {
    pub(crate) scope: TagsScope,
    /// A query, perhaps not finished.
    pub(crate) q: Option<String>,
    pub(crate) start: Option<UnixNanos>,
    pub(crate) end: Option<UnixNanos>,
    /// Zero means that there is none.
    pub(crate) limit: usize,
}

impl TagsAsk {
    /// `None` when no attribute is wanted.
    pub(crate) fn request(&self, limits: Limits) -> Result<Option<TagsRequest>, Failure> {
        let (start, end) = both_or_neither(self.start, self.end)?;
        let scope = match self.scope {
            TagsScope::All => Scope::Any,
            TagsScope::Of(scope) => scope,
            TagsScope::Intrinsic => return Ok(None),
        };
        let filter = self.q.as_deref().and_then(traceql::known_filter);
        Ok(Some(TagsRequest {
            scope,
            filter: filter.map(|filter| filter.condition),
            start,
            end,
            limit: bounded(self.limit),
            limits,
        }))
    }
}

fn bounded(limit: usize) -> usize {
    match limit {
        0 => NAMES_MAX,
        limit => limit.min(NAMES_MAX),
    }
}

/// The scope of a word; none stands for all.
pub(crate) fn tags_scope(word: &str) -> Result<TagsScope, Failure> {
    match word {
        "" | "none" => Ok(TagsScope::All),
        "intrinsic" => Ok(TagsScope::Intrinsic),
        word => Scope::from_word(word).map(TagsScope::Of).ok_or_else(|| {
            Failure::invalid(format!(
                "scope: `{word}` is not one of span, resource, event, link, instrumentation, intrinsic, none"
            ))
        }),
    }
}

/// A question for the values of something.
#[derive(Debug)]
pub(crate) struct ValuesAsk {
    pub(crate) field: Field,
    /// A query, perhaps not finished.
    pub(crate) q: Option<String>,
    pub(crate) start: Option<UnixNanos>,
    pub(crate) end: Option<UnixNanos>,
    /// Zero means that there is none.
    pub(crate) limit: usize,
}

/// Where values come from.
pub(crate) enum Values {
    /// They are known without asking.
    Known(Vec<Constant>),
    /// From the spans.
    Ask(Box<TagValuesRequest>),
}

impl ValuesAsk {
    pub(crate) fn request(self, limits: Limits) -> Result<Values, Failure> {
        let (start, end) = both_or_neither(self.start, self.end)?;
        if let Field::Intrinsic { intrinsic, .. } = &self.field
            && let Some(known) = known_values(*intrinsic)
        {
            return Ok(Values::Known(known));
        }
        let filter = self.q.as_deref().and_then(traceql::known_filter);
        Ok(Values::Ask(Box::new(TagValuesRequest {
            field: self.field,
            filter: filter.map(|filter| filter.condition),
            start,
            end,
            limit: bounded(self.limit),
            limits,
        })))
    }
}

/// The values of an intrinsic that has few, or so many that a list of them helps nobody.
fn known_values(intrinsic: Intrinsic) -> Option<Vec<Constant>> {
    use model::{SpanKind, StatusCode};
    match intrinsic.value_type() {
        Type::Status => {
            let all = [StatusCode::Error, StatusCode::Ok, StatusCode::Unset];
            Some(all.map(Constant::Status).to_vec())
        }
        Type::Kind => {
            let all = [
                SpanKind::Client,
                SpanKind::Server,
                SpanKind::Producer,
                SpanKind::Consumer,
                SpanKind::Internal,
                SpanKind::Unspecified,
            ];
            Some(all.map(Constant::Kind).to_vec())
        }
        Type::Str if intrinsic.id_digits().is_none() => None,
        _ => Some(Vec::new()),
    }
}

/// The field of an identifier: `.x`, `span.x`, `name`.
pub(crate) fn identifier(text: &str) -> Result<Field, Failure> {
    traceql::parse_field(text).map_err(|diagnostics| {
        let shown = traceql::render(text, &diagnostics);
        Failure::invalid(format!(
            "not an attribute or intrinsic\n{}",
            shown.trim_end()
        ))
    })
}

/// A question for series.
#[derive(Debug, Default)]
pub(crate) struct MetricsAsk {
    pub(crate) q: String,
    pub(crate) start: Option<UnixNanos>,
    pub(crate) end: Option<UnixNanos>,
    pub(crate) since: Option<DurationNanos>,
    pub(crate) step: Option<DurationNanos>,
    pub(crate) exemplars: Option<usize>,
    pub(crate) max_series: usize,
    pub(crate) instant: bool,
}

impl MetricsAsk {
    pub(crate) fn request(
        &self,
        now: UnixNanos,
        limits: Limits,
    ) -> Result<MetricsRequest, Failure> {
        let query = compile_metrics(&self.q)?;
        let given = |time: Option<UnixNanos>| time.filter(|time| time.0 != 0);
        let end = given(self.end).unwrap_or(now);
        let since = self.since.unwrap_or(SINCE_DEFAULT);
        let start =
            given(self.start).unwrap_or_else(|| end.saturating_add(DurationNanos(-since.0)));
        if start >= end {
            return Err(Failure::invalid("start: must be before end"));
        }
        let exemplars = match query.hints.exemplars {
            Some(Exemplars::Wanted(false)) => 0,
            Some(Exemplars::Wanted(true)) => MAX_EXEMPLARS,
            Some(Exemplars::AtMost(most)) => usize::try_from(most).unwrap_or(usize::MAX),
            None => self.exemplars.unwrap_or(MAX_EXEMPLARS),
        };
        Ok(MetricsRequest {
            query,
            steps: self.steps(start, end)?,
            exemplars: if self.instant {
                0
            } else {
                exemplars.min(MAX_EXEMPLARS)
            },
            limits,
        })
    }

    fn steps(&self, start: UnixNanos, end: UnixNanos) -> Result<Steps, Failure> {
        if self.instant {
            return Ok(Steps::Instant { start, end });
        }
        let range = end.since(start);
        let step = self.step.filter(|step| step.0 > 0);
        let step = step.unwrap_or_else(|| default_step(range));
        let steps = Steps::Range { start, end, step };
        if steps.count() > MAX_POINTS {
            let least = DurationNanos(range.0.saturating_add(INTERVALS_MAX - 1) / INTERVALS_MAX);
            return Err(Failure::invalid(format!(
                "step: {} steps of {} in the range, and at most {INTERVALS_MAX} can be answered; ask for steps of at least {}",
                steps.count() - 1,
                duration_text(step),
                duration_text(least),
            )));
        }
        Ok(steps)
    }
}

/// Steps of an answer at the most; it has a point more.
const INTERVALS_MAX: i64 = MAX_POINTS as i64 - 1;

/// The step when none is given: some 240 points, on a raster that a person would choose.
fn default_step(range: DurationNanos) -> DurationNanos {
    const RASTERS: [i64; 6] = [3600, 300, 60, 15, 5, 1];
    const FINE: i64 = SECOND / 20;
    let ideal = range.0 / 240;
    let raster = if range.0 < 60 * SECOND {
        FINE
    } else {
        let fitting = RASTERS.into_iter().find(|raster| ideal > raster * SECOND);
        fitting.unwrap_or(1) * SECOND
    };
    DurationNanos((ideal / raster * raster).max(raster))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_step_gives_some_240_points() {
        for (range_seconds, step_millis) in [
            (1, 50),
            (30, 100),
            (59, 200),
            (60, 1_000),
            (300, 1_000),
            (900, 3_000),
            (3_600, 15_000),
            (6 * 3_600, 60_000),
            (24 * 3_600, 300_000),
            (7 * 24 * 3_600, 2_400_000),
            (90 * 24 * 3_600, 32_400_000),
        ] {
            let step = default_step(DurationNanos(range_seconds * SECOND));
            assert_eq!(step.0, step_millis * 1_000_000, "{range_seconds} s");
        }
    }
}
