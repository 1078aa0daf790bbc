//! Attribute values, owned and borrowed, and the canonical text of arrays and maps.
//!
//! Strings, integers, doubles and booleans stand for themselves everywhere. The rest (arrays, maps, bytes and the empty
//! value) is rare, and is carried in memory and on disk as *canonical text*: JSON in which
//!
//! - an array is an array, a map an object with its entries in order (a repeated key stays repeated);
//! - an integer has no point, a double always has a point, an exponent or a name;
//! - bytes are `{"$bytes":"<base64>"}`, and doubles without a JSON spelling `{"$double":"NaN"}` (or `Infinity`, `-Infinity`);
//! - the empty value is `null`;
//! - a map key that starts with `$` gets one more `$` in front.
//!
//! So any tool that reads JSON can look inside, and parsing what was printed gives the same value bit for bit.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep arrays and maps may be nested inside one value. A bound on recursion, far above what anyone sends, and so low
/// that everybody can read our answers: the protobuf libraries of C++, Python, Java and Rust refuse more than 100 messages
/// inside each other unless told otherwise. Around the value of an event's attribute there are 7 (response, trace, resource
/// spans, scope spans, span, event, attribute), the value itself is one, and a level of maps is three more: map, entry,
/// value. 8 + 3 * 30 = 98.
pub const MAX_VALUE_DEPTH: usize = 30;

/// The value of an attribute, as in OTLP's `AnyValue`.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// No value at all; OTLP allows it.
    #[default]
    Empty,
    /// A string.
    Str(String),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An array; the elements may differ in type.
    Array(Vec<Value>),
    /// A map, in the order received.
    Map(Vec<(String, Value)>),
}

/// A value as [`Symbols`](crate::Symbols) hold it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// A string.
    Str(&'a str),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// Anything else, as canonical text.
    Json(&'a str),
}

/// Why a text is not the canonical text of a value.
#[derive(Debug, thiserror::Error)]
#[error("not the canonical text of a value: {0}")]
pub struct ValueError(#[from] serde_json::Error);

impl ValueRef<'_> {
    /// The owned value.
    ///
    /// # Errors
    /// [`ValueError`] when the text of [`ValueRef::Json`] is not canonical, which only a damaged file can cause.
    pub fn to_value(self) -> Result<Value, ValueError> {
        Ok(match self {
            Self::Str(text) => Value::Str(text.to_owned()),
            Self::Int(int) => Value::Int(int),
            Self::Double(double) => Value::Double(double),
            Self::Bool(bool) => Value::Bool(bool),
            Self::Json(text) => Value::from_canonical(text)?,
        })
    }
}

impl Value {
    /// Parses canonical text.
    ///
    /// # Errors
    /// [`ValueError`] with line and column when the text is no JSON, nests deeper than 128, or misuses a `$` key.
    pub fn from_canonical(text: &str) -> Result<Self, ValueError> {
        Ok(serde_json::from_str(text)?)
    }

    /// The canonical text. Of a string it is the quoted string.
    pub fn to_canonical(&self) -> String {
        let mut text = String::new();
        self.write_canonical(&mut text);
        text
    }

    /// Appends the canonical text to `out`.
    pub fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Empty => out.push_str("null"),
            Self::Str(text) => write_quoted(out, text),
            Self::Int(int) => {
                let _ = write!(out, "{int}");
            }
            Self::Double(double) => write_double(out, *double),
            Self::Bool(bool) => {
                let _ = write!(out, "{bool}");
            }
            Self::Bytes(bytes) => {
                out.push_str("{\"$bytes\":\"");
                BASE64.encode_string(bytes, out);
                out.push_str("\"}");
            }
            Self::Array(items) => {
                out.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    item.write_canonical(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (position, (key, value)) in entries.iter().enumerate() {
                    if position > 0 {
                        out.push(',');
                    }
                    if key.starts_with('$') {
                        write_quoted(out, &format!("${key}"));
                    } else {
                        write_quoted(out, key);
                    }
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_quoted(out: &mut String, text: &str) {
    // Writing a string as JSON into memory cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn write_double(out: &mut String, double: f64) {
    if double.is_finite() {
        // `{:?}` is the shortest text that parses back to the same bits, and always shows that it is no integer.
        {
            let _ = write!(out, "{double:?}");
        };
    } else {
        let name = if double.is_nan() {
            "NaN"
        } else if double > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        {
            let _ = write!(out, "{{\"$double\":\"{name}\"}}");
        };
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E>(self, bool: bool) -> Result<Value, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E>(self, int: i64) -> Result<Value, E> {
        Ok(Value::Int(int))
    }

    fn visit_u64<E: de::Error>(self, int: u64) -> Result<Value, E> {
        i64::try_from(int)
            .map(Value::Int)
            .map_err(|_| E::custom("integer does not fit 64 signed bits"))
    }

    fn visit_f64<E>(self, double: f64) -> Result<Value, E> {
        Ok(Value::Double(double))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(mut key) = map.next_key::<String>()? {
            if key.starts_with("$$") {
                key.remove(0);
            } else if key.starts_with('$') {
                let value = special(&key, &map.next_value::<String>()?)?;
                if map.next_key::<String>()?.is_some() || !entries.is_empty() {
                    return Err(de::Error::custom(format!("`{key}` must stand alone")));
                }
                return Ok(value);
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Value::Map(entries))
    }
}

fn special<E: de::Error>(key: &str, text: &str) -> Result<Value, E> {
    match (key, text) {
        ("$bytes", _) => BASE64.decode(text).map(Value::Bytes).map_err(E::custom),
        ("$double", "NaN") => Ok(Value::Double(f64::NAN)),
        ("$double", "Infinity") => Ok(Value::Double(f64::INFINITY)),
        ("$double", "-Infinity") => Ok(Value::Double(f64::NEG_INFINITY)),
        _ => Err(E::custom(format!("`{key}` with `{text}` has no meaning"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>()
                .prop_filter("NaN is not equal to itself", |d| !d.is_nan())
                .prop_map(Value::Double),
            any::<String>().prop_map(Value::Str),
            proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = prop_oneof![
                any::<String>(),
                Just("$bytes".to_owned()),
                Just("$$x".to_owned())
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec((key, inner), 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn parsing_what_was_printed_gives_the_same_value(value in value()) {
            let text = value.to_canonical();
            prop_assert_eq!(Value::from_canonical(&text).unwrap(), value, "{}", text);
        }
    }

    #[test]
    fn canonical_text_reads_like_json() {
        let value = Value::Map(vec![
            (
                "args".into(),
                Value::Array(vec![
                    Value::Str("-v".into()),
                    Value::Int(2),
                    Value::Double(2.0),
                ]),
            ),
            ("nan".into(), Value::Double(f64::NAN)),
            ("raw".into(), Value::Bytes(vec![255])),
            ("none".into(), Value::Empty),
        ]);
        assert_eq!(
            value.to_canonical(),
            r#"{"args":["-v",2,2.0],"nan":{"$double":"NaN"},"raw":{"$bytes":"/w=="},"none":null}"#
        );
    }
}
