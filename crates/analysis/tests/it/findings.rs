//! Findings on drawn traces: one trace for each pattern, and what must not be taken for it.

use analysis::{Finding, Pattern};

use crate::told::{Told, drawn, ms};

/// Checks the findings of one pattern: `spans | ms at stake | headline`, a line for each.
#[track_caller]
fn check(text: &str, pattern: Pattern, expected: &str) {
    let told = drawn(text);
    let found: Vec<String> = of(&told, pattern)
        .map(|finding| line(&told, finding))
        .collect();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(found.join("\n"), expected.join("\n"));
}

fn of(told: &Told, pattern: Pattern) -> impl Iterator<Item = &Finding> {
    let list = told.analysis.findings.list.iter();
    list.filter(move |finding| finding.pattern == pattern)
}

fn line(told: &Told, finding: &Finding) -> String {
    let spans = told.names(&finding.spans);
    format!(
        "{spans} | {} | {}",
        ms(finding.at_stake_ns),
        finding.headline
    )
}

/// A parent of `count` children, each `duration` after the other, with what `rest` says of the number.
fn repeated(count: usize, duration: usize, rest: impl Fn(usize) -> String) -> String {
    let mut text = format!("web root | server 0..{}\n", count * duration + 100);
    for number in 0..count {
        let start = number * duration;
        text += &format!(
            "  web q | client {start}..{} {}\n",
            start + duration,
            rest(number)
        );
    }
    text
}

#[test]
fn calls_of_one_form_one_after_another_are_repeated_calls() {
    let text = repeated(12, 10, |number| {
        format!(
            "db.system=postgresql server.address=pg db.query.text=\"select a from t where id = {number}\""
        )
    });
    let told = drawn(&text);
    let finding = of(&told, Pattern::RepeatedCalls).next().expect("a finding");
    assert_eq!((finding.span_count, ms(finding.at_stake_ns)), (12, 110.0));
    assert_eq!(finding.headline, "12 × q, one after another");
    assert_eq!(
        finding.sentence,
        "Below root, web called pg 12 times, one after another, each `select a from t where id = ?`. Together they took 120 ms."
    );
    assert!(finding.advice.contains("one statement"));
}

#[test]
fn few_or_different_or_parallel_calls_are_not_repeated_calls() {
    let few = repeated(9, 10, |_| String::new());
    let different = repeated(12, 10, |number| {
        let table = if number % 2 == 0 { "a" } else { "b" };
        format!("db.query.text=\"select x from {table}\"")
    });
    let mut parallel = "web root | server 0..100\n".to_owned();
    for number in 0..12 {
        parallel += &format!("  web q | client {number}..90\n");
    }
    for text in [few, different, parallel] {
        assert_eq!(
            of(&drawn(&text), Pattern::RepeatedCalls).count(),
            0,
            "{text}"
        );
    }
}

#[test]
fn calls_that_fail_alike_and_are_made_again_are_retries() {
    let told = drawn(
        "
        web root | server 0..9500
          web POST | client 0..3000 error error.type=TimeoutException server.address=bank
          web POST | client 3000..6000 error error.type=TimeoutException server.address=bank
          web POST | client 6000..9000 error error.type=TimeoutException server.address=bank
          web POST | client 9000..9400 server.address=other
        ",
    );
    let finding = of(&told, Pattern::Retries).next().expect("a finding");
    assert_eq!(
        line(&told, finding),
        "POST POST POST | 9000 | 3 attempts, each timing out after 3 s"
    );
    assert_eq!(
        finding.sentence,
        "web called bank 3 times in a row: 3 attempts timed out after 3 s, then other answered, and nothing above is marked as an error."
    );
    assert_eq!(
        told.analysis.summary.text,
        "95 % in web → bank: 3 attempts, each timing out after 3 s"
    );
}

#[test]
fn a_success_ends_a_run_of_attempts_and_growing_pauses_are_seen() {
    let told = drawn(
        "
        web root | server 0..1000
          web call | client 0..50 error
          web call | client 100..150 error
          web call | client 300..350
          web call | client 400..450
        ",
    );
    let finding = of(&told, Pattern::Retries).next().expect("a finding");
    // Two failures of 50 ms, and pauses of 50 and 150 ms.
    assert_eq!(
        line(&told, finding),
        "call call call | 300 | 3 attempts, 2 failing after 50 ms, then a success"
    );
    assert!(finding.advice.starts_with("Pauses grow"));
}

#[test]
fn failures_side_by_side_or_of_different_things_are_no_retries() {
    for text in [
        "
        web root | server 0..100
          web call | client 0..50 error
          web call | client 10..60 error
        ",
        "
        web root | server 0..100
          web call | client 0..50 error url.full=http://a/1
          web call | client 50..90 error url.full=http://a/2
        ",
    ] {
        check(text, Pattern::Retries, "");
    }
}

