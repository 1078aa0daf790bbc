//! The home page: four things fetched together, the slowest of which decides.

use crate::fleet::Service;
use crate::goods;
use crate::http::Http;
use crate::pages::{mobile, page};
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{dark_time, miss_storm, swallowed_error, vip_only_error};

/// `GET /`, on the web or in the app.
pub(crate) fn visit(r: &mut Recorder<'_>) {
    if r.rng.chance(0.25) {
        mobile(r, "/v2/feed", "/v2/feed".to_owned(), content);
    } else {
        page(r, &Http::new("GET", "/", "/"), content);
    }
}

fn content(r: &mut Recorder<'_>) -> u16 {
    let mut fork = r.fork();
    fork.branch(r, |r| {
        let count = r.rng.between(2, 6);
        let featured: Vec<String> = (0..count).map(|_| goods::product(r.rng)).collect();
        miss_storm::products(r, &featured);
        // A home page without prices is still a page.
        vip_only_error::prices(r, count);
    });
    fork.branch(r, dark_time::recommend);
    fork.branch(r, swallowed_error::advertisements);
    fork.branch(r, currencies);
    fork.join(r);
    200
}

/// The currencies that prices can be shown in.
pub(crate) fn currencies(r: &mut Recorder<'_>) -> Code {
    r.call_grpc(Service::Currency, "CurrencyService/Convert", |r| {
        r.set("currency.to", r.visitor.currency);
        r.work(0.3);
        Code::Ok
    })
}
