//! `AnyValue`: from the wire to canonical text, and from values to the wire.
//!
//! Strings, numbers and booleans are taken by the span walk itself. What comes here is rare: arrays, maps, bytes, the
//! empty value, and values written in several pieces, which protobuf allows (pieces of one list are joined, otherwise the
//! last piece wins). Nothing is built on the way to the text, so a hostile value costs no more memory than its text.

use model::{DropReason, MAX_VALUE_DEPTH, Symbol, SymbolKind, Symbols, Value, ValueRef};

use super::decode::Stop;
use crate::proto::{Reader, Tag, Writer};
use crate::schema::{any_value, key_value, list};

/// The fields of one message that may have been written in several pieces.
#[derive(Clone, Copy)]
pub(super) struct Pieces<'a> {
    piece: Reader<'a>,
    /// Holds the pieces that follow, as fields of this tag.
    more: Option<(Reader<'a>, Tag)>,
}

impl<'a> Pieces<'a> {
    pub(super) fn one(piece: Reader<'a>) -> Self {
        Self { piece, more: None }
    }

    /// The message that `outer` holds in all its fields of this tag.
    pub(super) fn of(outer: Reader<'a>, tag: Tag) -> Self {
        Self {
            piece: Reader::new(b""),
            more: Some((outer, tag)),
        }
    }

    /// The tag of the next field, whose value is then read from `self.piece`.
    fn tag(&mut self) -> Result<Option<Tag>, Stop> {
        loop {
            if let Some(tag) = self.piece.tag()? {
                return Ok(Some(tag));
            }
            let Some((outer, wanted)) = &mut self.more else {
                return Ok(None);
            };
            match outer.tag()? {
                Some(tag) if tag == *wanted => self.piece = outer.message()?,
                Some(tag) => outer.skip(tag)?,
                None => return Ok(None),
            }
        }
    }
}

