//! The columns of a block's files.
//!
//! ```text
//! spans.parquet        a row per span; rows of a trace together, traces by id, spans of a trace in pre-order
//!   trace_id                bytes(16)
//!   span_id                 bytes(8)      uncompressed: random
//!   parent                  int           rows back to the parent; 0: not among the rows of this trace
//!   parent_span_id          bytes(8)?     only where `parent` is 0 and the span has a parent
//!   subtree                 int           descendants: they are the next `subtree` rows
//!   start                   timestamp     ns, UTC
//!   duration                long          ns; negative where recorded so
//!   service, name           string        service repeats the resource's, for pruning
//!   kind, status            string        `server`, `error`
//!   status_message          string?
//!   resource                int           row of resources.parquet
//!   trace_state             string?
//!   flags                   int
//!   dropped_attributes, dropped_events, dropped_links   int
//!   events                  list of { time, name, dropped_attributes, attributes }
//!   links                   list of { trace_id, span_id, trace_state, flags, dropped_attributes, attributes }
//!   attributes              the attributes without a column of their own
//!   attr.<key>              string?, long?, double? or boolean?: one column per frequent key and type
//!
//! traces.parquet       a row per trace, by id
//!   trace_id, start, end, root_service?, root_name?, spans, errors, services: list of { name, spans, errors },
//!   row: first row in spans.parquet, partial, reason: why it was kept, weight: how many traces it stands for,
//!   columns: bytes, in which columns of spans.parquet it has values (version 2): see `mask.rs`
//!
//! resources.parquet    a row per distinct resource and scope
//!   service, attributes, dropped_attributes, schema_url,
//!   scope_name, scope_version, scope_attributes, scope_dropped_attributes, scope_schema_url
//! ```
//!
//! A list of attributes is a map from key to { type, value }: `value` is the text of a string, the digits of a number,
//! `true` or `false`, or for other types the canonical text of [`model::Value`]. A key may occur twice, as in OTLP. The
//! order of attributes is not kept, nor does OTLP give it a meaning: those with a column of their own come last.
//!
//! Times are nanoseconds, which not every client language has: in DuckDB `epoch_ns(start)` is a plain number.

use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};

use crate::{AttributeColumn, AttributeType};

pub(crate) type Field = Result<TypePtr, ParquetError>;

fn primitive(
    name: &str,
    physical: PhysicalType,
    repetition: Repetition,
    logical: Option<LogicalType>,
) -> Field {
    let field = Type::primitive_type_builder(name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical);
    Ok(Arc::new(field.build()?))
}

fn required(optional: bool) -> Repetition {
    if optional {
        Repetition::OPTIONAL
    } else {
        Repetition::REQUIRED
    }
}

pub(crate) fn text(name: &str, optional: bool) -> Field {
    primitive(
        name,
        PhysicalType::BYTE_ARRAY,
        required(optional),
        Some(LogicalType::String),
    )
}

pub(crate) fn int(name: &str) -> Field {
    primitive(name, PhysicalType::INT32, Repetition::REQUIRED, None)
}

pub(crate) fn long(name: &str, optional: bool) -> Field {
    primitive(name, PhysicalType::INT64, required(optional), None)
}

pub(crate) fn boolean(name: &str, optional: bool) -> Field {
    primitive(name, PhysicalType::BOOLEAN, required(optional), None)
}

pub(crate) fn double(name: &str, optional: bool) -> Field {
    primitive(name, PhysicalType::DOUBLE, required(optional), None)
}

pub(crate) fn timestamp(name: &str) -> Field {
    let logical = LogicalType::timestamp(true, TimeUnit::NANOS);
    primitive(
        name,
        PhysicalType::INT64,
        Repetition::REQUIRED,
        Some(logical),
    )
}

pub(crate) fn bytes(name: &str, len: i32, optional: bool) -> Field {
    let field = Type::primitive_type_builder(name, PhysicalType::FIXED_LEN_BYTE_ARRAY)
        .with_length(len)
        .with_repetition(required(optional));
    Ok(Arc::new(field.build()?))
}

