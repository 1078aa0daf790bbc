//! Metrics functions and their arguments.

use super::Checker;
use crate::ast::{Argument, Literal, Metrics, MetricsFn, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::query::{Condition, Field, MetricsFunction};

/// How many values of an attribute `compare` lists at most, as in Tempo.
const MAX_COMPARE_TOP: i64 = 1000;
const DEFAULT_COMPARE_TOP: u32 = 10;

impl Checker<'_> {
    /// A call without its `by`.
    pub(super) fn function(&mut self, metrics: &Metrics) -> Option<MetricsFunction> {
        let arguments = &metrics.arguments[..];
        let function = metrics.function.kind;
        match function {
            MetricsFn::Rate | MetricsFn::CountOverTime => {
                self.no_more(&metrics.function, arguments)?;
                Some(if function == MetricsFn::Rate {
                    MetricsFunction::Rate
                } else {
                    MetricsFunction::CountOverTime
                })
            }
            MetricsFn::QuantileOverTime => {
                let of = self.field_argument(&metrics.function, arguments);
                let quantiles =
                    self.quantiles(&metrics.function, arguments.get(1..).unwrap_or(&[]));
                Some(MetricsFunction::QuantileOverTime {
                    of: of?,
                    quantiles: quantiles?,
                })
            }
            MetricsFn::Compare => self.compare_function(&metrics.function, arguments),
            _ => {
                let of = self.field_argument(&metrics.function, arguments);
                self.no_more(&metrics.function, arguments.get(1..).unwrap_or(&[]))?;
                let of = of?;
                Some(match function {
                    MetricsFn::MinOverTime => MetricsFunction::MinOverTime(of),
                    MetricsFn::MaxOverTime => MetricsFunction::MaxOverTime(of),
                    MetricsFn::AvgOverTime => MetricsFunction::AvgOverTime(of),
                    MetricsFn::SumOverTime => MetricsFunction::SumOverTime(of),
                    _ => MetricsFunction::HistogramOverTime(of),
                })
            }
        }
    }

    fn no_more(&mut self, function: &Node<MetricsFn>, rest: &[Node<Argument>]) -> Option<()> {
        let Some(first) = rest.first() else {
            return Some(());
        };
        if first.kind != Argument::Error {
            let name = function.kind.as_str();
            let diagnostic = Diagnostic::error(
                Code::BadArgument,
                first.range,
                format!("`{name}` takes no such argument"),
            );
            self.report(match function.kind {
                MetricsFn::Rate | MetricsFn::CountOverTime => diagnostic.hint(format!(
                    "write `{name}()`; grouping comes behind it: `{name}() by (…)`"
                )),
                _ => diagnostic.hint(format!(
                    "it takes one attribute or intrinsic: `{name}(duration)`"
                )),
            });
        }
        None
    }

    /// The first argument: a field whose values are numbers.
    fn field_argument(
        &mut self,
        function: &Node<MetricsFn>,
        arguments: &[Node<Argument>],
    ) -> Option<Field> {
        let name = function.kind.as_str();
        let wanted = |range, message: String| {
            Diagnostic::error(Code::BadArgument, range, message)
                .hint(format!("for example `{name}(duration)`"))
        };
        let Some(first) = arguments.first() else {
            let message = format!("`{name}` needs an attribute or an intrinsic to work on");
            self.report(wanted(function.range, message));
            return None;
        };
        match &first.kind {
            Argument::Name(field) => {
                let column = self.column(&Node::new(field.clone(), first.range))?;
                let kind = column.field.value_type();
                if !super::is_number(kind) {
                    self.error(
                        Code::NotNumber,
                        first.range,
                        format!(
                            "`{name}` needs numbers, and `{}` is {}",
                            column.label,
                            kind.describe()
                        ),
                    );
                    return None;
                }
                Some(column.field)
            }
            Argument::Error => None,
            _ => {
                let message = format!("`{name}` needs an attribute or an intrinsic first");
                self.report(wanted(first.range, message));
                None
            }
        }
    }

    fn quantiles(
        &mut self,
        function: &Node<MetricsFn>,
        arguments: &[Node<Argument>],
    ) -> Option<Vec<f64>> {
        if arguments.is_empty() {
            self.report(
                Diagnostic::error(Code::BadArgument, function.range, "which quantiles?")
                    .hint("name one or more behind the attribute: `quantile_over_time(duration, 0.5, 0.99)`"),
            );
            return None;
        }
        let quantiles: Vec<_> = arguments
            .iter()
            .map(|argument| {
                let value = match &argument.kind {
                    Argument::Literal(Literal::Float(value)) => Some(*value),
                    Argument::Literal(Literal::Int(value)) => Some(*value as f64),
                    Argument::Error => return None,
                    _ => None,
                };
                let value = value.filter(|value| (0.0..=1.0).contains(value));
                if value.is_none() {
                    self.report(
                        Diagnostic::error(
                            Code::BadArgument,
                            argument.range,
                            "a quantile is a number from 0 to 1",
                        )
                        .hint("the 99th percentile is `0.99`"),
                    );
                }
                value
            })
            .collect();
        quantiles.into_iter().collect()
    }

    fn compare_function(
        &mut self,
        function: &Node<MetricsFn>,
        arguments: &[Node<Argument>],
    ) -> Option<MetricsFunction> {
        let example =
            "for example `compare({ status = error })`, or `compare({ status = error }, 20)`";
        let selection = match arguments.first().map(|first| &first.kind) {
            Some(Argument::Filter(Some(filter))) => self.condition(filter),
            Some(Argument::Filter(None)) => Some(Condition::Const(true)),
            Some(Argument::Error) => None,
            _ => {
                let range = arguments
                    .first()
                    .map_or(function.range, |first| first.range);
                self.report(
                    Diagnostic::error(
                        Code::BadArgument,
                        range,
                        "`compare` needs a filter for what is selected",
                    )
                    .hint(example),
                );
                None
            }
        };
        let top = match arguments.get(1) {
            None => Some(DEFAULT_COMPARE_TOP),
            Some(argument) => self
                .whole_argument(argument, 1, MAX_COMPARE_TOP)
                .and_then(|top| u32::try_from(top).ok()),
        };
        let window = match (arguments.get(2), arguments.get(3)) {
            (None, _) => Some(None),
            (Some(start), Some(end)) => {
                let start = self.whole_argument(start, 0, i64::MAX);
                let end = self.whole_argument(end, 0, i64::MAX);
                start.zip(end).map(Some)
            }
            (Some(start), None) => {
                self.report(
                    Diagnostic::error(Code::BadArgument, start.range, "a start needs an end")
                        .hint("`compare({ … }, 10, start, end)`, both in nanoseconds since 1970"),
                );
                None
            }
        };
        if let Some(extra) = arguments.get(4) {
            self.error(
                Code::BadArgument,
                extra.range,
                "`compare` takes four arguments at most",
            );
            return None;
        }
        Some(MetricsFunction::Compare {
            selection: selection?,
            top: top?,
            window: window?,
        })
    }

    fn whole_argument(&mut self, argument: &Node<Argument>, low: i64, high: i64) -> Option<i64> {
        match &argument.kind {
            Argument::Literal(Literal::Int(value)) if (low..=high).contains(value) => Some(*value),
            Argument::Error => None,
            _ => {
                let range = if high == i64::MAX {
                    format!("a whole number from {low}")
                } else {
                    format!("a whole number from {low} to {high}")
                };
                self.error(
                    Code::BadArgument,
                    argument.range,
                    format!("expected {range}"),
                );
                None
            }
        }
    }
}
