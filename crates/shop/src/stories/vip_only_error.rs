//! Prices: those of the VIP tenant come from its contract, slowly, and sometimes the contract's list is missing.

use crate::data::Sql;
use crate::fleet::Service;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// The prices of some products.
pub(crate) fn prices(r: &mut Recorder<'_>, products: i64) -> Code {
    let missing = r.visitor.is_vip() && r.rng.chance(rates::VIP_PRICE_LIST_MISSING);
    r.call_grpc(Service::Pricing, "PricingService/GetPrices", |r| {
        r.describe_tenant();
        r.set("pricing.products", products);
        r.work(0.4);
        if r.visitor.is_vip() {
            contract_prices(r, missing)
        } else {
            let tenant = r.visitor.tenant.clone();
            r.redis("HMGET", &format!("prices:{tenant}"));
            Code::Ok
        }
    })
}

fn contract_prices(r: &mut Recorder<'_>, missing: bool) -> Code {
    r.set("pricing.list", "plist-7-2026Q4");
    r.sql(Sql {
        database: "pricing",
        operation: "SELECT",
        table: "contract_prices",
        text: "SELECT sku, net_cents, tiers FROM contract_prices WHERE list = $1 AND sku = ANY($2)"
            .into(),
        rows: if missing { 0 } else { 12 },
        ms: rates::VIP_PRICES_MS,
    });
    if !missing {
        return Code::Ok;
    }
    r.tell(Story::VipOnlyError);
    r.exception(
        "pricing::contract::Error::ListNotActive",
        "contract price list plist-7-2026Q4 of tenant-7 is not active",
        &[
            ("pricing::contract::load", "src/contract.rs", 118),
            ("pricing::quote::prices", "src/quote.rs", 64),
            (
                "<pricing::server::Pricing as PricingService>::get_prices",
                "src/server.rs",
                47,
            ),
        ],
    );
    Code::Internal
}
