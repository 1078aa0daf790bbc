//! Names of the attributes of some spans.

use model::Value;
use query::{Limits, TagsRequest};
use testkit::random::{self, Size, traces};
use traceql::query::Scope;
use traceql::testing::Choices;

use crate::world::{Place, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_those_of_the_spans_that_pass() {
    for place in [Place::Live, Place::Blocks, Place::Pieces, Place::Mixed] {
        let bytes = random::bytes(7, 4000);
        let mut drawn = traces(&mut Choices::new(&bytes), Size::default());
        let spans = drawn.iter_mut().flat_map(|trace| &mut trace.spans);
        for (number, span) in spans.enumerate() {
            let key = if number % 2 == 0 { "even" } else { "odd" };
            span.attributes.push((key.into(), Value::Bool(true)));
            let key = format!("of.{key}");
            span.resource.push((key, Value::Int(1)));
        }
        let world = World::new(&drawn, place, 3).await;
        let names = async |text: &str, scope: Scope| {
            let request = TagsRequest {
                scope,
                filter: traceql::known_filter(text).map(|filter| filter.condition),
                start: None,
                end: None,
                limit: 1000,
                limits: Limits::default(),
            };
            let found = world.query.tag_names(&request).await.unwrap();
            assert_eq!(found.missing, Vec::<String>::new());
            found.scopes
        };
        let has = |found: &[(Scope, Vec<String>)], scope: Scope, name: &str| {
            let mut scopes = found.iter().filter(|(of, _)| *of == scope);
            scopes.any(|(_, names)| names.iter().any(|known| known == name))
        };
        let even = names("{ span.even = true }", Scope::Any).await;
        for (scope, own, other) in [
            (Scope::Span, "even", "odd"),
            (Scope::Resource, "of.even", "of.odd"),
        ] {
            assert!(
                has(&even, scope, own) && !has(&even, scope, other),
                "{place:?}"
            );
        }
        assert!(has(&even, Scope::Resource, "service.name"));
        let of_spans = names("{ span.even = true }", Scope::Span).await;
        assert_eq!(of_spans.len(), 1);
        let all = names("{ }", Scope::Any).await;
        assert!(has(&all, Scope::Span, "even") && has(&all, Scope::Span, "odd"));
        assert_eq!(names("{ span.even = false }", Scope::Any).await, []);
    }
}
