//! The page of a product.

use crate::goods;
use crate::http::Http;
use crate::pages::{frontend_exception, mobile, page, status_of};
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::stories::{dark_time, in_sequence, miss_storm, not_found};

/// `GET /product/{sku}`, on the web or in the app.
pub(crate) fn visit(r: &mut Recorder<'_>) {
    let unknown = r.rng.chance(rates::PRODUCT_NOT_FOUND);
    let sku = if unknown {
        format!("SKU-{}", r.rng.below(99_999))
    } else {
        goods::product(r.rng)
    };
    let content = |r: &mut Recorder<'_>| {
        r.set("product.sku", sku.as_str());
        if unknown {
            return status_of(not_found::unknown_product(r, &sku));
        }
        content(r, &sku)
    };
    if r.rng.chance(0.3) {
        mobile(
            r,
            "/v2/products/{sku}",
            format!("/v2/products/{sku}"),
            content,
        );
    } else {
        page(
            r,
            &Http::new("GET", "/product/[sku]", format!("/product/{sku}")),
            content,
        );
    }
}

fn content(r: &mut Recorder<'_>, sku: &str) -> u16 {
    miss_storm::products(r, &[sku.to_owned()]);
    let code = in_sequence::details(r, sku);
    frontend_exception(r, code, "PricingService/GetPrices");
    if code == Code::Ok {
        dark_time::recommend(r);
    }
    status_of(code)
}
