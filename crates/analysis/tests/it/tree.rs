//! Odd parents.

use crate::told::drawn;

#[test]
fn an_orphan_is_a_root_and_the_earliest_true_root_is_the_main_one() {
    let told = drawn(
        "
        web lost | internal 0..50 parent=99
        web second | server 30..90
        web first | server 10..20
        ",
    );
    assert_eq!(told.tree(), "lost 0..50\nfirst 10..20\nsecond 30..90\n");
    assert_eq!(told.names(&told.analysis.notes.orphans), "lost");
    assert_eq!(
        told.analysis.main_root.map(|root| told.name(root)),
        Some("first")
    );
}

#[test]
fn without_a_true_root_the_longest_orphan_is_the_main_one() {
    let told = drawn(
        "
        web a | internal 0..50 parent=99
        web b | internal 10..90 parent=98
        ",
    );
    assert_eq!(
        told.analysis.main_root.map(|root| told.name(root)),
        Some("b")
    );
}

#[test]
fn a_circle_is_cut_at_its_earliest_span_and_what_hangs_below_stays_below() {
    let told = drawn(
        "
        web below | internal 0..1 id=1 parent=3
        web a | internal 5..9 id=2 parent=3
        web b | internal 3..9 id=3 parent=2
        web own | internal 7..8 id=4 parent=4
        ",
    );
    assert_eq!(told.tree(), "own 7..8\nb 3..9\n  below 0..1\n  a 5..9\n");
    assert_eq!(told.names(&told.analysis.notes.circles), "own b");
}

#[test]
fn of_spans_with_one_id_the_earliest_is_kept() {
    let told = drawn(
        "
        web root | server 0..100
          web late | internal 20..30 id=7
          web early | internal 10..30 id=7
            web below | internal 21..22
        ",
    );
    assert_eq!(
        told.tree(),
        "root 0..100\n  early 10..30\n    below 21..22\n"
    );
    assert_eq!(told.analysis.notes.duplicate_rows, [1]);
}

#[test]
fn a_client_and_a_server_that_share_an_id_become_parent_and_child() {
    let told = drawn(
        "
        web root | server 0..100
          web call | client 10..90 id=7
          pay work | server 20..80 id=7
            pay step | internal 30..40
        ",
    );
    assert_eq!(
        told.tree(),
        "root 0..100\n  call 10..90\n    work 20..80\n      step 30..40\n"
    );
    assert_eq!(told.names(&told.analysis.notes.shared_ids), "work");
}

#[test]
fn no_spans_have_an_empty_analysis() {
    let told = drawn("");
    assert_eq!(told.analysis.main_root, None);
    assert!(told.analysis.critical_path.is_empty());
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_length() {
    let told = drawn("web root | server 10..5");
    assert_eq!(told.tree(), "root 0..0\n");
    assert_eq!(told.names(&told.analysis.notes.backwards), "root");
}
