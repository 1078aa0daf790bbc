//! Critical path, self time, gap and dark time on drawn traces.

use crate::told::drawn;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(drawn(text).paths(), expected);
}

#[test]
fn children_that_touch_are_all_on_the_path() {
    check(
        "
        web root | server 0..100
          web a | internal 10..40
          web b | internal 50..70
          web c | internal 70..90
        ",
        "root 0..10, a 10..40, root 40..50, b 50..70, c 70..90, root 90..100",
    );
}

#[test]
fn of_parallel_children_the_last_to_end_was_waited_for() {
    check(
        "
        web root | server 0..100
          web a | internal 10..60
          web b | internal 10..90
            web c | internal 20..30
        ",
        "root 0..10, b 10..20, c 20..30, b 30..90, root 90..100",
    );
}

#[test]
fn a_child_still_running_when_the_next_began_was_not_waited_for() {
    check(
        "
        web root | server 0..100
          web a | internal 0..60
          web b | internal 50..100
        ",
        "root 0..50, b 50..100",
    );
}

#[test]
fn an_overlap_within_noise_is_one_after_the_other() {
    check(
        "
        web root | server 0..100
          web a | internal 0..50.4
          web b | internal 50..100
        ",
        "a 0..50, b 50..100",
    );
}

#[test]
fn a_path_may_begin_at_the_very_start() {
    check(
        "
        web root | server 0..100
          web a | internal 0..50
            web b | internal 0..50
          web c | internal 50..50
        ",
        "b 0..50, root 50..100",
    );
}

#[test]
fn consumers_and_children_that_outlive_their_parent_are_detached() {
    let told = drawn(
        "
        web root | server 0..100
          web send | producer 10..12
            mail process | consumer 11..11.5
          web refresh | internal 20..300
            web query | client 30..80
          web a | internal 40..60
        ",
    );
    assert_eq!(
        told.paths(),
        "root 0..10, send 10..12, root 12..40, a 40..60, root 60..100"
    );
    let detached: Vec<u32> = (0..6)
        .filter(|&position| told.analysis.spans.is_detached[position as usize])
        .collect();
    assert_eq!(told.names(&detached), "process refresh");
    assert_eq!(
        told.times(&told.analysis.spans.self_ns),
        "root 78, send 2, process 0.5, refresh 230, query 50, a 20"
    );
}

#[test]
fn a_consumer_in_its_own_process_is_waited_for() {
    check(
        "
        mail poll | consumer 0..100
          mail process | consumer 10..90
        ",
        "poll 0..10, process 10..90, poll 90..100",
    );
}

#[test]
fn a_server_that_outlives_its_client_was_waited_for_until_the_client_gave_up() {
    check(
        "
        web root | server 0..3100
          web call | client 0..3000 error
            pay work | server 10..9000
        ",
        "call 0..10, work 10..3000, root 3000..3100",
    );
}

#[test]
fn each_root_has_a_path_of_its_own() {
    check(
        "
        web root | server 0..100
        web lost | internal 10..20 parent=99
          web below | internal 12..14
        ",
        "root 0..100\nlost 10..12, below 12..14, lost 14..20",
    );
}

#[test]
fn time_between_client_and_server_is_neither_sides() {
    let told = drawn(
        "
        web root | server 0..100
          web call | client 10..90
            pay work | server 20..70
              pay query | client 30..60
        ",
    );
    let spans = &told.analysis.spans;
    assert_eq!(told.times(&spans.gap_ns), "call 30");
    assert_eq!(
        told.times(&spans.self_ns),
        "root 20, call 30, work 20, query 30"
    );
    // What the client waits for is known to be the network, what the query waits for to be the database.
    assert_eq!(told.times(&spans.dark_ns), "root 20, work 20");
}

#[test]
fn a_step_inside_a_process_and_time_with_events_are_not_dark() {
    let told = drawn(
        "
        web root | server 0..100 event@60
          web render | internal 10..40
        ",
    );
    assert_eq!(told.times(&told.analysis.spans.dark_ns), "root 70");
    assert_eq!(
        told.sections(&told.analysis.dark),
        "root 0..10, root 40..60, root 60..100"
    );
}

#[test]
fn overlapping_children_are_counted_once() {
    let told = drawn(
        "
        web root | server 0..100
          web a | internal 10..50
          web b | internal 30..60
          web c | internal 40..45
        ",
    );
    assert_eq!(
        told.times(&told.analysis.spans.self_ns),
        "root 50, a 40, b 30, c 5"
    );
}
