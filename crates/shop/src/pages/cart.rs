//! The cart: looking at it, and putting something in.

use crate::fleet::Service;
use crate::goods;
use crate::http::Http;
use crate::pages::home::currencies;
use crate::pages::{frontend_exception, page, status_of};
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{cart_conflict, lost_context, miss_storm, vip_only_error};

/// `GET /cart`
pub(crate) fn visit(r: &mut Recorder<'_>) {
    page(r, &Http::new("GET", "/cart", "/cart"), |r| {
        let skus = contents(r);
        miss_storm::products(r, &skus);
        let code = vip_only_error::prices(r, skus.len() as i64);
        frontend_exception(r, code, "PricingService/GetPrices");
        if code != Code::Ok {
            return status_of(code);
        }
        currencies(r);
        200
    });
}

/// `POST /cart/items`
pub(crate) fn add(r: &mut Recorder<'_>) {
    let sku = goods::product(r.rng);
    page(r, &Http::new("POST", "/cart/items", "/cart/items"), |r| {
        r.set("product.sku", sku.as_str());
        let gateway = Http::new("POST", "/api/v1/cart/items", "/api/v1/cart/items");
        r.call_http(Service::ApiGateway, &gateway, |r| {
            r.work(0.3);
            lost_context::stock(r, &sku);
            match cart_conflict::add(r, &sku) {
                Code::Ok => 201,
                code => status_of(code),
            }
        })
    });
}

/// What is in the visitor's cart.
pub(crate) fn contents(r: &mut Recorder<'_>) -> Vec<String> {
    let count = 1 + r.rng.popular(5);
    let skus: Vec<String> = (0..count).map(|_| goods::product(r.rng)).collect();
    r.call_grpc(Service::Cart, "CartService/GetCart", |r| {
        r.describe_tenant();
        r.set("user.id", r.visitor.user.clone());
        r.set("cart.items", skus.len() as i64);
        let key = format!("cart:{}", r.visitor.user);
        r.redis("HGETALL", &key);
        Code::Ok
    });
    skus
}
