//! Clocks that disagree.

use analysis::Settings;

use crate::told::{drawn, drawn_with};

/// The tree after correction, as offsets from the earliest recorded start, and what moved.
#[track_caller]
fn check(text: &str, expected: &str) {
    let told = drawn(text);
    let moved = told.times(&told.analysis.spans.shift_ns);
    let trimmed: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    let told: Vec<String> = told
        .tree()
        .lines()
        .map(|line| line.trim().to_owned())
        .collect();
    assert_eq!(
        [told.join("\n"), moved].join("\n").trim(),
        trimmed.join("\n")
    );
}

#[test]
fn a_server_outside_its_client_is_centred_and_all_on_its_host_moves_along() {
    check(
        "
        web root | server 0..100
          web call | client 10..90
            pay work | server 1020..1080
              pay step | internal 1030..1040
              pay ask | client 1050..1070
                web back | server 55..65
        ",
        "
        root 0..100
          call 10..90
            work 20..80
              step 30..40
              ask 50..70
                back 55..65
        work -1000, step -1000, ask -1000",
    );
}

#[test]
fn a_child_longer_than_its_parent_is_only_kept_from_starting_early() {
    check(
        "
        web call | client 100..200
          pay work | server 50..250
        ",
        "
        call 50..150
          work 50..250
        work 50",
    );
}

#[test]
fn spans_of_one_host_are_never_moved_against_each_other() {
    check(
        "
        web call | client 100..200 host=a
          pay work | server 50..90 host=a
        ",
        "
        call 50..150
          work 0..40
        ",
    );
}

#[test]
fn messages_and_servers_that_outlive_their_client_are_not_taken_for_skew() {
    check(
        "
        web root | server 0..100
          web send | producer 10..12
            mail process | consumer 500..600
          web call | client 20..50 error error.type=timeout
            pay work | server 40..65
        ",
        "
        root 0..100
          send 10..12
            process 500..600
          call 20..50
            work 40..65
        ",
    );
}

#[test]
fn a_failed_call_whose_server_ends_a_moment_late_is_a_matter_of_clocks() {
    check(
        "
        web call | client 0..4 error
          pay work | server 1..4.5
        ",
        "
        call 0..4
          work 0.5..4
        work -0.5",
    );
}

#[test]
fn a_child_that_sticks_out_by_little_is_moved_by_no_more() {
    check(
        "
        web call | client 0..1000
          pay late | server 900..1002
          pay early | server -3..100
        ",
        "
        call 3..1003
          early 3..106
          late 901..1003
        early 3, late -2",
    );
}

#[test]
fn what_passes_the_bound_is_reported_and_left() {
    let told = drawn(
        "
        web call | client 0..100
          pay work | server 100000..100050
        ",
    );
    assert_eq!(told.names(&told.analysis.notes.skew_refused), "work");
    assert_eq!(told.times(&told.analysis.spans.shift_ns), "");
}

#[test]
fn correction_can_be_switched_off() {
    let settings = Settings {
        correct_skew: false,
        ..Settings::default()
    };
    let told = drawn_with(
        "
        web call | client 0..100
          pay work | server 200..250
        ",
        &settings,
    );
    assert_eq!(told.tree(), "call 0..100\n  work 200..250\n");
    assert_eq!(told.paths(), "call 0..100");
}
