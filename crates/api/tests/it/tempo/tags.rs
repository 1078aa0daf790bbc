//! Names of attributes, and their values.

use serde_json::{Value, json};

use super::{check_jobs, json_of, world};
use crate::query::encoded;

#[tokio::test(flavor = "multi_thread")]
async fn names_are_listed() {
    for is_stored in [false, true] {
        let world = world(is_stored).await;
        let found = json_of(&world, "/api/v2/search/tags?limit=5000").await;
        let scopes = found["scopes"].as_array().unwrap();
        assert_eq!(
            scopes[0],
            json!({"name": "span", "tags": ["hot", "n", "route"]})
        );
        assert_eq!(
            scopes[1],
            json!({"name": "resource", "tags": ["service.name"]})
        );
        assert_eq!((scopes.len(), &scopes[2]["name"]), (3, &json!("intrinsic")));
        assert!(
            scopes[2]["tags"]
                .as_array()
                .unwrap()
                .contains(&json!("duration"))
        );

        let span = json_of(&world, "/api/v2/search/tags?scope=span&limit=2").await;
        assert_eq!(
            span["scopes"],
            json!([{"name": "span", "tags": ["hot", "n"]}])
        );
        let intrinsic = json_of(&world, "/api/v2/search/tags?scope=intrinsic").await;
        assert_eq!(intrinsic["scopes"].as_array().map(Vec::len), Some(1));

        let first = json_of(&world, "/api/search/tags").await;
        assert_eq!(
            first["tagNames"],
            json!(["hot", "n", "route", "service.name"])
        );
        check_jobs(&first["metrics"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_listed_with_their_types() {
    for is_stored in [false, true] {
        let world = world(is_stored).await;
        let values = |path: &str| {
            let path = format!("/api/v2/search/tag/{path}");
            let world = &world;
            async move {
                let found = json_of(world, &path).await;
                let mut values = found["tagValues"].as_array().unwrap().clone();
                values.sort_by_key(ToString::to_string);
                Value::from(values)
            }
        };
        let value = |kind: &str, value: &str| json!({"type": kind, "value": value});
        let routes = ["/r/1", "/r/2", "/r/3"].map(|route| value("string", route));
        for spelling in ["span.route", ".route", "span%2Eroute", "span%252Eroute"] {
            assert_eq!(
                values(&format!("{spelling}/values")).await,
                json!(routes),
                "{spelling}"
            );
        }
        assert_eq!(
            values("span.n/values").await,
            json!(["1", "2", "3"].map(|n| value("int", n)))
        );
        assert_eq!(
            values("span.hot/values").await,
            json!(["false", "true"].map(|hot| value("bool", hot)))
        );
        assert_eq!(
            values("resource.service.name/values").await,
            json!([value("string", "shop")])
        );
        assert_eq!(
            values("name/values").await,
            json!(["1", "2", "3"].map(|n| value("string", &format!("operation {n}"))))
        );
        assert_eq!(values("duration/values").await, json!([]));
        assert_eq!(values("span.unknown/values").await, json!([]));
        assert_eq!(
            values("status/values").await,
            json!(["error", "ok", "unset"].map(|word| value("keyword", word)))
        );
        // As an editor sends it: the query around the cursor, not finished.
        let q = encoded("{ status = error && span.route = ");
        assert_eq!(
            values(&format!("span.route/values?q={q}")).await,
            json!([value("string", "/r/2")])
        );
        let first = json_of(&world, "/api/search/tag/service.name/values").await;
        assert_eq!(first["tagValues"], json!(["shop"]));
        let first = json_of(&world, "/api/search/tag/n/values?limit=10").await;
        assert_eq!(first["tagValues"], json!(["1", "2", "3"]));
    }
}
