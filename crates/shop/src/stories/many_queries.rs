//! The order history: one statement for the list, and one more for each order on the page.

use crate::data::Sql;
use crate::fleet::Service;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Lists the orders of the visitor.
pub(crate) fn order_history(r: &mut Recorder<'_>) -> Code {
    r.call_grpc(Service::Orders, "OrderService/ListOrders", |r| {
        r.tell(Story::ManyQueries);
        r.describe_tenant();
        let user = r.visitor.user.clone();
        r.set("user.id", user.clone());
        let customer = user.trim_start_matches("user_").to_owned();
        // Long-standing customers fill the page.
        let orders = rates::ORDERS_PER_PAGE - r.rng.below(5);
        r.sql(Sql {
            database: "orders",
            operation: "SELECT",
            table: "orders",
            text: "select o.id, o.placed_at, o.total_cents from orders o where o.customer_id = ? order by o.placed_at desc limit 40".into(),
            rows: orders as i64,
            ms: 4.0,
        });
        let newest = 900_000 + r.rng.between(0, 90_000);
        for order in 0..orders as i64 {
            let rows = r.rng.between(1, 7);
            r.sql(Sql {
                database: "orders",
                operation: "SELECT",
                table: "order_items",
                text: format!(
                    "select i.sku, i.quantity, i.price_cents from order_items i where i.order_id = {} and i.customer_id = {customer}",
                    newest - order * 311
                )
                .into(),
                rows,
                ms: 2.4,
            });
            r.work(0.08);
        }
        Code::Ok
    })
}