#[test]
fn questions_back_to_back_could_be_asked_side_by_side() {
    let told = drawn(
        "
        web root | server 0..100
          web GET | client 0..30 http.request.method=GET
            prices GetPrices | server 5..25
          web GET | client 30..50 http.request.method=GET
            reviews List | server 32..48
          web GET | client 51..91 http.request.method=GET server.address=stock
        ",
    );
    let finding = of(&told, Pattern::SequentialCalls)
        .next()
        .expect("a finding");
    assert_eq!(
        line(&told, finding),
        "GET GET GET | 50 | 3 calls in sequence; side by side 50 ms could be saved"
    );
    assert_eq!(
        finding.sentence,
        "Below root, web asked for prices GetPrices, reviews List and GET one after the other, in 90 ms; none visibly needs the answer of another."
    );
    assert_eq!(
        finding.advice,
        "If they do not depend on each other, start them together: they could take 40 ms instead of 90 ms."
    );
}

#[test]
fn changes_statements_and_calls_with_pauses_are_left_in_sequence() {
    for text in [
        "
        web root | server 0..100
          web POST | client 0..50 http.request.method=POST
          web POST | client 50..100 http.request.method=POST
        ",
        "
        web root | server 0..100
          web shop.Cart/AddItem | client 0..50
          web shop.Pay/Charge | client 50..100
        ",
        "
        web root | server 0..100
          web select | client 0..50 db.system=postgresql
          web select | client 50..100 db.system=postgresql
        ",
        "
        web root | server 0..100
          web a | client 0..40
          web b | client 60..100
        ",
    ] {
        check(text, Pattern::SequentialCalls, "");
    }
}

#[test]
fn the_slowest_of_parallel_calls_is_a_straggler_and_its_difference_is_named() {
    let told = drawn(
        "
        web root | server 0..220
          web search | client 0..20 shard=1 zone=a
          web search | client 0..22 shard=2 zone=a
          web search | client 0..24 shard=3 zone=a
          web search | client 0..200 shard=4 zone=b
        ",
    );
    let finding = of(&told, Pattern::Straggler).next().expect("a finding");
    assert_eq!(
        line(&told, finding),
        "search | 176 | 1 of 4 parallel calls took 200 ms, the others 24 ms"
    );
    assert!(
        finding.sentence.ends_with("Only it has zone = b."),
        "{}",
        finding.sentence
    );
}

#[test]
fn a_span_with_very_many_children_is_a_wide_fan_out() {
    let mut text = "web root | server 0..100\n".to_owned();
    for _ in 0..120 {
        text += "  web item | internal 10..90\n";
    }
    let told = drawn(&text);
    let finding = of(&told, Pattern::WideFanOut).next().expect("a finding");
    assert_eq!(
        (finding.span_count, finding.headline.as_str()),
        (120, "120 children below root")
    );
}

#[test]
fn long_time_with_nothing_recorded_is_dark() {
    let told = drawn(
        "
        web root | server 0..1000
          web GET | client 10..20
          web MGET | client 900..990
        ",
    );
    let finding = of(&told, Pattern::DarkTime).next().expect("a finding");
    assert_eq!(
        line(&told, finding),
        "root | 900 | 900 ms in root with nothing recorded"
    );
    assert_eq!(
        finding.sentence,
        "For 900 ms, web was in root without any span or event below, most of it between GET and MGET."
    );
    assert_eq!(
        told.analysis.summary.text,
        "90 % in web, root: 900 ms in root with nothing recorded"
    );
}

#[test]
fn long_time_between_client_and_server_is_a_network_gap() {
    check(
        "
        web root | server 0..200
          web call | client 10..190
            pay work | server 90..110
        ",
        Pattern::NetworkGap,
        "call work | 160 | 160 ms between web and pay",
    );
}

#[test]
fn work_that_goes_on_after_its_caller_gave_up_is_a_hidden_timeout() {
    let told = drawn(
        "
        web root | server 0..3100
          web call | client 10..3010 error
            pay Charge | server 20..8010
        ",
    );
    let finding = of(&told, Pattern::HiddenTimeout).next().expect("a finding");
    assert_eq!(
        line(&told, finding),
        "call Charge | 3000 | web gave up after 3 s, pay went on for 5 s"
    );
}

#[test]
fn a_round_duration_tells_of_a_timeout_that_nothing_else_tells() {
    check(
        "
        web root | server 0..3100
          web a | client 0..1005 server.address=cache
            pay work | server 5..2500
          web b | client 1010..3020 error server.address=bank
        ",
        Pattern::HiddenTimeout,
        "b | 2010 | web waited 2 s for bank until it timed out
        a work | 1005 | web gave up after 1 s, pay went on for 1.5 s",
    );
}

