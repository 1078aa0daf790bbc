//! The syntax tree: what a text says, before anyone asks whether it makes sense.
//!
//! Every node knows its bytes in the text ([`Node`]). Parentheses that change nothing are not in the tree; the printer
//! puts them back where they are needed. A text that does not parse still gives a tree, with `Error` nodes where the
//! parser found nothing it could use.
//!
//! One grammar serves spansets, scalars and metrics, since `(` does not tell which of them follows:
//!
//! ```text
//! query    = pipeline { "with" "(" hints ")" }
//! pipeline = stage { "|" stage | threshold }
//! stage    = expr | by | coalesce | select | metrics function | topk | bottomk
//! expr     = "{" [ filter ] "}" | "(" pipeline ")" | aggregate | literal | "-" expr | expr operator expr
//! ```
//!
//! The checker sorts out which expressions are spansets, which are numbers and which are series.

use std::sync::Arc;

use model::{DurationNanos, SpanKind, StatusCode};

use crate::field::{Field, Intrinsic, Owner, Scope};
pub use crate::range::Node;

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub struct Ast {
    /// What is asked.
    pub pipeline: Pipeline,
    /// What stands in `with(…)`.
    pub hints: Vec<Hint>,
}

/// Stages, the output of each being the input of the next. Never empty.
pub type Pipeline = Node<Vec<Stage>>;

/// One stage of a pipeline.
pub type Stage = Node<StageKind>;

/// What a stage does.
#[derive(Debug, Clone, PartialEq)]
pub enum StageKind {
    /// A spanset expression, a scalar filter, or arithmetic on metrics.
    Expr(Expr),
    /// `by(expression)`
    By(FilterExpr),
    /// `coalesce()`
    Coalesce,
    /// `select(a, b, …)`
    Select(Vec<Node<Name>>),
    /// `rate() by (…)` and its kin.
    Metrics(Metrics),
    /// `topk(n)`
    TopK(u64),
    /// `bottomk(n)`
    BottomK(u64),
    /// `> 10` after metrics, without a pipe before it.
    Threshold {
        /// Keeps the points for which *point `op` value* holds.
        op: BinaryOp,
        /// The value compared with.
        value: Expr,
    },
    /// Nothing that can be used.
    Error,
}

/// An expression outside of braces.
pub type Expr = Node<ExprKind>;

/// What an expression outside of braces is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `{ … }`, or `{ }` for every span.
    Filter(Option<Box<FilterExpr>>),
    /// `( … )` around more than one plain expression, or around a scalar filter.
    Pipeline(Pipeline),
    /// `count()`, `avg(e)` and so on.
    Aggregate {
        /// Which.
        function: AggregateFn,
        /// Its argument; `count` has none.
        of: Option<Box<FilterExpr>>,
    },
    /// A constant.
    Literal(Literal),
    /// `-e`; of a number that is a literal, the sign is part of the literal.
    Negate(Box<Expr>),
    /// Two operands.
    Binary {
        /// Never `&&` or `||`.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// A chain of `&&` or of `||`, at least two operands; the first is no chain of the same operator.
    Logic {
        /// Which.
        op: LogicOp,
        /// The operands.
        operands: Vec<Expr>,
    },
    /// Nothing that can be used.
    Error,
}

/// An expression inside of braces, `by` or an aggregate.
pub type FilterExpr = Node<FilterKind>;

/// What an expression inside of braces is.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterKind {
    /// A constant.
    Literal(Literal),
    /// An intrinsic or an attribute.
    Name(Name),
    /// `!e`
    Not(Box<FilterExpr>),
    /// `-e`; of a number that is a literal, the sign is part of the literal.
    Negate(Box<FilterExpr>),
    /// Two operands.
    Binary {
        /// Comparison, regex or arithmetic; never `&&`, `||` or a structural operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<FilterExpr>,
        /// Right operand.
        right: Box<FilterExpr>,
    },
    /// A chain of `&&` or of `||`, at least two operands; the first is no chain of the same operator.
    Logic {
        /// Which.
        op: LogicOp,
        /// The operands.
        operands: Vec<FilterExpr>,
    },
    /// Nothing that can be used.
    Error,
}

/// A constant as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A string, escapes resolved.
    Str(Arc<str>),
    /// An integer, `minInt` and `maxInt` among them.
    Int(i64),
    /// A finite double.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `nil`
    Nil,
    /// A duration.
    Duration(DurationNanos),
    /// `ok`, `error` or `unset`.
    Status(StatusCode),
    /// `server`, `client` and so on.
    Kind(SpanKind),
}

impl Literal {
    /// The number with its sign changed; `None` when it is no number or the result does not fit.
    pub fn negated(&self) -> Option<Self> {
        match self {
            Self::Int(int) => int.checked_neg().map(Self::Int),
            Self::Float(float) => Some(Self::Float(-float)),
            Self::Duration(duration) => duration
                .0
                .checked_neg()
                .map(|nanos| Self::Duration(DurationNanos(nanos))),
            _ => None,
        }
    }
}

