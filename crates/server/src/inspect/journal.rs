//! The journal, described.

use std::fmt::Write as _;

use journal::Inspection;

use crate::table::{Table, bytes, count, time};

pub(super) fn describe(found: &Inspection) -> String {
    let mut text = String::new();
    // Writing into memory cannot fail.
    let _ = writeln!(text, "id {}", found.id.as_deref().unwrap_or("unknown"));
    if found.segments.is_empty() {
        text.push_str("no segments: everything is in blocks\n");
    }
    let mut table = Table::new(["segment", "requests", "size", "file", "from", "to", "torn"]);
    for segment in &found.segments {
        let (from, to) = segment
            .received
            .map_or_else(Default::default, |(from, to)| (time(from), time(to)));
        table.row([
            segment.number.to_string(),
            count(segment.records),
            bytes(segment.record_bytes),
            bytes(segment.file_bytes),
            from,
            to,
            bytes(segment.torn_bytes),
        ]);
    }
    if !found.segments.is_empty() {
        text.push_str(&table.render());
    }
    for segment in &found.segments {
        for damage in &segment.damaged {
            let _ = writeln!(text, "segment {}: {damage}", segment.number);
        }
    }
    if found.spare_files > 0 {
        let _ = writeln!(
            text,
            "{} spare files, {}, for segments to come",
            count(found.spare_files),
            bytes(found.spare_bytes)
        );
    }
    for name in &found.unreadable_spares {
        let _ = writeln!(text, "unreadable, may hold a segment: {name}");
    }
    for name in &found.set_aside {
        let _ = writeln!(text, "set aside because of damage: {name}");
    }
    text
}