/// A value as the wire holds it: leaves read, lists not yet walked.
pub(super) enum Wire<'a> {
    Empty,
    Str(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    /// Every field from here on that is an `array_value` holds elements.
    Array(Pieces<'a>),
    /// Every field from here on that is a `kvlist_value` holds entries.
    Map(Pieces<'a>),
}

/// Reads the fields of an `AnyValue`.
pub(super) fn read(mut fields: Pieces<'_>) -> Result<Wire<'_>, Stop> {
    let mut value = Wire::Empty;
    loop {
        let before = fields;
        let Some(tag) = fields.tag()? else {
            return Ok(value);
        };
        let reader = &mut fields.piece;
        match tag {
            any_value::STRING => value = Wire::Str(reader.bytes()?),
            any_value::BOOL => value = Wire::Bool(reader.bool()?),
            any_value::INT => value = Wire::Int(reader.int64()?),
            any_value::DOUBLE => value = Wire::Double(reader.double()?),
            any_value::BYTES => value = Wire::Bytes(reader.bytes()?),
            any_value::STRING_INDEX => {
                reader.varint()?;
                value = Wire::Empty;
            }
            any_value::ARRAY => {
                reader.bytes()?;
                if !matches!(value, Wire::Array(_)) {
                    value = Wire::Array(before);
                }
            }
            any_value::KVLIST => {
                reader.bytes()?;
                if !matches!(value, Wire::Map(_)) {
                    value = Wire::Map(before);
                }
            }
            other => reader.skip_unknown(other, any_value::KNOWN)?,
        }
    }
}

/// Appends the canonical text of a value that lies inside `depth` lists, as [`Value::write_canonical`] would.
pub(super) fn write_canonical(
    value: &Wire<'_>,
    depth: usize,
    out: &mut String,
) -> Result<(), Stop> {
    match *value {
        Wire::Empty => out.push_str("null"),
        Wire::Str(bytes) => quote(text(bytes)?, out),
        Wire::Int(int) => Value::Int(int).write_canonical(out),
        Wire::Bool(bool) => Value::Bool(bool).write_canonical(out),
        Wire::Double(double) => Value::Double(double).write_canonical(out),
        Wire::Bytes(bytes) => Value::Bytes(bytes.to_vec()).write_canonical(out),
        Wire::Array(pieces) => {
            out.push('[');
            each_element(pieces, any_value::ARRAY, depth, |element| {
                comma_unless_first(out, '[');
                write_canonical(&read(Pieces::one(element))?, depth + 1, out)
            })?;
            out.push(']');
        }
        Wire::Map(pieces) => {
            out.push('{');
            each_element(pieces, any_value::KVLIST, depth, |entry| {
                comma_unless_first(out, '{');
                write_key(key_of(entry)?, out)?;
                let value = read(Pieces::of(entry, key_value::VALUE))?;
                write_canonical(&value, depth + 1, out)
            })?;
            out.push('}');
        }
    }
    Ok(())
}

/// Calls `each` with every element of the lists in fields of this tag.
fn each_element<'a>(
    mut pieces: Pieces<'a>,
    tag: Tag,
    depth: usize,
    mut each: impl FnMut(Reader<'a>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if depth == MAX_VALUE_DEPTH {
        return Err(Stop::Rejected(DropReason::NestedTooDeep));
    }
    while let Some(found) = pieces.tag()? {
        if found != tag {
            pieces.piece.skip(found)?;
            continue;
        }
        let mut elements = pieces.piece.message()?;
        while let Some(found) = elements.tag()? {
            match found {
                list::VALUES => each(elements.message()?)?,
                other => elements.skip_unknown(other, list::KNOWN)?,
            }
        }
    }
    Ok(())
}

/// The key of a `KeyValue`; the last one, should it have several.
pub(super) fn key_of(mut entry: Reader<'_>) -> Result<&[u8], Stop> {
    let mut key = &b""[..];
    while let Some(tag) = entry.tag()? {
        match tag {
            key_value::KEY => key = entry.bytes()?,
            key_value::VALUE => entry.skip(tag)?,
            other => entry.skip_unknown(other, key_value::KNOWN)?,
        }
    }
    Ok(key)
}

fn write_key(key: &[u8], out: &mut String) -> Result<(), Stop> {
    let start = out.len();
    quote(text(key)?, out);
    if key.starts_with(b"$") {
        out.insert(start + 1, '$');
    }
    out.push(':');
    Ok(())
}

fn comma_unless_first(out: &mut String, open: char) {
    if !out.ends_with(open) {
        out.push(',');
    }
}

fn quote(text: &str, out: &mut String) {
    // Writing a string as JSON into memory cannot fail.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

fn text(bytes: &[u8]) -> Result<&str, Stop> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| Stop::Rejected(DropReason::InvalidUtf8))
}

/// Writes the fields of the `AnyValue` that a symbol stands for.
pub(super) fn write(w: &mut Writer, symbols: &Symbols, symbol: Symbol) {
    // Text was checked when it was interned, and bytes are copied, so strings need no second look.
    if symbols.kind(symbol) == SymbolKind::Str {
        return w.bytes(any_value::STRING, symbols.payload(symbol));
    }
    match symbols.value(symbol) {
        ValueRef::Str(text) => w.bytes(any_value::STRING, text.as_bytes()),
        ValueRef::Int(int) => w.varint(any_value::INT, int as u64),
        ValueRef::Double(double) => w.double(any_value::DOUBLE, double),
        ValueRef::Bool(bool) => w.varint(any_value::BOOL, u64::from(bool)),
        // Text that is not canonical can only come from a damaged file; shown as it stands rather than hidden.
        ValueRef::Json(text) => match Value::from_canonical(text) {
            Ok(value) => write_owned(w, &value),
            Err(_) => w.bytes(any_value::STRING, text.as_bytes()),
        },
    }
}

/// Writes the fields of the `AnyValue` that `value` is.
pub(crate) fn write_owned(w: &mut Writer, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Str(text) => w.bytes(any_value::STRING, text.as_bytes()),
        Value::Int(int) => w.varint(any_value::INT, *int as u64),
        Value::Double(double) => w.double(any_value::DOUBLE, *double),
        Value::Bool(bool) => w.varint(any_value::BOOL, u64::from(*bool)),
        Value::Bytes(bytes) => w.bytes(any_value::BYTES, bytes),
        Value::Array(items) => w.message(any_value::ARRAY, |w| {
            for item in items {
                w.message(list::VALUES, |w| write_owned(w, item));
            }
        }),
        Value::Map(entries) => w.message(any_value::KVLIST, |w| {
            for (key, value) in entries {
                w.message(list::VALUES, |w| {
                    w.put_bytes(key_value::KEY, key.as_bytes());
                    w.message(key_value::VALUE, |w| write_owned(w, value));
                });
            }
        }),
    }
}
