//! Where in a request a byte lies.
//!
//! Decoding keeps no path while it walks: that something is wrong is rare, and the path can be found again from the byte
//! offset by a second walk.

use std::fmt::Write as _;

use crate::proto::Reader;
use crate::schema::{Field, Message, Type, fields};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The field whose tag starts at this offset.
    Field(usize),
    /// Where reading met a [`Fault`](crate::proto::Fault) with this offset.
    Fault(usize),
}

/// Names from the request down to the deepest value that decoding enters, an array or map being two names per level.
const MAX_PATH: usize = 8 + 2 * model::MAX_VALUE_DEPTH;

/// The path of a place, such as `resource_spans[2].scope_spans[0].spans[17].name`; empty when it lies in no field of `body`.
///
/// Costs a walk over the messages around it; for errors only.
pub(super) fn path_of(body: &[u8], place: Place) -> String {
    let mut path = String::new();
    if !find(
        Message::Request,
        Reader::new(body),
        place,
        MAX_PATH,
        &mut path,
    ) {
        path.clear();
    }
    path
}

/// Whether `place` is in this message; then its path from here is appended to `path`.
fn find(
    message: Message,
    mut reader: Reader<'_>,
    place: Place,
    depth: usize,
    path: &mut String,
) -> bool {
    let (Place::Field(offset) | Place::Fault(offset)) = place;
    let mut seen = [0usize; 16];
    loop {
        let start = reader.offset();
        let tag = match reader.tag() {
            Ok(Some(tag)) => tag,
            Ok(None) => return place == Place::Fault(start),
            Err(error) => return place == Place::Fault(error.offset),
        };
        let mut value = reader;
        let skipped = reader.skip(tag);
        let known = fields(message).iter().position(|field| field.tag == tag);
        let outside = path.len();
        if let Some(position) = known {
            push_name(path, fields(message)[position], seen[position]);
            seen[position] += 1;
        }
        if place == Place::Field(start) || place == Place::Fault(value.offset()) {
            return true;
        }
        if skipped.is_err() {
            return false;
        }
        let inside = known.and_then(|position| fields(message)[position].inside());
        if let (Some(inside), true, true) = (inside, offset <= reader.offset(), depth > 0)
            && let Ok(nested) = value.message()
            && find(inside, nested, place, depth - 1, path)
        {
            return true;
        }
        path.truncate(outside);
    }
}

fn push_name(path: &mut String, field: Field, index: usize) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(field.name);
    if matches!(field.kind, Type::Many(_)) {
        // Writing into memory cannot fail.
        let _ = write!(path, "[{index}]");
    }
}
