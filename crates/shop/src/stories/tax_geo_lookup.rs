//! The tax service: when an address is not cached, it waits for a slow geo provider.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Computes the taxes of an order.
pub(crate) fn quote(r: &mut Recorder<'_>) -> u16 {
    let lookup = r.rng.chance(rates::TAX_GEO_LOOKUP);
    r.call_http(Service::Tax, &Http::new("POST", "/v1/quotes", "/v1/quotes"), |r| {
        r.describe_tenant();
        r.work(0.9);
        if lookup {
            r.tell(Story::TaxGeoLookup);
            resolve(r);
        } else {
            let key = format!("tax:area:{}:{}", r.visitor.country, r.visitor.postal_code);
            r.redis("GET", &key);
        }
        r.sql(Sql {
            database: "tax",
            operation: "SELECT",
            table: "rates",
            text: "SELECT kind, percent FROM rates WHERE country = $1 AND area = $2 AND valid_from <= $3 ORDER BY valid_from DESC".into(),
            rows: 4,
            ms: 1.6,
        });
        r.internal("tax.compute", |r| r.work(0.7));
        200
    })
}

fn resolve(r: &mut Recorder<'_>) {
    r.call_grpc(Service::Geo, "GeoService/Resolve", |r| {
        let visitor = r.visitor.clone();
        r.redis(
            "GET",
            &format!("geo:{}:{}", visitor.country, visitor.postal_code),
        );
        let http = Http::new("GET", "/v1/geocode", "/v1/geocode").query(format!(
            "country={}&q={}+{}",
            visitor.country,
            visitor.postal_code.replace(' ', "+"),
            visitor.city.replace(' ', "+")
        ));
        // A geocoder without an answer would show on the span; this one is merely slow.
        let _ = r.call_outside("api.geocoder.example", &http, |r| {
            r.work(rates::TAX_GEO_LOOKUP_MS);
            Ok(200)
        });
        r.redis(
            "SETEX",
            &format!("geo:{}:{}", visitor.country, visitor.postal_code),
        );
        Code::Ok
    });
}
