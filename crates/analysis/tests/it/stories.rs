//! The simulated shop, whose traces come with the truth about them: each story must be found, and told.

use analysis::{Analysis, Finding, Pattern, Settings, analyse};
use model::{SpanBatch, UnixNanos};
use shop::{Scene, Shop, Story};

const OPENED: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

fn trace(services: &[shop::ServiceSpans]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    wire::otlp::decode(
        &shop::encode(services),
        &wire::otlp::DecodeLimits::default(),
        &mut batch,
    )
    .expect("what the shop encodes");
    batch
}

/// The largest trace of the first visit of a scene that tells a story.
fn told(scene: Scene, story: Story) -> Analysis {
    let visit = Shop::new(7, OPENED)
        .find(scene, story, OPENED)
        .expect("the story happens");
    let mut batch = trace(&visit.services);
    let first = batch
        .spans
        .iter()
        .find(|span| span.is_root())
        .expect("a root")
        .trace_id;
    batch.spans.retain(|span| span.trace_id == first);
    analyse(&batch, &Settings::default())
}

#[track_caller]
fn found(analysis: &Analysis, pattern: Pattern) -> &Finding {
    let list = &analysis.findings.list;
    list.iter()
        .find(|finding| finding.pattern == pattern)
        .unwrap_or_else(|| panic!("no {pattern:?} among {list:#?}"))
}

#[test]
fn the_checkout_of_thirty_seconds_is_told_in_a_line() {
    let analysis = told(Scene::Checkout, Story::PaymentTimeouts);
    assert_eq!(
        analysis.summary.text,
        "98 % in payment → api.acquirer.example: 10 attempts, each timing out after 3 s"
    );
    let finding = found(&analysis, Pattern::Retries);
    assert_eq!(finding.span_count, 10);
    assert!(
        finding
            .sentence
            .contains("then payments.second-acquirer.example answered")
    );
    assert!(
        finding
            .sentence
            .ends_with("nothing above is marked as an error.")
    );
}

#[test]
fn a_slow_provider_far_below_is_named() {
    let analysis = told(Scene::Checkout, Story::TaxGeoLookup);
    assert!(
        analysis
            .summary
            .text
            .contains("% in geo → api.geocoder.example"),
        "{}",
        analysis.summary.text
    );
}

#[test]
fn a_statement_for_each_order_is_told_with_its_form() {
    let analysis = told(Scene::OrderHistory, Story::ManyQueries);
    let finding = found(&analysis, Pattern::RepeatedCalls);
    assert!(
        finding
            .sentence
            .contains("from order_items i where i.order_id = ? and")
    );
    assert!(finding.share > 0.5);
    assert!(
        analysis
            .summary
            .text
            .contains("× SELECT order_items, one after another")
    );
}

#[test]
fn questions_in_sequence_are_told_with_what_could_be_saved() {
    let analysis = told(Scene::Product, Story::InSequence);
    let finding = found(&analysis, Pattern::SequentialCalls);
    assert!(
        finding
            .sentence
            .contains("review GET /products/:sku/reviews")
    );
    assert!(finding.at_stake_ns > 0);
}

#[test]
fn dark_time_is_told_with_the_place_where_it_passed() {
    let analysis = told(Scene::Home, Story::DarkTime);
    let finding = found(&analysis, Pattern::DarkTime);
    assert!(
        finding
            .sentence
            .contains("most of it between GET and catalog"),
        "{}",
        finding.sentence
    );
}

#[test]
fn an_error_that_the_page_hides_is_swallowed() {
    let analysis = told(Scene::Home, Story::SwallowedError);
    assert!(
        found(&analysis, Pattern::SwallowedError)
            .headline
            .contains("AdService/GetAds")
    );
}

#[test]
fn a_conflict_and_its_second_try_are_a_retry() {
    let analysis = told(Scene::CartAdd, Story::CartConflict);
    let finding = found(&analysis, Pattern::Retries);
    assert!(finding.headline.starts_with("2 attempts, 1 failing after"));
    assert!(
        analysis.summary.text.ends_with(&finding.headline),
        "{}",
        analysis.summary.text
    );
}

#[test]
fn consumers_run_aside() {
    let analysis = told(Scene::Checkout, Story::OrderEvent);
    assert!(
        found(&analysis, Pattern::FireAndForget)
            .headline
            .starts_with("process orders.placed runs aside")
    );
}

#[test]
fn clocks_off_by_a_millisecond_are_corrected_in_silence() {
    let analysis = told(Scene::Checkout, Story::OrderEvent);
    assert!(analysis.spans.shift_ns.iter().any(|&shift| shift != 0));
    let is_skew = |finding: &Finding| finding.pattern == Pattern::ClockSkew;
    assert!(!analysis.findings.list.iter().any(is_skew));
}

#[test]
fn a_health_check_has_no_findings() {
    let analysis = told(Scene::HealthCheck, Story::HealthCheck);
    assert_eq!(analysis.findings.list, []);
}
