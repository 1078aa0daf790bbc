//! Recommendations: now and then the process is held up by itself, and nothing is recorded below.

use crate::fleet::Service;
use crate::goods;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Products that the visitor may like.
pub(crate) fn recommend(r: &mut Recorder<'_>) -> Code {
    let dark = r.rng.chance(rates::DARK_TIME);
    r.call_grpc(Service::Recommendation, "RecommendationService/List", |r| {
        r.describe_tenant();
        r.set("recommendation.model", "two-tower-2026-09");
        r.event("feature_flag.evaluation", feature_flag());
        let key = format!("profile:{}", r.visitor.user);
        r.redis("GET", &key);
        if dark {
            r.tell(Story::DarkTime);
            r.work(rates::DARK_TIME_MS);
        } else {
            r.work(4.0);
        }
        r.call_grpc(Service::Catalog, "CatalogService/GetProducts", |r| {
            r.set("catalog.products", 8_i64);
            for _ in 0..2 {
                let sku = goods::product(r.rng);
                r.redis("MGET", &format!("product:{sku}"));
            }
            Code::Ok
        })
    })
}

fn feature_flag() -> Vec<crate::span::Attribute> {
    use crate::span::Attribute;
    vec![
        Attribute::new("feature_flag.key", "recommendation-model"),
        Attribute::new("feature_flag.provider.name", "flagd"),
        Attribute::new("feature_flag.result.variant", "two-tower"),
    ]
}
