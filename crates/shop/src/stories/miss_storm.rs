//! The catalogue: products come from the cache, but every so often the cache is empty for a while, and all requests meet
//! in the database, which grows slow.

use crate::data::Sql;
use crate::fleet::{MINUTE, SECOND, Service};
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::span::Attribute;
use crate::story::Story;

/// Whether the cache is empty, this long after the opening.
fn storming(since_opening: i64) -> bool {
    // Not at the opening itself: the first storm comes in the middle of the first period.
    let period = rates::MISS_STORM_EVERY_MINUTES * MINUTE;
    (since_opening - period / 2).rem_euclid(period) < rates::MISS_STORM_SECONDS * SECOND
}

/// The catalogue entries of `skus`.
pub(crate) fn products(r: &mut Recorder<'_>, skus: &[String]) -> Code {
    let storming = storming(r.since_opening());
    r.call_grpc(Service::Catalog, "CatalogService/GetProducts", |r| {
        r.set("catalog.products", skus.len() as i64);
        for sku in skus {
            r.redis("GET", &format!("product:{sku}"));
            if storming || r.rng.chance(rates::CACHE_MISS) {
                miss(r, sku, storming);
            }
        }
        Code::Ok
    })
}

fn miss(r: &mut Recorder<'_>, sku: &str, storming: bool) {
    if storming {
        r.tell(Story::MissStorm);
    }
    r.event(
        "cache.miss",
        vec![Attribute::new("cache.key", format!("product:{sku}"))],
    );
    if storming && r.rng.chance(rates::STORM_DEADLINE) {
        deadline_exceeded(r);
    }
    r.sql(select(if storming { 160.0 } else { 3.0 }));
    r.redis("SETEX", &format!("product:{sku}"));
}

fn select(ms: f64) -> Sql {
    Sql {
        database: "catalog",
        operation: "SELECT",
        table: "products",
        text: "SELECT sku, title, description, media, attributes FROM products WHERE sku = $1"
            .into(),
        rows: 1,
        ms,
    }
}

fn deadline_exceeded(r: &mut Recorder<'_>) {
    const MESSAGE: &str = "context deadline exceeded";
    r.sql_with(select(0.0), |r| {
        r.wait(rates::STORM_DEADLINE_MS);
        r.fail("context.deadlineExceededError", MESSAGE);
        r.exception(
            "context.deadlineExceededError",
            MESSAGE,
            &[
                (
                    "shop.internal/catalog/store.(*Postgres).Product",
                    "/src/catalog/store/postgres.go",
                    141,
                ),
                (
                    "shop.internal/catalog/cache.(*Through).Product",
                    "/src/catalog/cache/through.go",
                    67,
                ),
                (
                    "shop.internal/catalog.(*Server).GetProducts",
                    "/src/catalog/server.go",
                    93,
                ),
            ],
        );
    });
}
