//! The checkout: the longest path through the shop, and the home of most stories.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::pages::cart;
use crate::pages::home::currencies;
use crate::pages::{frontend_exception, page, status_of};
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{
    lost_context, order_event, payment_timeouts, slow_model, tax_geo_lookup, vip_only_error,
};

/// `POST /checkout`
pub(crate) fn visit(r: &mut Recorder<'_>) {
    page(r, &Http::new("POST", "/checkout", "/checkout"), |r| {
        let http = Http::new("POST", "/api/v1/checkout", "/api/v1/checkout");
        let status = r.call_http(Service::ApiGateway, &http, |r| {
            r.work(0.3);
            authorize(r);
            status_of(r.call_grpc(Service::Checkout, "CheckoutService/PlaceOrder", place_order))
        });
        if status >= 500 {
            frontend_exception(r, Code::Internal, "CheckoutService/PlaceOrder");
        }
        status
    });
}

fn authorize(r: &mut Recorder<'_>) {
    r.call_grpc(Service::User, "UserService/GetUser", |r| {
        r.set("user.id", r.visitor.user.clone());
        r.sql(Sql {
            database: "users",
            operation: "SELECT",
            table: "users",
            text: "SELECT id, email_hash, tenant, locale, default_address FROM users WHERE id = $1"
                .into(),
            rows: 1,
            ms: 1.5,
        });
        Code::Ok
    });
}

fn place_order(r: &mut Recorder<'_>) -> Code {
    r.describe_tenant();
    r.set("user.id", r.visitor.user.clone());
    let cents = r.rng.log_normal(6_400.0, 0.8) as i64;
    r.set("checkout.total", cents as f64 / 100.0);
    let skus = cart::contents(r);
    let prices = r.internal("prepareOrder", |r| {
        let mut fork = r.fork();
        let prices = fork.branch(r, |r| vip_only_error::prices(r, skus.len() as i64));
        fork.branch(r, |r| {
            currencies(r);
        });
        fork.branch(r, ship_quote);
        fork.join(r);
        prices
    });
    if prices != Code::Ok {
        return prices;
    }
    tax_geo_lookup::quote(r);
    lost_context::reserve(r, skus.len() as i64, &skus[0]);
    slow_model::check(r);
    let payment = payment_timeouts::charge(r, cents);
    if payment != Code::Ok {
        release(r);
        return payment;
    }
    let order = order_event::place(r, skus.len() as i64);
    empty_cart(r);
    order
}

fn ship_quote(r: &mut Recorder<'_>) -> Code {
    r.call_grpc(Service::Shipping, "ShippingService/Quote", |r| {
        r.set("shipping.country", r.visitor.country);
        r.set("shipping.postal_code", r.visitor.postal_code.clone());
        r.work(2.0);
        Code::Ok
    })
}

fn release(r: &mut Recorder<'_>) {
    r.call_grpc(Service::Inventory, "InventoryService/Release", |r| {
        r.sql(Sql {
            database: "inventory",
            operation: "UPDATE",
            table: "stock",
            text: "update stock set reserved = reserved - ? where sku = any (?)".into(),
            rows: 1,
            ms: 2.4,
        });
        Code::Ok
    });
}

fn empty_cart(r: &mut Recorder<'_>) {
    r.call_grpc(Service::Cart, "CartService/EmptyCart", |r| {
        let key = format!("cart:{}", r.visitor.user);
        r.redis("DEL", &key);
        Code::Ok
    });
}
