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
    let limited = r.rng.chance(rates::GEO_RATE_LIMITED);
    r.call_grpc(Service::Geo, "GeoService/Resolve", |r| {
        let visitor = r.visitor.clone();
        let key = format!("geo:{}:{}", visitor.country, visitor.postal_code);
        r.redis("GET", &key);
        if limited {
            geocode(r, 0, 429, 60.0);
            r.exception(
                "shop.geo.provider.RateLimited",
                "429 Too Many Requests, retry in 0.4 s",
                &[
                    ("_request", "/app/shop/geo/provider.py", 88),
                    ("geocode", "/app/shop/geo/provider.py", 52),
                    ("resolve", "/app/shop/geo/service.py", 31),
                ],
            );
            r.wait(400.0);
        }
        geocode(r, usize::from(limited), 200, rates::TAX_GEO_LOOKUP_MS);
        r.redis("SETEX", &key);
        Code::Ok
    });
}

fn geocode(r: &mut Recorder<'_>, attempt: usize, status: u16, ms: f64) {
    let visitor = &r.visitor;
    let query = format!(
        "country={}&q={}+{}",
        visitor.country, visitor.postal_code, visitor.city
    );
    let http = Http::new("GET", "/v1/geocode", "/v1/geocode").query(query.replace(' ', "+"));
    // What came back is on the span; the caller goes on in either case.
    let _ = r.call_outside("api.geocoder.example", &http, |r| {
        if attempt > 0 {
            r.set("http.request.resend_count", attempt as i64);
        }
        r.work(ms);
        Ok(status)
    });
}
