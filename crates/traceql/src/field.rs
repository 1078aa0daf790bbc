//! What a query can read of a span: intrinsics and attributes, their scopes, their types and their spellings.

use std::fmt;
use std::sync::Arc;

/// The type of a value, as far as the text of a query tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// A string. Ids are strings of lower-case hex digits in full width.
    Str,
    /// A 64-bit integer.
    Int,
    /// A double.
    Float,
    /// A duration in nanoseconds.
    Duration,
    /// A boolean.
    Bool,
    /// The status of a span.
    Status,
    /// The kind of a span.
    Kind,
    /// `nil`: no value.
    Nil,
    /// Known only when a span is looked at: attributes, and arithmetic on them.
    Any,
}

impl Type {
    /// Whether it is an integer, a double or a duration.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Duration)
    }

    /// The type in words, with its article.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Str => "a string",
            Self::Int => "an integer",
            Self::Float => "a number",
            Self::Duration => "a duration",
            Self::Bool => "a boolean",
            Self::Status => "a status",
            Self::Kind => "a span kind",
            Self::Nil => "nil",
            Self::Any => "an attribute",
        }
    }
}

/// Whose value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Owner {
    /// The span itself.
    #[default]
    Span,
    /// The span's parent, where the parent is in the trace; else every value is nil. Spelled `parent.`.
    Parent,
}

/// Where an attribute is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scope {
    /// Unscoped, `.x`: span, resource, event, link, instrumentation, in this order; the first that has a value wins.
    #[default]
    Any,
    /// `span.x`
    Span,
    /// `resource.x`
    Resource,
    /// `event.x`: a span has as many values as it has events with that key; see [`Condition`](crate::query::Condition).
    Event,
    /// `link.x`: as with events.
    Link,
    /// `instrumentation.x`: attributes of the instrumentation scope.
    Instrumentation,
}

impl Scope {
    /// The scopes with a word, in the order of an unscoped look-up.
    pub const NAMED: [Self; 5] = [
        Self::Span,
        Self::Resource,
        Self::Event,
        Self::Link,
        Self::Instrumentation,
    ];

    /// The word before the dot; empty for [`Scope::Any`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "",
            Self::Span => "span",
            Self::Resource => "resource",
            Self::Event => "event",
            Self::Link => "link",
            Self::Instrumentation => "instrumentation",
        }
    }

    /// The scope of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::NAMED.into_iter().find(|scope| scope.word() == word)
    }
}

