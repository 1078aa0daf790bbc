//! What an editor is offered. `¦` is the cursor.

use traceql::{Item, ItemKind, Wanted, complete};

fn at(marked: &str) -> traceql::Completion {
    let offset = marked.find('¦').expect("a cursor");
    complete(&marked.replacen('¦', "", 1), offset)
}

/// Checks the texts of the items, separated by spaces.
#[track_caller]
fn check_items(marked: &str, expected: &str) {
    let items: Vec<&str> = at(marked).items.iter().map(|item| item.text).collect();
    assert_eq!(items.join(" "), expected, "{marked}");
}

/// Checks what the server is asked for: `scope name-prefix` or `value of field value-prefix`.
#[track_caller]
fn check_wanted(marked: &str, expected: &[&str]) {
    let wanted: Vec<String> = at(marked)
        .wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::AttributeName { scope, prefix, .. } => format!("name {scope:?} {prefix}"),
            Wanted::Value { field, prefix, .. } => format!("value {field} {prefix}"),
        })
        .collect();
    assert_eq!(wanted, expected, "{marked}");
}

/// Checks what the chosen item replaces.
#[track_caller]
fn check_replaced(marked: &str, expected: &str) {
    let range = at(marked).range;
    assert_eq!(range.of(&marked.replacen('¦', "", 1)), expected, "{marked}");
}

#[test]
fn a_query_begins_with_a_spanset_or_an_aggregate() {
    check_items("¦", "{ ( count avg min max sum by select");
    check_items("co¦", "count");
    check_items(
        "{ } | ¦",
        "{ ( count avg min max sum by select coalesce() rate count_over_time min_over_time max_over_time avg_over_time sum_over_time quantile_over_time histogram_over_time compare",
    );
    check_items("{ } | qu¦", "quantile_over_time");
}

#[test]
fn fields_stand_where_a_condition_begins() {
    check_items("{ st¦ }", "status statusMessage");
    check_items("{ span:st¦", "span:status span:statusMessage");
    check_items(
        "{ name = \"x\" && trace¦",
        "trace:id traceDuration trace:duration trace:rootName trace:rootService",
    );
    check_items("{ re¦", "resource.");
    check_items("{ parent.st¦", "parent.status parent.statusMessage");
    assert!(at("{ ¦ }").items.contains(&Item {
        kind: ItemKind::Scope,
        text: "resource."
    }));
    check_wanted("{ ¦", &["name Any "]);
    check_wanted("{ htt¦", &["name Any htt"]);
    check_wanted("{ http.meth¦od = 1 }", &["name Any http.meth"]);
    check_wanted(
        "{ .a = 1 && resource.service.n¦ }",
        &["name Resource service.n"],
    );
    check_wanted("{ span.¦ }", &["name Span "]);
    check_wanted("{ span.\"a b¦", &["name Span a b"]);
}

#[test]
fn operators_follow_the_type_of_what_stands_before() {
    check_items("{ name ¦", "= != =~ !~");
    check_items("{ status ¦", "= !=");
    check_items("{ duration ¦", "> >= < <= = != + - * / % ^");
    check_items("{ .a ¦", "= != =~ !~ > >= < <= && || + - * / % ^ }");
    check_items("{ status = error ¦", "&& || }");
    check_items("{ .a = 1 ¦ }", "+ - * / % ^ && || }");
    check_items("{ (.a = \"x\" ¦", "&& || )");
}

#[test]
fn values_are_those_of_the_field() {
    check_items("{ status = ¦", "error ok unset");
    check_items("{ kind != c¦ }", "client consumer");
    check_items("{ .a = t¦", "true");
    check_wanted(
        "{ resource.service.name = ¦",
        &["value resource.service.name "],
    );
    check_wanted(
        "{ resource.service.name = \"pay¦\" && .a }",
        &["value resource.service.name pay"],
    );
    check_wanted(
        "{ resource.service.name = pay¦",
        &["value resource.service.name pay"],
    );
    check_wanted("{ name =~ \"GET¦", &["value name GET"]);
    check_wanted("{ .a = span.b¦", &["name Span b"]);
    check_wanted("{ duration > 1¦", &[]);
}

