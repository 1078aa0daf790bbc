//! TraceQL, as people and programs type it.
//!
//! Strategy: any bytes become a text, and that is analysed, completed, printed and parsed again. The invariants are those of
//! [`traceql::testing::check_text`], which the properties of the crate check on random queries and on broken ones.

/// Checks the invariants on one text.
///
/// # Panics
/// When an invariant is broken.
pub fn check(text: &[u8]) {
    traceql::testing::check_text(&String::from_utf8_lossy(text));
}
