//! The calls of Grafana's data source, replayed.

use http::StatusCode;

use super::world;
use crate::body::TRACE_ID;
use crate::query::encoded;

/// The calls that Grafana makes of a data source, in its order, with its headers and parameters.
#[tokio::test(flavor = "multi_thread")]
async fn what_grafana_asks_is_answered() {
    let world = world(true).await;
    let protobuf = [("accept", "application/protobuf"), ("x-scope-orgid", "1")];
    let ok = |path: String| {
        let world = &world;
        async move {
            let answer = world.get_with(&path, &[("x-scope-orgid", "1")]).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
            answer
        }
    };
    assert_eq!(ok("/api/echo".into()).await.text(), "echo");
    ok("/api/status/buildinfo".into()).await;
    let range = "start=1795249800&end=1795253400";
    ok(format!("/api/v2/search/tags?limit=5000&{range}")).await;
    let q = encoded("{resource.service.name=\"shop\"}");
    for tag in [
        "resource.service.name",
        "name",
        "status",
        "kind",
        "rootServiceName",
    ] {
        ok(format!(
            "/api/v2/search/tag/{tag}/values?limit=5000&q={q}&{range}"
        ))
        .await;
    }
    let search = format!("/api/search?q={q}&limit=20&spss=3&{range}");
    let found = ok(search).await.json();
    assert_eq!(found["traces"][0]["traceID"], TRACE_ID);
    let path = format!("/api/v2/traces/{TRACE_ID}?start=1795251599&end=1795255199");
    let trace = world.get_with(&path, &protobuf).await;
    assert_eq!(trace.header("content-type"), "application/protobuf");
    // As Traces Drilldown asks.
    for q in [
        "{nestedSetParent<0 && true && resource.service.name != nil} | rate() by(resource.service.name)",
        "{nestedSetParent<0 && true} | histogram_over_time(duration) with(sample=true)",
        "{true} | quantile_over_time(duration, 0.9) by (name)",
        "{nestedSetParent<0 && true && kind=server} | compare({status = error})",
    ] {
        let q = encoded(q);
        let found = ok(format!(
            "/api/metrics/query_range?q={q}&{range}&step=15s&exemplars=5"
        ))
        .await
        .json();
        assert!(!found["series"].as_array().unwrap().is_empty(), "{q}");
        ok(format!("/api/metrics/query?q={q}&{range}")).await;
    }
    let union = encoded(
        "{nestedSetParent<0} &>> {status = error} | select(status, resource.service.name, name, nestedSetParent, nestedSetLeft, nestedSetRight)",
    );
    let found = ok(format!("/api/search?q={union}&limit=200&spss=20&{range}"))
        .await
        .json();
    assert_eq!(found["traces"][0]["spanSets"][0]["matched"], 2, "{found}");
}
