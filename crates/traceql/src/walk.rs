//! Questions about a checked query that every engine asks: which fields it reads, what its series are called.

use crate::query::{
    Aggregate, ArithOp, Body, CompareOp, Condition, Constant, Field, MathOp, MetricsFunction,
    MetricsQuery, Pipeline, Query, Scalar, Series, Spansets, Stage, Type, Value,
};

impl Query {
    /// Every field that it reads, once each, in the order of first use. Costs the size of the query.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        let mut add = |field: &Field| {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        };
        match &self.body {
            Body::Search(pipeline) => pipeline.visit_fields(&mut add),
            Body::Metrics(series) => series.visit_fields(&mut add),
        }
        fields
    }

    /// The condition, when the whole query is one spanset filter.
    pub fn as_filter(&self) -> Option<&Condition> {
        match &self.body {
            Body::Search(pipeline) => pipeline.as_filter(),
            Body::Metrics(_) => None,
        }
    }
}

impl Pipeline {
    /// The condition, when the only stage is one spanset filter.
    pub fn as_filter(&self) -> Option<&Condition> {
        match &self.stages[..] {
            [Stage::Spansets(Spansets::Filter(condition))] => Some(condition),
            _ => None,
        }
    }

    /// Whether what it gives is split by `by`.
    pub fn is_grouped(&self) -> bool {
        self.stages
            .iter()
            .fold(false, |grouped, stage| match stage {
                Stage::By(_) => true,
                Stage::Coalesce => false,
                _ => grouped,
            })
    }

    /// Calls `visit` for every field that is read, in order, repeatedly if it is read repeatedly.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        for stage in &self.stages {
            match stage {
                Stage::Spansets(spansets) => spansets.visit_fields(visit),
                Stage::Keep(filter) => {
                    filter.left.visit_fields(visit);
                    filter.right.visit_fields(visit);
                }
                Stage::By(key) => key.value.visit_fields(visit),
                Stage::Coalesce => {}
                Stage::Select(columns) => columns.iter().for_each(|column| visit(&column.field)),
            }
        }
    }
}

impl Spansets {
    /// Calls `visit` for every field that is read.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        match self {
            Self::Filter(condition) => condition.visit_fields(visit),
            Self::And(operands) | Self::Or(operands) => {
                for operand in operands {
                    operand.visit_fields(visit);
                }
            }
            Self::Related { left, right, .. } => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
            Self::Pipeline(pipeline) => pipeline.visit_fields(visit),
        }
    }
}

impl Scalar {
    /// Calls `visit` for every field that is read.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        match self {
            Self::Constant(_) | Self::Aggregate(Aggregate::Count, _) => {}
            Self::Aggregate(
                Aggregate::Avg(value)
                | Aggregate::Min(value)
                | Aggregate::Max(value)
                | Aggregate::Sum(value),
                _,
            ) => value.visit_fields(visit),
            Self::Over { pipeline, scalar } => {
                pipeline.visit_fields(visit);
                scalar.visit_fields(visit);
            }
            Self::Negate(inner) => inner.visit_fields(visit),
            Self::Arith { left, right, .. } => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
        }
    }
}

impl Condition {
    /// Calls `visit` for every field that is read.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        match self {
            Self::Const(_) => {}
            Self::IsTrue(value) | Self::Matches { value, .. } | Self::IsNil { value, .. } => {
                value.visit_fields(visit);
            }
            Self::Not(inner) => inner.visit_fields(visit),
            Self::And(operands) | Self::Or(operands) => {
                for operand in operands {
                    operand.visit_fields(visit);
                }
            }
            Self::Compare { left, right, .. } => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
        }
    }
}

impl Value {
    /// Calls `visit` for every field that is read.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        match self {
            Self::Constant(_) => {}
            Self::Field(field) => visit(field),
            Self::Negate(inner) => inner.visit_fields(visit),
            Self::Arith { left, right, .. } => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
            Self::Condition(condition) => condition.visit_fields(visit),
        }
    }

    /// Whether it depends on the span at all.
    pub fn reads_span(&self) -> bool {
        let mut reads = false;
        self.visit_fields(&mut |_| reads = true);
        reads
    }
}

impl Constant {
    /// The type.
    pub const fn value_type(&self) -> Type {
        match self {
            Self::Str(_) => Type::Str,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Bool(_) => Type::Bool,
            Self::Duration(_) => Type::Duration,
            Self::Status(_) => Type::Status,
            Self::Kind(_) => Type::Kind,
        }
    }
}

impl CompareOp {
    /// The operator for the operands the other way round.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Eq | Self::Ne => self,
        }
    }

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

impl ArithOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
        }
    }
}

impl MathOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
        }
    }
}

impl MetricsFunction {
    /// As it is written, and the `__name__` of series without grouping.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::CountOverTime => "count_over_time",
            Self::MinOverTime(_) => "min_over_time",
            Self::MaxOverTime(_) => "max_over_time",
            Self::AvgOverTime(_) => "avg_over_time",
            Self::SumOverTime(_) => "sum_over_time",
            Self::QuantileOverTime { .. } => "quantile_over_time",
            Self::HistogramOverTime(_) => "histogram_over_time",
            Self::Compare { .. } => "compare",
        }
    }

    /// The field whose values are computed with.
    pub const fn field(&self) -> Option<&Field> {
        match self {
            Self::Rate | Self::CountOverTime | Self::Compare { .. } => None,
            Self::MinOverTime(field)
            | Self::MaxOverTime(field)
            | Self::AvgOverTime(field)
            | Self::SumOverTime(field)
            | Self::HistogramOverTime(field)
            | Self::QuantileOverTime { of: field, .. } => Some(field),
        }
    }
}

impl Series {
    /// The `__name__` of the series: `rate`, `(count_over_time / count_over_time)`.
    pub fn name(&self) -> String {
        match self {
            Self::Query(query) => query.function.name().to_owned(),
            Self::Constant(value) => value.to_string(),
            Self::Math { op, left, right } => {
                format!("({} {} {})", left.name(), op.as_str(), right.name())
            }
            Self::Then { input, .. } => input.name(),
        }
    }

    /// The queries for spans, from left to right.
    pub fn queries(&self) -> Vec<&MetricsQuery> {
        match self {
            Self::Query(query) => vec![query],
            Self::Constant(_) => Vec::new(),
            Self::Math { left, right, .. } => {
                let mut queries = left.queries();
                queries.extend(right.queries());
                queries
            }
            Self::Then { input, .. } => input.queries(),
        }
    }

    /// Calls `visit` for every field that is read.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Field)) {
        for query in self.queries() {
            query.input.visit_fields(visit);
            if let Some(field) = query.function.field() {
                visit(field);
            }
            if let MetricsFunction::Compare { selection, .. } = &query.function {
                selection.visit_fields(visit);
            }
            for column in &query.by {
                visit(&column.field);
            }
        }
    }
}
