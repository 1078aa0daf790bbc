//! The product page: prices, reviews and stock are asked for one after the other, though none needs another's answer.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{lost_context, vip_only_error};
use crate::story::Story;

/// Everything about a product beyond its catalogue entry. The answer is that of the prices: a page without them is none.
pub(crate) fn details(r: &mut Recorder<'_>, sku: &str) -> Code {
    r.tell(Story::InSequence);
    let prices = vip_only_error::prices(r, 1);
    if prices == Code::Ok {
        reviews(r, sku);
        lost_context::stock(r, sku);
    }
    prices
}

fn reviews(r: &mut Recorder<'_>, sku: &str) {
    let http = Http::new(
        "GET",
        "/products/:sku/reviews",
        format!("/products/{sku}/reviews"),
    )
    .query("limit=10");
    r.call_http(Service::Review, &http, |r| {
        r.work(2.0);
        r.sql(Sql {
            database: "reviews",
            operation: "SELECT",
            table: "reviews",
            text: "SELECT id, stars, title, body, author_id FROM reviews WHERE sku = $1 AND state = 'published' ORDER BY helpful DESC LIMIT 10".into(),
            rows: 10,
            ms: 14.0,
        });
        r.sql(Sql {
            database: "reviews",
            operation: "SELECT",
            table: "ratings",
            text: "SELECT stars, count(*) FROM ratings WHERE sku = $1 GROUP BY stars".into(),
            rows: 5,
            ms: 9.0,
        });
        r.internal("render reviews.json.erb", |r| r.work(6.0));
        200
    });
}