/// The name of a field as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// An intrinsic.
    Intrinsic {
        /// The span's own or its parent's.
        owner: Owner,
        /// Which.
        intrinsic: Intrinsic,
        /// Whether it was spelled `span:name` rather than `name`; always as the only spelling says, where there is one.
        scoped: bool,
    },
    /// An attribute.
    Attribute {
        /// The span's own or its parent's.
        owner: Owner,
        /// The scope.
        scope: Scope,
        /// The key, unquoted; empty only after a mistake.
        name: Arc<str>,
    },
    /// The bare word `parent`.
    Parent,
}

impl Name {
    /// The field that is read; `None` for the bare word `parent`, which is no value.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::Intrinsic {
                owner, intrinsic, ..
            } => Some(Field::Intrinsic {
                owner: *owner,
                intrinsic: *intrinsic,
            }),
            Self::Attribute { owner, scope, name } => Some(Field::Attribute {
                owner: *owner,
                scope: *scope,
                name: Arc::clone(name),
            }),
            Self::Parent => None,
        }
    }
}

impl From<Field> for Name {
    fn from(field: Field) -> Self {
        match field {
            Field::Intrinsic { owner, intrinsic } => Self::Intrinsic {
                owner,
                intrinsic,
                scoped: intrinsic.unscoped().is_none(),
            },
            Field::Attribute { owner, scope, name } => Self::Attribute { owner, scope, name },
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As it is written in a query.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one that is written so.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// `&&` or `||`. They bind equally, from left to right: `true || true && false` is false.
    LogicOp {
        /// `&&`
        And = "&&",
        /// `||`
        Or = "||",
    }
}

words! {
    /// An operator between two operands. `>` and `<` compare numbers and relate spansets; the checker knows which.
    BinaryOp {
        /// `=`
        Eq = "=",
        /// `!=`
        Ne = "!=",
        /// `<`: less, or parent.
        Lt = "<",
        /// `<=`
        Le = "<=",
        /// `>`: greater, or child.
        Gt = ">",
        /// `>=`
        Ge = ">=",
        /// `=~`
        Match = "=~",
        /// `!~`: does not match, or no sibling.
        NotMatch = "!~",
        /// `+`
        Add = "+",
        /// `-`
        Sub = "-",
        /// `*`
        Mul = "*",
        /// `/`
        Div = "/",
        /// `%`
        Mod = "%",
        /// `^`
        Pow = "^",
        /// `>>`
        Descendant = ">>",
        /// `<<`
        Ancestor = "<<",
        /// `~`
        Sibling = "~",
        /// `!>`
        NotChild = "!>",
        /// `!>>`
        NotDescendant = "!>>",
        /// `!<`
        NotParent = "!<",
        /// `!<<`
        NotAncestor = "!<<",
        /// `&>`
        UnionChild = "&>",
        /// `&>>`
        UnionDescendant = "&>>",
        /// `&<`
        UnionParent = "&<",
        /// `&<<`
        UnionAncestor = "&<<",
        /// `&~`
        UnionSibling = "&~",
    }
}

impl BinaryOp {
    /// Whether it is one of `= != < <= > >=`.
    pub const fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge
        )
    }

    /// Whether it is one of `+ - * / % ^`.
    pub const fn is_arithmetic(self) -> bool {
        matches!(
            self,
            Self::Add | Self::Sub | Self::Mul | Self::Div | Self::Mod | Self::Pow
        )
    }

    /// Whether it can stand inside of braces: comparison, regex or arithmetic.
    pub const fn is_of_filters(self) -> bool {
        self.is_comparison() || self.is_arithmetic() || matches!(self, Self::Match | Self::NotMatch)
    }
}

words! {
    /// What a pipeline can compute over a spanset.
    AggregateFn {
        /// How many spans.
        Count = "count",
        /// Mean.
        Avg = "avg",
        /// Least.
        Min = "min",
        /// Greatest.
        Max = "max",
        /// Sum.
        Sum = "sum",
    }
}

words! {
    /// What turns spans into series.
    MetricsFn {
        /// Spans per second.
        Rate = "rate",
        /// Spans.
        CountOverTime = "count_over_time",
        /// Least value.
        MinOverTime = "min_over_time",
        /// Greatest value.
        MaxOverTime = "max_over_time",
        /// Mean of values.
        AvgOverTime = "avg_over_time",
        /// Sum of values.
        SumOverTime = "sum_over_time",
        /// Quantiles of values.
        QuantileOverTime = "quantile_over_time",
        /// Histogram of values.
        HistogramOverTime = "histogram_over_time",
        /// What is different about a selection.
        Compare = "compare",
    }
}

/// A call of a metrics function.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Which.
    pub function: Node<MetricsFn>,
    /// What stands in its parentheses.
    pub arguments: Vec<Node<Argument>>,
    /// What stands in `by (…)`.
    pub by: Vec<Node<Name>>,
}

/// An argument of a metrics function.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A field.
    Name(Name),
    /// A constant.
    Literal(Literal),
    /// A spanset filter, for `compare`.
    Filter(Option<Box<FilterExpr>>),
    /// Nothing that can be used.
    Error,
}

/// One `name=value` of `with(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// The name.
    pub name: Node<Arc<str>>,
    /// The value.
    pub value: Node<Literal>,
}
