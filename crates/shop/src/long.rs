//! One very long trace: an import of the catalogue, item by item.

use std::sync::Arc;

use model::SpanKind;

use crate::data::Sql;
use crate::fleet::Service;
use crate::goods;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::span::ServiceSpans;

/// Spans of one item: its own, the price's two, two statements, and the cache.
const SPANS_PER_ITEM: usize = 6;
/// Items of one chunk.
const ITEMS_PER_CHUNK: usize = 200;

/// An import with exactly `spans` spans; with none at all when that is zero.
pub(crate) fn import(mut r: Recorder<'_>, spans: usize) -> Vec<ServiceSpans> {
    if spans > 0 {
        let instance = r.instance(Service::Catalog);
        let tracer = Arc::clone(&instance.tracer);
        r.span(instance, tracer, SpanKind::Internal, "ImportCatalog", |r| {
            chunks(r, spans - 1);
        });
    }
    r.finish().0
}

fn chunks(r: &mut Recorder<'_>, mut left: usize) {
    let mut number = 0_i64;
    while left > 0 {
        number += 1;
        let budget = left.min(1 + ITEMS_PER_CHUNK * SPANS_PER_ITEM);
        r.internal("importChunk", |r| {
            r.set("import.chunk", number);
            items(r, budget - 1);
        });
        left -= budget;
    }
}

fn items(r: &mut Recorder<'_>, mut left: usize) {
    while left >= SPANS_PER_ITEM {
        item(r);
        left -= SPANS_PER_ITEM;
    }
    for _ in 0..left {
        r.redis("EXPIRE", "import:lock");
    }
}

fn item(r: &mut Recorder<'_>) {
    let sku = goods::product(r.rng);
    let broken = r.rng.chance(0.002);
    r.internal("importItem", |r| {
        r.set("product.sku", sku.as_str());
        r.call_grpc(Service::Pricing, "PricingService/PutPrice", |r| {
            r.work(0.2);
            if broken {
                Code::FailedPrecondition
            } else {
                Code::Ok
            }
        });
        if broken {
            r.fail("shop.PriceRejected", "price rejected: currency missing");
        }
        for (operation, text) in [
            ("SELECT", "SELECT etag FROM products WHERE sku = $1"),
            (
                "UPDATE",
                "UPDATE products SET title = $2, attributes = $3, etag = $4 WHERE sku = $1",
            ),
        ] {
            r.sql(Sql {
                database: "catalog",
                operation,
                table: "products",
                text: text.into(),
                rows: 1,
                ms: 0.8,
            });
        }
        r.redis("DEL", &format!("product:{sku}"));
    });
}