#[test]
fn stages_continue_with_what_parses() {
    check_items(
        "{ .a } ¦",
        "&& || >> > << < ~ !>> !> !<< !< !~ &>> &> &<< &< &~ | with",
    );
    check_items("{ .a } >> ¦", "{ ( count avg min max sum");
    check_items("count() ¦", "= != > >= < <= + - * / % ^ | with");
    check_items("{ } | rate() ¦", "by = != > >= < <= | with");
    check_items("{ } | rate() | ¦", "topk bottomk");
    check_items("({ } | rate()) ¦", "+ - * / = != > >= < <= | with");
    check_items("{ } | rate¦", "rate");
    check_items("{ } | rate() by (¦", &{
        let all = at("{ } | select(¦").items;
        all.iter()
            .map(|item| item.text)
            .collect::<Vec<_>>()
            .join(" ")
    });
    check_items("{ } | avg_over_time(d¦", "duration");
    check_items("{ } | compare(¦", "{");
    check_items("{ } | quantile_over_time(duration, ¦", "0.5 0.9 0.95 0.99");
    check_items("{ } with(ex¦", "exemplars extrapolate");
    check_items("{ } with(exemplars=¦", "true false");
    check_wanted("{ } | by(resource.¦)", &["name Resource "]);
}

#[test]
fn nothing_is_offered_in_comments_and_finished_strings() {
    check_items("{ .a = 1 } // st¦", "");
    check_items("{ /* st¦ */ }", "");
    check_wanted("{ name = \"x\"¦", &[]);
    check_items("{ } | topk(¦", "");
}

#[test]
fn the_whole_word_is_replaced() {
    check_replaced("{ sta¦tus = error }", "status");
    check_replaced("{ span.htt¦p.method }", "span.http.method");
    check_replaced("{ name = \"GE¦T\" }", "\"GET\"");
    check_replaced("{ name = ¦ }", "");
}

#[test]
fn values_are_narrowed_by_the_other_conditions() {
    let filter = |marked| at(marked).filter.map(|filter| filter.text);
    let service = Some("{ resource.service.name = \"pay\" }".to_owned());
    assert_eq!(
        filter("{ resource.service.name = \"pay\" && name = ¦ }"),
        service
    );
    assert_eq!(
        filter("{ resource.service.name = \"pay\" && name = \"x¦"),
        service
    );
    assert_eq!(
        filter("{ name = ¦ && resource.service.name = \"pay\" } | rate()"),
        service
    );
    assert_eq!(
        filter("{ .x } >> { resource.service.name = \"pay\" && .a = ¦"),
        service
    );
    assert_eq!(
        filter("{ resource.service.name = \"pay\" || name = ¦ }"),
        None
    );
    assert_eq!(filter("{ name = ¦ }"), None);
}

#[test]
fn what_is_complete_of_a_filter_is_known() {
    let known = |text| traceql::known_filter(text).map(|filter| filter.text);
    for (text, expected) in [
        ("{ .a = 1 && .b = }", "{ .a = 1 }"),
        ("{ .a = 1 && .b = 2", "{ .a = 1 && .b = 2 }"),
        ("{ .a = 1 && span. }", "{ .a = 1 }"),
        ("{ .a = 1 && name = 5 }", "{ .a = 1 }"),
        ("{ .a = 1 && (.b = 2 || .c = ) }", "{ .a = 1 }"),
        (
            "{ (.a = 1 || .b = 2) && !(.c = 3) && ",
            "{ (.a = 1 || .b = 2) && !(.c = 3) }",
        ),
        ("{ .a = 1 } | rate()", "{ .a = 1 }"),
    ] {
        assert_eq!(known(text).as_deref(), Some(expected), "{text}");
    }
    for text in [
        "",
        "{}",
        "{ .a = }",
        "{ .a = 1 } && { .b = 2 }",
        "count() > 1",
    ] {
        assert_eq!(known(text), None, "{text}");
    }
}

#[test]
fn a_field_is_read_by_itself() {
    for text in [
        "name",
        ".a",
        "span.\"a b\"",
        "event:name",
        "parent.duration",
        "resource.a/b",
    ] {
        let field = traceql::parse_field(text).unwrap();
        assert_eq!(field.to_string(), text);
        assert_eq!(traceql::parse_field(&format!(" {text} ")), Ok(field));
    }
    for text in [
        "", "foo", "foo.bar", "span.", "span.a b", "1", "name = 1", "parent", "span:foo",
    ] {
        let errors = traceql::parse_field(text).unwrap_err();
        assert!(errors.iter().any(traceql::Diagnostic::is_error), "{text}");
    }
}
