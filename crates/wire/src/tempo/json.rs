//! What proto3 JSON writes in a way of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Value;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::response::ServiceStats;

/// Whether a number is left out.
pub(super) fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// A 64-bit integer as a string: JavaScript's numbers hold 53 bits.
pub(super) fn text_u64<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// See [`text_u64`].
pub(super) fn text_i64<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// A map of messages.
pub(super) fn stats_by_service<S: Serializer>(
    stats: &[(String, ServiceStats)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(stats.iter().map(|(service, stats)| (service, stats)))
}

/// Members of the object around, if there are any.
pub(super) fn pairs<S: Serializer>(
    members: Option<[(&str, &str); 2]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.into_iter().flatten())
}

/// An `AnyValue`: an object whose one member names the type. Zero values are written: the type is what counts.
pub(super) fn value<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(None)?;
    match value {
        Value::Empty => {}
        Value::Str(text) => object.serialize_entry("stringValue", text)?,
        Value::Bool(bool) => object.serialize_entry("boolValue", bool)?,
        Value::Int(int) => object.serialize_entry("intValue", &int.to_string())?,
        Value::Double(double) => object.serialize_entry("doubleValue", &Double(*double))?,
        Value::Bytes(bytes) => {
            object.serialize_entry("bytesValue", &STANDARD.encode(bytes))?;
        }
        Value::Array(items) => {
            let values = items.iter().map(AnyValue).collect();
            object.serialize_entry("arrayValue", &Values { values })?;
        }
        Value::Map(entries) => {
            let values = entries.iter().map(Entry).collect();
            object.serialize_entry("kvlistValue", &Values { values })?;
        }
    }
    object.end()
}

/// A double, which has no JSON number when it is not finite.
struct Double(f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            number if number.is_finite() => serializer.serialize_f64(number),
            number if number.is_nan() => serializer.serialize_str("NaN"),
            number if number > 0.0 => serializer.serialize_str("Infinity"),
            _ => serializer.serialize_str("-Infinity"),
        }
    }
}

struct AnyValue<'a>(&'a Value);

impl Serialize for AnyValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        value(self.0, serializer)
    }
}

/// The one member of lists and maps.
#[derive(Serialize)]
struct Values<T> {
    values: Vec<T>,
}

struct Entry<'a>(&'a (String, Value));

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, value) = self.0;
        let mut object = serializer.serialize_map(Some(2))?;
        object.serialize_entry("key", key)?;
        object.serialize_entry("value", &AnyValue(value))?;
        object.end()
    }
}