#[test]
fn an_error_below_success_is_swallowed_where_it_was_last_seen() {
    let told = drawn(
        "
        web root | server 0..100
          web ads | client 10..40 error
            ads List | server 20..30 error
          web cart | client 50..90
        ",
    );
    let finding = of(&told, Pattern::SwallowedError)
        .next()
        .expect("a finding");
    assert_eq!(
        line(&told, finding),
        "ads | 30 | ads in web failed, and nothing above says so"
    );
    assert_eq!(
        finding.sentence,
        "ads in web ended with an error. root and all above report success."
    );
}

#[test]
fn an_error_that_reaches_the_root_or_was_retried_is_not_swallowed() {
    for text in [
        "
        web root | server 0..100 error
          web mid | internal 0..90
            web call | client 10..40 error
        ",
        "
        web root | server 0..100 http.response.status_code=404
          web call | client 10..40 error
        ",
        "
        web root | server 0..100
          web call | client 10..40 error
            pay work | server 15..35 error
          web call | client 50..90
        ",
    ] {
        check(text, Pattern::SwallowedError, "");
    }
}

#[test]
fn a_failed_answer_without_error_status_is_a_wrong_status() {
    check(
        "web root | server 0..100 http.response.status_code=503",
        Pattern::WrongStatus,
        "root | 0 | root answered 503 and is not marked as an error",
    );
}

#[test]
fn what_nobody_waits_for_is_told_as_running_aside() {
    check(
        "
        web root | server 0..100
          web send | producer 10..12
            mail process | consumer 500..600
          web refresh | internal 20..300
        ",
        Pattern::FireAndForget,
        "process | 0 | process runs aside, up to 588 ms later
        refresh | 0 | refresh outlives root, by up to 200 ms",
    );
}

#[test]
fn missing_parents_are_told_apart_by_what_is_missing() {
    check(
        "
        web root | server 0..100
        pay work | server 20..80 parent=99
        web step | internal 20..80 parent=98
        web again | server 30..80
        ",
        Pattern::BrokenChain,
        "work | 0 | 1 request without the caller's span
        step | 0 | 1 span with a missing parent
        again | 0 | 1 root besides the first",
    );
}

#[test]
fn clocks_that_disagree_are_told_by_pair_of_services() {
    check(
        "
        web root | server 0..100
          web call | client 10..90
            pay work | server 1020..1080
              pay step | internal 1030..1040
        ",
        Pattern::ClockSkew,
        "work | 0 | the clocks of web and pay disagree",
    );
}

#[test]
fn what_is_wrong_with_the_spans_themselves_is_told() {
    let told = drawn(
        "
        web root | server 0..40
          web back | internal 10..5
          web a | internal 10..20 id=9
          web a | internal 20..30 id=9
          unknown_service:java plain | internal 30..40
          web own | internal 5..6 id=20 parent=20
        poll process | consumer 0..1
        ",
    );
    let found: Vec<(Pattern, usize)> = told
        .analysis
        .findings
        .list
        .iter()
        .map(|finding| (finding.pattern, finding.span_count))
        .collect();
    assert_eq!(
        found,
        [
            (Pattern::BrokenChain, 1),
            (Pattern::WrongTimes, 1),
            (Pattern::WrongIds, 0),
            (Pattern::WrongIds, 1),
            (Pattern::MissingLink, 1),
            (Pattern::MissingServiceName, 1),
        ]
    );
}

#[test]
fn names_that_hold_values_get_a_template() {
    let mut text = "web root | server 0..100\n".to_owned();
    for number in 0..6 {
        text += &format!("  web load user {number} | internal 10..90\n");
    }
    let told = drawn(&text);
    let finding = of(&told, Pattern::NamesWithValues)
        .next()
        .expect("a finding");
    assert_eq!(finding.headline, "6 names in web differ in values alone");
    assert!(finding.advice.contains("`load user ?`"));
}

#[test]
fn a_call_between_services_without_kinds_is_told() {
    check(
        "
        web root | internal 0..100
          pay work | internal 10..90
        ",
        Pattern::WrongKind,
        "work | 0 | 1 call between services without kinds",
    );
}

#[test]
fn a_healthy_trace_has_no_findings() {
    let told = drawn(
        "
        web root | server 0..10
          web call | client 1..9
            pay work | server 2..8
              pay select | client 3..7 db.system=postgresql
        ",
    );
    assert_eq!(told.analysis.findings.list, []);
    assert_eq!(
        told.analysis.summary.text,
        "40 % in pay → select; 20 % in web, root"
    );
}
