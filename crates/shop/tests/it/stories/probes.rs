//! Health checks.

use std::collections::HashSet;

use model::SpanKind;
use shop::Scene;

use crate::support::{Tree, hour};

#[test]
fn health_checks_are_short_traces_of_one_span_from_every_service() {
    let mut services = HashSet::new();
    for (_, visit) in hour()
        .iter()
        .filter(|(_, visit)| visit.scene == Scene::HealthCheck)
    {
        let tree = Tree::of(visit);
        assert_eq!(tree.spans.len(), 1);
        let seen = tree.spans[0];
        assert_eq!(
            (seen.span.name.as_ref(), seen.span.kind),
            ("GET /healthz", SpanKind::Server)
        );
        assert!(seen.span.millis() < 10.0);
        services.insert(seen.service().to_owned());
    }
    assert_eq!(services.len(), shop::Shop::services().count());
}
