//! Spans turned into series.

use std::collections::BTreeMap;

use traceql::query::{Column, Constant, Field, MetricsFunction, MetricsQuery};

use super::condition::key;
use super::field::read;
use super::scalar::numbers;
use super::spanset::{Spanset, spans_of};
use super::steps::Steps;
use super::tree::Tree;
use super::{FoundSeries, compare, labels_text};

/// What a query looks at.
pub(super) struct Data<'d> {
    pub(super) trees: Vec<Tree<'d>>,
    pub(super) steps: &'d Steps,
    /// Whether spans count with their weights.
    pub(super) weighted: bool,
}

/// A span that counts.
#[derive(Clone, Copy)]
pub(super) struct Sample<'d> {
    pub(super) tree: &'d Tree<'d>,
    pub(super) span: usize,
    /// The position of the point of time that it counts for.
    pub(super) point: usize,
    pub(super) weight: f64,
}

/// Names and values.
pub(super) type Labels = Vec<(String, Constant)>;

/// The series of a query, without `__name__`.
pub(super) fn query(query: &MetricsQuery, data: &Data<'_>) -> Vec<FoundSeries> {
    let samples = samples(query, data);
    if let MetricsFunction::Compare {
        selection,
        top,
        window,
    } = &query.function
    {
        let points = data.steps.points().len();
        return compare::compare(selection, *top as usize, *window, &samples, points);
    }
    let mut groups: BTreeMap<String, (Labels, Vec<Sample<'_>>)> = BTreeMap::new();
    if query.by.is_empty() {
        groups.insert(labels_text(&[]), (Labels::new(), Vec::new()));
    }
    for sample in samples {
        let labels = labels(&query.by, sample);
        let group = groups.entry(labels_text(&labels));
        group.or_insert((labels, Vec::new())).1.push(sample);
    }
    let mut found = Vec::new();
    for (labels, samples) in groups.into_values() {
        found.extend(function(&query.function, &labels, &samples, data.steps));
    }
    found.retain(|series| series.points.iter().any(Option::is_some));
    found
}

fn samples<'d>(query: &MetricsQuery, data: &'d Data<'_>) -> Vec<Sample<'d>> {
    let mut samples = Vec::new();
    for tree in &data.trees {
        for span in spans_of(&query.input, &Spanset::whole(tree).spans, tree) {
            let Some(point) = data.steps.position(tree.spans[span].start) else {
                continue;
            };
            let weight = if data.weighted {
                tree.spans[span].weight()
            } else {
                1.0
            };
            samples.push(Sample {
                tree,
                span,
                point,
                weight,
            });
        }
    }
    samples
}

/// A label for each key that is not nil; the string `nil` for the first when all are.
fn labels(by: &[Column], sample: Sample<'_>) -> Labels {
    let mut labels: Labels = by
        .iter()
        .filter_map(|column| {
            let value = key(read(&column.field, sample.span, sample.tree))?;
            Some((column.label.clone(), value))
        })
        .collect();
    if let Some(first) = by.first().filter(|_| labels.is_empty()) {
        labels.push((first.label.clone(), Constant::Str("nil".into())));
    }
    labels
}

// === functions ===

fn function(
    function: &MetricsFunction,
    labels: &Labels,
    samples: &[Sample<'_>],
    steps: &Steps,
) -> Vec<FoundSeries> {
    let points = steps.points().len();
    let one = |points| vec![series(labels, None, points)];
    let of_values = |field: &Field, compute: &dyn Fn(&[Weighted]) -> f64| {
        let values = values(field, samples, points);
        one(values.iter().map(|values| over(values, compute)).collect())
    };
    match function {
        MetricsFunction::Rate => one(counts(samples, points)
            .into_iter()
            .map(|count| Some(count / steps.seconds()))
            .collect()),
        MetricsFunction::CountOverTime => {
            one(counts(samples, points).into_iter().map(Some).collect())
        }
        MetricsFunction::MinOverTime(field) => of_values(field, &|values| {
            values
                .iter()
                .map(|value| value.seconds)
                .fold(f64::INFINITY, f64::min)
        }),
        MetricsFunction::MaxOverTime(field) => of_values(field, &|values| {
            values
                .iter()
                .map(|value| value.seconds)
                .fold(f64::NEG_INFINITY, f64::max)
        }),
        MetricsFunction::AvgOverTime(field) => {
            of_values(field, &|values| sum(values) / total_weight(values))
        }
        MetricsFunction::SumOverTime(field) => of_values(field, &sum),
        MetricsFunction::QuantileOverTime { of, quantiles } => {
            let values = values(of, samples, points);
            quantiles
                .iter()
                .map(|q| {
                    let compute = |values: &[Weighted]| quantile(*q, values);
                    let points = values.iter().map(|values| over(values, &compute)).collect();
                    series(labels, Some(("p", *q)), points)
                })
                .collect()
        }
        MetricsFunction::HistogramOverTime(field) => {
            histogram(labels, &values(field, samples, points))
        }
        MetricsFunction::Compare { .. } => Vec::new(),
    }
}

fn series(labels: &Labels, more: Option<(&str, f64)>, points: Vec<Option<f64>>) -> FoundSeries {
    let mut labels = labels.clone();
    labels.extend(more.map(|(name, value)| (name.to_owned(), Constant::Float(value))));
    FoundSeries { labels, points }
}

/// The weight of the spans at each point.
pub(super) fn counts(samples: &[Sample<'_>], points: usize) -> Vec<f64> {
    let mut counts = vec![0.0; points];
    for sample in samples {
        counts[sample.point] += sample.weight;
    }
    counts
}

/// A value and how often it counts.
#[derive(Clone, Copy)]
struct Weighted {
    /// The number; of a duration, its seconds.
    seconds: f64,
    /// The end of its bucket.
    bucket: f64,
    weight: f64,
}

/// The values at each point.
fn values(field: &Field, samples: &[Sample<'_>], points: usize) -> Vec<Vec<Weighted>> {
    let mut values = vec![Vec::new(); points];
    for sample in samples {
        let Some(value) = read(field, sample.span, sample.tree) else {
            continue;
        };
        for number in numbers(value) {
            let (number, unit) = match number {
                Constant::Duration(duration) => (duration.0 as f64, 1e9),
                Constant::Int(int) => (int as f64, 1.0),
                Constant::Float(float) => (float, 1.0),
                _ => continue,
            };
            values[sample.point].push(Weighted {
                seconds: number / unit,
                bucket: bucket_end(number) / unit,
                weight: sample.weight,
            });
        }
    }
    values
}

/// What `compute` gives of values; none when there are none.
fn over(values: &[Weighted], compute: &dyn Fn(&[Weighted]) -> f64) -> Option<f64> {
    let result = (!values.is_empty()).then(|| compute(values));
    result.filter(|result| result.is_finite())
}

fn sum(values: &[Weighted]) -> f64 {
    values
        .iter()
        .map(|value| value.seconds * value.weight)
        .sum()
}

fn total_weight(values: &[Weighted]) -> f64 {
    values.iter().map(|value| value.weight).sum()
}

/// The least value that a share of `q` does not exceed.
fn quantile(q: f64, values: &[Weighted]) -> f64 {
    // 0.07 of a hundred values are seven, though the product of the doubles is a little more.
    const SLACK: f64 = 1e-9;
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let wanted = (q - SLACK) * total_weight(values);
    let mut seen = 0.0;
    for value in &sorted {
        seen += value.weight;
        if seen >= wanted {
            return value.seconds;
        }
    }
    sorted[sorted.len() - 1].seconds
}

fn histogram(labels: &Labels, values: &[Vec<Weighted>]) -> Vec<FoundSeries> {
    let mut ends: Vec<f64> = values.iter().flatten().map(|value| value.bucket).collect();
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    ends.into_iter()
        .map(|end| {
            let count = |values: &Vec<Weighted>| {
                let inside = values.iter().filter(|value| value.bucket == end);
                Some(inside.map(|value| value.weight).sum())
            };
            let points = values.iter().map(count).collect();
            series(labels, Some(("__bucket", end)), points)
        })
        .collect()
}

/// The end of the bucket of a value, which is the last value in it: the next power of two; for negative values the next
/// −2^n; 0 for 0.
fn bucket_end(value: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    // A double without its mantissa is the power of two towards zero.
    let towards_zero = f64::from_bits(value.to_bits() & !MANTISSA);
    if value <= 0.0 {
        // Adding takes the sign off zero.
        towards_zero + 0.0
    } else if towards_zero == value {
        value
    } else {
        (towards_zero * 2.0).clamp(f64::MIN_POSITIVE, f64::MAX)
    }
}
