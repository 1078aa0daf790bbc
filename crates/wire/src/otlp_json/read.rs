//! OTLP/JSON to protobuf: one pass over the text, fields written as they come.

use std::fmt;

use model::MAX_VALUE_DEPTH;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

use crate::json::{JsonError, Trail, base64_bytes};
use crate::proto::Writer;
use crate::schema::{Field, Message, Type, any_value, fields, request};

/// Stands for an id that is not hex: of a length that no id has.
const NO_ID: &[u8] = &[0];

/// An `ExportTraceServiceRequest` in JSON, as protobuf.
///
/// Integers may be numbers or decimal strings, doubles also `"NaN"`, `"Infinity"` and `"-Infinity"`; `null` means absent.
/// Rules about content (lengths of ids, ranges of times) are left to [`otlp::decode`](crate::otlp::decode), which rejects
/// single spans. A value nested deeper than [`MAX_VALUE_DEPTH`] is cut there, which makes the decoder reject its span.
///
/// # Errors
/// [`JsonError`] with line, column and path when the text is no JSON, or a member has a value that its type cannot have:
/// text for a number, a name for an enum. An id that is not hex is no error here, but costs its span: the decoder rejects it.
pub fn to_protobuf(json: &[u8]) -> Result<Vec<u8>, JsonError> {
    let trail = Trail::default();
    let mut w = Writer::with_capacity(json.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    // Recursion is bounded here: by the schema, which nests without end only in values, and by a bound on those.
    deserializer.disable_recursion_limit();
    let root = Value {
        field: Field {
            tag: request::RESOURCE_SPANS,
            name: "",
            kind: Type::One(Message::Request),
        },
        lists: 0,
        w: &mut w,
        trail: &trail,
    };
    deserializer
        .deserialize_map(Members(root))
        .and_then(|()| deserializer.end())
        .map_err(|error| trail.error(&error))?;
    Ok(w.into_bytes())
}

/// The value of a field, to be read and written.
struct Value<'t, 'w> {
    field: Field,
    /// Arrays and maps around it, within an attribute's value.
    lists: usize,
    w: &'w mut Writer,
    trail: &'t Trail,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.field.kind {
            Type::Text => "a string",
            Type::Id => "an id in hex",
            Type::Bytes => "bytes in base64",
            Type::Bool => "true or false",
            Type::Double => "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
            Type::Int64 => "a signed 64-bit integer, as a number or a decimal string",
            Type::Fixed64 => "an unsigned 64-bit integer, as a number or a decimal string",
            Type::UInt32 | Type::Fixed32 => "an unsigned 32-bit integer",
            Type::Enum => "the number of an enum",
            Type::One(_) => "an object",
            Type::Many(_) => "an array",
        })
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let tag = self.field.tag;
        let refused = |this: &Self| E::invalid_value(Unexpected::Str(text), this);
        match self.field.kind {
            Type::Text => self.w.bytes(tag, text.as_bytes()),
            Type::Id => {
                let id = hex_bytes(text);
                self.w.bytes(tag, id.as_deref().unwrap_or(NO_ID));
            }
            Type::Bytes => {
                let bytes = base64_bytes(text).ok_or_else(|| refused(&self))?;
                self.w.bytes(tag, &bytes);
            }
            Type::Double => {
                let double = text.parse().map_err(|_| refused(&self))?;
                self.w.double(tag, double);
            }
            Type::Int64 | Type::Fixed64 | Type::UInt32 | Type::Fixed32 => {
                let number = text.parse().map_err(|_| refused(&self))?;
                self.integer(number, Unexpected::Str(text))?;
            }
            Type::Bool | Type::Enum | Type::One(_) | Type::Many(_) => return Err(refused(&self)),
        }
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number.into(), number as f64, Unexpected::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number.into(), number as f64, Unexpected::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        let found = Unexpected::Float(number);
        // An integer may be spelled 1e3. The cast saturates; what it saturates to is refused later.
        if self.field.kind != Type::Double && number.fract() != 0.0 {
            return Err(E::invalid_value(found, &self));
        }
        self.number(number as i128, number, found)
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<(), E> {
        if self.field.kind != Type::Bool {
            return Err(E::invalid_type(Unexpected::Bool(bool), &self));
        }
        self.w.varint(self.field.tag, u64::from(bool));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Type::Many(message) = self.field.kind else {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        };
        let field = Field {
            kind: Type::One(message),
            ..self.field
        };
        let mut index = 0;
        loop {
            let element = Element(Value {
                field,
                lists: self.lists,
                w: &mut *self.w,
                trail: self.trail,
            });
            let next = elements.next_element_seed(element);
            if self.trail.index(next, index)?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let Type::One(message) = self.field.kind else {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        };
        self.nested(message, |nested| Members(nested).visit_map(members))
    }
}

