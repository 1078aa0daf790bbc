//! Values of attributes, wherever they lie, and the constants that they compare as.

use block::{AttributeType, ReadError};
use model::{SpanBatch, Value, ValueRef};
use traceql::query::Constant;

/// The value that the bytes of an entry are.
pub(crate) fn value_of(bytes: &[u8], kind: AttributeType) -> Result<ValueRef<'_>, ReadError> {
    let text = || {
        let text = std::str::from_utf8(bytes);
        text.map_err(|_| ReadError::Content("a text is not UTF-8".into()))
    };
    let eight = || bytes.first_chunk::<8>().copied().unwrap_or_default();
    Ok(match kind {
        AttributeType::String => ValueRef::Str(text()?),
        AttributeType::Json => ValueRef::Json(text()?),
        AttributeType::Int => ValueRef::Int(i64::from_le_bytes(eight())),
        AttributeType::Double => ValueRef::Double(f64::from_bits(u64::from_le_bytes(eight()))),
        AttributeType::Bool => ValueRef::Bool(bytes.first() == Some(&1)),
    })
}

/// The value of an attribute without a column: numbers are in digits.
pub(crate) fn tail_value(bytes: &[u8], kind: AttributeType) -> Result<ValueRef<'_>, ReadError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| ReadError::Content("a text is not UTF-8".into()))?;
    let wrong = || ReadError::Content(format!("`{text}` is not of its type"));
    Ok(match kind {
        AttributeType::String => ValueRef::Str(text),
        AttributeType::Json => ValueRef::Json(text),
        AttributeType::Int => ValueRef::Int(text.parse().map_err(|_| wrong())?),
        AttributeType::Double => ValueRef::Double(text.parse().map_err(|_| wrong())?),
        AttributeType::Bool => ValueRef::Bool(text.parse().map_err(|_| wrong())?),
    })
}

/// The value of an attribute of the resource in a row; `None` is nil.
pub(crate) fn of_resource_attribute<'b>(
    resources: &'b SpanBatch,
    row: usize,
    name: &str,
) -> Option<ValueRef<'b>> {
    of_attributes(resources, resources.resources[row].attributes, name)
}

/// The value of an attribute of the instrumentation scope in a row; `None` is nil.
pub(crate) fn of_scope_attribute<'b>(
    resources: &'b SpanBatch,
    row: usize,
    name: &str,
) -> Option<ValueRef<'b>> {
    of_attributes(resources, resources.resources[row].scope_attributes, name)
}

fn of_attributes<'b>(
    batch: &'b SpanBatch,
    range: model::Range32,
    name: &str,
) -> Option<ValueRef<'b>> {
    let attributes = batch.attributes(range).iter();
    let mut found = attributes.filter(|attribute| batch.symbols.str(attribute.key) == name);
    let value = batch.symbols.value(found.next()?.value);
    (!is_nil(value)).then_some(value)
}

/// Whether a value is none: empty, or an array without elements.
pub(crate) fn is_nil(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Json("null" | "[]"))
}

/// A single value as a constant; `None` for what is none: arrays, maps, bytes, nothing.
pub(crate) fn constant(value: ValueRef<'_>) -> Option<Constant> {
    Some(match value {
        ValueRef::Str(text) => Constant::Str(text.into()),
        ValueRef::Int(int) => Constant::Int(int),
        ValueRef::Double(double) => Constant::Float(double),
        ValueRef::Bool(bool) => Constant::Bool(bool),
        ValueRef::Json(_) => return None,
    })
}

/// As [`constant`], of an element of an array.
pub(crate) fn constant_of_element(element: &Value) -> Option<Constant> {
    Some(match element {
        Value::Str(text) => Constant::Str(text.as_str().into()),
        Value::Int(int) => Constant::Int(*int),
        Value::Double(double) => Constant::Float(*double),
        Value::Bool(bool) => Constant::Bool(*bool),
        _ => return None,
    })
}

/// The elements of the array that a canonical text is, those that are single values. None of a text that is no array.
pub(crate) fn elements(text: &str) -> impl Iterator<Item = Constant> {
    let items = match Value::from_canonical(text) {
        Ok(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    items
        .into_iter()
        .filter_map(|item| constant_of_element(&item))
}
