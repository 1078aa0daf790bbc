//! Queries of the kinds that people write.

use traceql::testing::{self, Choices};

use super::{SECONDS, vocabulary};
use crate::drawing::ORIGIN;

const ATTRIBUTES: [&str; 10] = [
    "span.a",
    ".a",
    "resource.a",
    ".b",
    "event.a",
    "link.b",
    "instrumentation.a",
    "parent.span.a",
    "parent.a",
    ".service.name",
];
const KEYS: [&str; 10] = [
    "resource.service.name",
    "name",
    "status",
    "kind",
    ".a",
    "span.b",
    "event:name",
    "duration",
    "rootName",
    "parent.name",
];
const NUMBERS: [&str; 6] = [
    "duration",
    ".a",
    "span.b",
    "span:childCount",
    "event:timeSinceStart",
    "nestedSetLeft",
];
const RELATIONS: [&str; 15] = [
    ">", ">>", "<", "<<", "~", "!>", "!>>", "!<", "!<<", "!~", "&>", "&>>", "&<", "&<<", "&~",
];
const COMPARISONS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

fn one(choices: &mut Choices<'_>, items: &[&'static str]) -> &'static str {
    items[choices.below(items.len())]
}

/// The text of a query for spans; it checks without errors.
pub fn search(choices: &mut Choices<'_>) -> String {
    if choices.below(2) == 1 {
        return testing::search(choices, &vocabulary()).to_string();
    }
    match choices.below(3) {
        0 => spansets(choices),
        1 => format!("{} | {}", spansets(choices), stage(choices)),
        _ => {
            let (spansets, first, second) = (spansets(choices), stage(choices), stage(choices));
            format!("{spansets} | {first} | {second}")
        }
    }
}

/// The text of a query for series; it checks without errors.
pub fn metrics(choices: &mut Choices<'_>) -> String {
    if choices.below(2) == 1 {
        return testing::metrics(choices, &vocabulary()).to_string();
    }
    if choices.once_in(4) {
        let op = one(choices, &["+", "-", "*", "/"]);
        let by = by(choices);
        let mut side = || format!("({} | {}{by})", filter(choices), function(choices));
        return format!("{} {op} {}", side(), side());
    }
    let first = format!(
        "{} | {}{}",
        spansets(choices),
        function(choices),
        by(choices)
    );
    match choices.below(6) {
        3 => format!("{first} > 0.5"),
        4 => format!("{first} | topk(2)"),
        5 => format!("{first} | bottomk(1)"),
        _ => first,
    }
}

/// A comparison of selected spans with others, of the kind that people ask for.
pub fn comparison(choices: &mut Choices<'_>) -> String {
    let (input, selection) = (filter(choices), filter(choices));
    match choices.below(4) {
        0 => format!("{input} | compare({selection})"),
        1 => format!("{input} | compare({selection}, 2)"),
        2 => format!("{{ }} | compare({selection}, 1000)"),
        _ => {
            let at = |second: i64| ORIGIN.0 + second * 1_000_000_000;
            let from = choices.below(SECONDS as usize / 2) as i64;
            let (start, end) = (at(from), at(from + SECONDS / 3));
            format!("{{ }} | compare({selection}, 10, {start}, {end})")
        }
    }
}

// === spans ===

fn spansets(choices: &mut Choices<'_>) -> String {
    let first = filter(choices);
    match choices.below(6) {
        3 | 4 => format!("{first} {} {}", one(choices, &RELATIONS), filter(choices)),
        5 => format!(
            "{first} {} {}",
            one(choices, &["&&", "||"]),
            filter(choices)
        ),
        _ => first,
    }
}

fn filter(choices: &mut Choices<'_>) -> String {
    let first = condition(choices);
    match choices.below(6) {
        3 => format!("{{ !({first}) }}"),
        4 => format!("{{ {first} && {} }}", condition(choices)),
        5 => format!("{{ {first} || {} }}", condition(choices)),
        _ => format!("{{ {first} }}"),
    }
}

fn condition(choices: &mut Choices<'_>) -> String {
    match choices.below(12) {
        0 => "true".to_owned(),
        1 => format!("name {} {}", equality(choices), word(choices)),
        2 => format!(
            "status {} {}",
            equality(choices),
            one(choices, &["error", "ok", "unset"])
        ),
        3 => format!(
            "kind {} {}",
            equality(choices),
            one(choices, &["server", "client"])
        ),
        4 => format!(
            "resource.service.name {} {}",
            equality(choices),
            word(choices)
        ),
        5 => format!(
            "{} > {}",
            one(choices, &NUMBERS),
            one(choices, &["0", "1", "1ms"])
        ),
        6 => format!("{} {} nil", one(choices, &ATTRIBUTES), equality(choices)),
        7 => format!("{} =~ \"x|y\"", one(choices, &ATTRIBUTES)),
        8 => (one(
            choices,
            &[
                "nestedSetParent < 0",
                "event:name = \"x\"",
                "traceDuration > 20s",
            ],
        ))
        .to_owned(),
        _ => {
            let attribute = one(choices, &ATTRIBUTES);
            let op = one(choices, &COMPARISONS);
            let value = one(choices, &["\"x\"", "1", "1.5", "\"y\"", "2"]);
            format!("{attribute} {op} {value}")
        }
    }
}

fn equality(choices: &mut Choices<'_>) -> &'static str {
    one(choices, &["=", "!="])
}

fn word(choices: &mut Choices<'_>) -> &'static str {
    one(choices, &["\"x\"", "\"y\"", "\"z\""])
}

fn stage(choices: &mut Choices<'_>) -> String {
    match choices.below(6) {
        0 => format!("select({}, .a)", one(choices, &KEYS)),
        1 => format!("count() {} 2", one(choices, &COMPARISONS)),
        2 => {
            let aggregate = one(choices, &["avg", "min", "max", "sum"]);
            let number = one(choices, &NUMBERS);
            format!("{aggregate}({number}) {} 1", one(choices, &COMPARISONS))
        }
        3 => format!("by({}) | coalesce()", one(choices, &KEYS)),
        _ => format!("by({})", one(choices, &KEYS)),
    }
}

// === series ===

fn function(choices: &mut Choices<'_>) -> String {
    let number = one(choices, &NUMBERS);
    match choices.below(8) {
        0 => "rate()".to_owned(),
        1 => "count_over_time()".to_owned(),
        2 => format!("min_over_time({number})"),
        3 => format!("max_over_time({number})"),
        4 => format!("avg_over_time({number})"),
        5 => format!("sum_over_time({number})"),
        6 => format!("quantile_over_time({number}, 0, 0.5, 0.9, 1)"),
        _ => format!("histogram_over_time({number})"),
    }
}

fn by(choices: &mut Choices<'_>) -> String {
    match choices.below(3) {
        0 => String::new(),
        1 => format!(" by ({})", one(choices, &KEYS)),
        _ => format!(" by ({}, {})", one(choices, &KEYS), one(choices, &KEYS)),
    }
}