fn group(
    name: &str,
    repetition: Repetition,
    annotation: Option<LogicalType>,
    fields: Vec<TypePtr>,
) -> Field {
    let converted = match annotation {
        Some(LogicalType::List) => ConvertedType::LIST,
        Some(LogicalType::Map) => ConvertedType::MAP,
        _ => ConvertedType::NONE,
    };
    let group = Type::group_type_builder(name)
        .with_repetition(repetition)
        .with_logical_type(annotation)
        .with_converted_type(converted)
        .with_fields(fields);
    Ok(Arc::new(group.build()?))
}

pub(crate) fn list(name: &str, fields: Vec<TypePtr>) -> Field {
    let element = group("element", Repetition::REQUIRED, None, fields)?;
    let repeated = group("list", Repetition::REPEATED, None, vec![element])?;
    group(
        name,
        Repetition::REQUIRED,
        Some(LogicalType::List),
        vec![repeated],
    )
}

/// Three leaves: key, type, value.
pub(crate) fn attributes(name: &str) -> Field {
    let value = group(
        "value",
        Repetition::REQUIRED,
        None,
        vec![text("type", false)?, text("value", false)?],
    )?;
    let entry = group(
        "key_value",
        Repetition::REPEATED,
        None,
        vec![text("key", false)?, value],
    )?;
    group(
        name,
        Repetition::REQUIRED,
        Some(LogicalType::Map),
        vec![entry],
    )
}

fn message(name: &str, fields: Vec<TypePtr>) -> Field {
    Ok(Arc::new(
        Type::group_type_builder(name).with_fields(fields).build()?,
    ))
}

/// The schema of `spans.parquet` with these attribute columns.
pub(crate) fn spans(columns: &[AttributeColumn]) -> Field {
    let mut fields = vec![
        bytes("trace_id", 16, false)?,
        bytes("span_id", 8, false)?,
        int("parent")?,
        bytes("parent_span_id", 8, true)?,
        int("subtree")?,
        timestamp("start")?,
        long("duration", false)?,
        text("service", false)?,
        text("name", false)?,
        text("kind", false)?,
        text("status", false)?,
        text("status_message", true)?,
        int("resource")?,
        text("trace_state", true)?,
        int("flags")?,
        int("dropped_attributes")?,
        int("dropped_events")?,
        int("dropped_links")?,
        list(
            "events",
            vec![
                timestamp("time")?,
                text("name", false)?,
                int("dropped_attributes")?,
                attributes("attributes")?,
            ],
        )?,
        list(
            "links",
            vec![
                bytes("trace_id", 16, false)?,
                bytes("span_id", 8, false)?,
                text("trace_state", false)?,
                int("flags")?,
                int("dropped_attributes")?,
                attributes("attributes")?,
            ],
        )?,
        attributes("attributes")?,
    ];
    for column in columns {
        fields.push(match column.kind {
            AttributeType::String | AttributeType::Json => text(&column.column, true)?,
            AttributeType::Int => long(&column.column, true)?,
            AttributeType::Double => double(&column.column, true)?,
            AttributeType::Bool => boolean(&column.column, true)?,
        });
    }
    message("span", fields)
}

/// The schema of `traces.parquet`.
pub(crate) fn traces() -> Field {
    message(
        "trace",
        vec![
            bytes("trace_id", 16, false)?,
            timestamp("start")?,
            timestamp("end")?,
            text("root_service", true)?,
            text("root_name", true)?,
            int("spans")?,
            int("errors")?,
            list(
                "services",
                vec![text("name", false)?, int("spans")?, int("errors")?],
            )?,
            long("row", false)?,
            boolean("partial", false)?,
            text("reason", false)?,
            double("weight", false)?,
            primitive(
                "columns",
                PhysicalType::BYTE_ARRAY,
                Repetition::REQUIRED,
                None,
            )?,
        ],
    )
}

/// The schema of `resources.parquet`.
pub(crate) fn resources() -> Field {
    message(
        "resource",
        vec![
            text("service", false)?,
            attributes("attributes")?,
            int("dropped_attributes")?,
            text("schema_url", false)?,
            text("scope_name", false)?,
            text("scope_version", false)?,
            attributes("scope_attributes")?,
            int("scope_dropped_attributes")?,
            text("scope_schema_url", false)?,
        ],
    )
}