impl Value<'_, '_> {
    /// Writes a number in the way of the field's type.
    fn number<E: Error>(self, int: i128, double: f64, found: Unexpected<'_>) -> Result<(), E> {
        if self.field.kind == Type::Double {
            self.w.double(self.field.tag, double);
            return Ok(());
        }
        self.integer(int, found)
    }

    fn integer<E: Error>(self, number: i128, found: Unexpected<'_>) -> Result<(), E> {
        let tag = self.field.tag;
        let refused = |this: &Self| E::invalid_value(found, this);
        match self.field.kind {
            Type::Int64 => {
                let number = i64::try_from(number).map_err(|_| refused(&self))?;
                self.w.varint(tag, number as u64);
            }
            Type::Enum => {
                let number = i32::try_from(number).map_err(|_| refused(&self))?;
                self.w.varint(tag, i64::from(number) as u64);
            }
            Type::Fixed64 => {
                let number = u64::try_from(number).map_err(|_| refused(&self))?;
                self.w.fixed64(tag, number);
            }
            Type::UInt32 => {
                let number = u32::try_from(number).map_err(|_| refused(&self))?;
                self.w.varint(tag, u64::from(number));
            }
            Type::Fixed32 => {
                let number = u32::try_from(number).map_err(|_| refused(&self))?;
                self.w.fixed32(tag, number);
            }
            _ => return Err(E::invalid_type(found, &self)),
        }
        Ok(())
    }

    /// Writes a nested message, filled by `fill`.
    fn nested<R>(self, message: Message, fill: impl FnOnce(Value<'_, '_>) -> R) -> R {
        let Self { field, trail, .. } = self;
        let lists = self.lists + usize::from(is_list(field));
        self.w.message_sized(usual_width(message), field.tag, |w| {
            fill(Value {
                field,
                lists,
                w,
                trail,
            })
        })
    }
}

/// Whether the field is what makes a value nest: an array or a map.
fn is_list(field: Field) -> bool {
    field.tag == any_value::ARRAY && field.kind == Type::One(Message::Array)
        || field.tag == any_value::KVLIST && field.kind == Type::One(Message::KeyValueList)
}

/// Bytes that the length of a message usually takes.
fn usual_width(message: Message) -> usize {
    match message {
        Message::ResourceSpans | Message::ScopeSpans => 3,
        Message::Resource | Message::Span => 2,
        _ => 1,
    }
}

/// An element of an array: as a value, but `null` is an empty message, so that the others keep their places.
struct Element<'t, 'w>(Value<'t, 'w>);

impl<'de> DeserializeSeed<'de> for Element<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.w.bytes(self.0.field.tag, b"");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.visit_map(members)
    }
}

/// The members of the object that `0.field` is; they are written in place, without a tag of their own.
struct Members<'t, 'w>(Value<'t, 'w>);

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Value {
            field,
            lists,
            w,
            trail,
        } = self.0;
        let Some(message) = field.inside() else {
            return Err(A::Error::custom("an object where none can be"));
        };
        while let Some(name) = members.next_key_seed(Name(message))? {
            let Some(field) = name else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            if is_list(field) && lists >= MAX_VALUE_DEPTH {
                members.next_value::<IgnoredAny>()?;
                w.bytes(field.tag, b"");
                continue;
            }
            let value = members.next_value_seed(Value {
                field,
                lists,
                w: &mut *w,
                trail,
            });
            if value.is_err() {
                trail.member(value, &camel_case(field.name))?;
            }
        }
        Ok(())
    }
}

/// The name of a member: the field it stands for, if any.
struct Name(Message);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Field>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<Field>, E> {
        let found = fields(self.0).iter().find(|f| is_camel_of(name, f.name));
        Ok(found.copied())
    }
}

/// Whether `camel` is the lowerCamelCase spelling of `snake`.
fn is_camel_of(camel: &str, snake: &str) -> bool {
    camel.bytes().eq(camel_bytes(snake))
}

fn camel_case(snake: &str) -> String {
    camel_bytes(snake).map(char::from).collect()
}

fn camel_bytes(snake: &str) -> impl Iterator<Item = u8> {
    let mut up = false;
    snake.bytes().filter_map(move |byte| {
        let letter = if up { byte.to_ascii_uppercase() } else { byte };
        up = byte == b'_';
        (!up).then_some(letter)
    })
}

/// The bytes of hex text in any case; `None` when a character is no digit or one is missing.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}