macro_rules! intrinsics {
    ($($(#[$doc:meta])* $variant:ident: $scoped:expr, $unscoped:expr, $type:ident;)*) => {
        /// What every span has by itself, without attributes.
        ///
        /// The comment of each gives its spellings and its type.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Intrinsic {
            $($(#[$doc])* $variant,)*
        }

        impl Intrinsic {
            /// All of them, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The spelling with a scope, such as `span:name`.
            pub const fn scoped(self) -> Option<&'static str> {
                match self { $(Self::$variant => $scoped,)* }
            }

            /// The spelling without a scope, such as `name`. Old; new intrinsics have none.
            pub const fn unscoped(self) -> Option<&'static str> {
                match self { $(Self::$variant => $unscoped,)* }
            }

            /// The type of its values.
            pub const fn value_type(self) -> Type {
                match self { $(Self::$variant => Type::$type,)* }
            }
        }
    };
}

intrinsics! {
    /// `span:name`, `name`: string.
    Name: Some("span:name"), Some("name"), Str;
    /// `span:status`, `status`.
    Status: Some("span:status"), Some("status"), Status;
    /// `span:statusMessage`, `statusMessage`: string; empty when there is none.
    StatusMessage: Some("span:statusMessage"), Some("statusMessage"), Str;
    /// `span:duration`, `duration`: end minus start.
    Duration: Some("span:duration"), Some("duration"), Duration;
    /// `span:kind`, `kind`.
    Kind: Some("span:kind"), Some("kind"), Kind;
    /// `span:id`: 16 lower-case hex digits.
    SpanId: Some("span:id"), None, Str;
    /// `span:parentID`: 16 lower-case hex digits; nil for a root.
    ParentId: Some("span:parentID"), None, Str;
    /// `span:childCount`: how many spans of the trace name this one as their parent.
    ChildCount: Some("span:childCount"), None, Int;
    /// `trace:id`: 32 lower-case hex digits.
    TraceId: Some("trace:id"), None, Str;
    /// `trace:duration`, `traceDuration`: latest end minus earliest start of the whole trace.
    TraceDuration: Some("trace:duration"), Some("traceDuration"), Duration;
    /// `trace:rootName`, `rootName`: the name of the root span; nil while there is none.
    RootName: Some("trace:rootName"), Some("rootName"), Str;
    /// `trace:rootService`, `rootServiceName`: the service of the root span; nil while there is none.
    RootService: Some("trace:rootService"), Some("rootServiceName"), Str;
    /// `event:name`: one value for each event of the span.
    EventName: Some("event:name"), None, Str;
    /// `event:timeSinceStart`: time of the event minus start of its span; one value for each event.
    EventTimeSinceStart: Some("event:timeSinceStart"), None, Duration;
    /// `link:traceID`: 32 lower-case hex digits; one value for each link.
    LinkTraceId: Some("link:traceID"), None, Str;
    /// `link:spanID`: 16 lower-case hex digits; one value for each link.
    LinkSpanId: Some("link:spanID"), None, Str;
    /// `instrumentation:name`: name of the instrumentation scope; empty when there is none, never nil.
    InstrumentationName: Some("instrumentation:name"), None, Str;
    /// `instrumentation:version`: version of the instrumentation scope; empty when there is none, never nil.
    InstrumentationVersion: Some("instrumentation:version"), None, Str;
    /// `nestedSetLeft`: the number given to the span when entered in pre-order, from 1.
    NestedSetLeft: None, Some("nestedSetLeft"), Int;
    /// `nestedSetRight`: the number given to the span when left, after its descendants; greater than their numbers.
    NestedSetRight: None, Some("nestedSetRight"), Int;
    /// `nestedSetParent`: the parent's `nestedSetLeft`; −1 for a root. Grafana asks `nestedSetParent<0` for root spans.
    NestedSetParent: None, Some("nestedSetParent"), Int;
}

impl Intrinsic {
    /// The intrinsic of a spelling, with a scope or without.
    pub fn from_spelling(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|intrinsic| {
            intrinsic.scoped() == Some(text) || intrinsic.unscoped() == Some(text)
        })
    }

    /// The spelling asked for, or the other one where there is no such spelling.
    pub fn spelling(self, scoped: bool) -> &'static str {
        let (first, second) = if scoped {
            (self.scoped(), self.unscoped())
        } else {
            (self.unscoped(), self.scoped())
        };
        first.or(second).unwrap_or_default()
    }

    /// The digits of its ids in full width; `None` when its values are no ids.
    pub const fn id_digits(self) -> Option<usize> {
        match self {
            Self::TraceId | Self::LinkTraceId => Some(32),
            Self::SpanId | Self::ParentId | Self::LinkSpanId => Some(16),
            _ => None,
        }
    }

    /// Whether every span of one trace has the same value.
    pub const fn is_of_trace(self) -> bool {
        matches!(
            self,
            Self::TraceId | Self::TraceDuration | Self::RootName | Self::RootService
        )
    }

    /// Whether a span can have several values, one for each event or link.
    pub const fn is_repeated(self) -> bool {
        matches!(
            self,
            Self::EventName | Self::EventTimeSinceStart | Self::LinkTraceId | Self::LinkSpanId
        )
    }

    /// Whether it can be asked of the parent, as in `parent.duration` or `parent.span:id`.
    pub const fn is_of_span(self) -> bool {
        matches!(
            self,
            Self::Name
                | Self::Status
                | Self::StatusMessage
                | Self::Duration
                | Self::Kind
                | Self::SpanId
                | Self::ParentId
                | Self::ChildCount
                | Self::NestedSetLeft
                | Self::NestedSetRight
                | Self::NestedSetParent
        )
    }
}

/// A leaf of a checked query: one thing that is read of a span.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Something that every span has.
    Intrinsic {
        /// Whose.
        owner: Owner,
        /// Which.
        intrinsic: Intrinsic,
    },
    /// An attribute. Its value may be missing, of any type, or an array.
    Attribute {
        /// Whose.
        owner: Owner,
        /// Where it is looked up.
        scope: Scope,
        /// The key as OpenTelemetry knows it, without scope and quotes; never empty.
        name: Arc<str>,
    },
}

impl Field {
    /// The span's own intrinsic.
    pub const fn intrinsic(intrinsic: Intrinsic) -> Self {
        Self::Intrinsic {
            owner: Owner::Span,
            intrinsic,
        }
    }

    /// The span's own attribute.
    pub fn attribute(scope: Scope, name: impl Into<Arc<str>>) -> Self {
        Self::Attribute {
            owner: Owner::Span,
            scope,
            name: name.into(),
        }
    }

    /// Whose value is read.
    pub const fn owner(&self) -> Owner {
        match self {
            Self::Intrinsic { owner, .. } | Self::Attribute { owner, .. } => *owner,
        }
    }

    /// The type of its values: [`Type::Any`] for attributes.
    pub const fn value_type(&self) -> Type {
        match self {
            Self::Intrinsic { intrinsic, .. } => intrinsic.value_type(),
            Self::Attribute { .. } => Type::Any,
        }
    }

    /// Whether this is the service of the span's resource, which every span has.
    pub fn is_service_name(&self) -> bool {
        matches!(
            self,
            Self::Attribute { owner: Owner::Span, scope: Scope::Resource, name }
                if &**name == model::SERVICE_NAME
        )
    }
}

/// Writes the field as a query spells it, intrinsics without a scope where they have such a spelling.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::ast::Name::from(self.clone()).fmt(f)
    }
}
