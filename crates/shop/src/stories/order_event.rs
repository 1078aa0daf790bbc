//! The order event: published by the orders service, and processed by three others. The invoice and the message to the
//! customer go on in the same trace; the fulfilment begins a trace of its own that links back, some time later. Now
//! and then the fulfilment never happens. The customer got a message, and nothing anywhere is marked as an error.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::messaging::{Joins, Message};
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Creates the order and publishes that it was placed.
pub(crate) fn place(r: &mut Recorder<'_>, items: i64) -> Code {
    r.call_grpc(Service::Orders, "OrderService/Create", |r| {
        r.describe_tenant();
        let order = format!("ord_{}", r.rng.hex(12));
        r.set("order.id", order.clone());
        r.set("order.items", items);
        for (operation, table, text) in [
            ("INSERT", "orders", "insert into orders (id, customer_id, total_cents, state) values (?, ?, ?, 'placed')"),
            ("INSERT", "order_items", "insert into order_items (order_id, sku, quantity, price_cents) values (?, ?, ?, ?)"),
        ] {
            r.sql(Sql { database: "orders", operation, table, text: text.into(), rows: items, ms: 2.6 });
        }
        r.publish("orders.placed", order, |r, message| {
            consumers(r, message, items);
        });
        Code::Ok
    })
}

fn consumers(r: &mut Recorder<'_>, message: &Message, items: i64) {
    let lag = r.rng.log_normal(70.0, 0.8);
    r.consume(Service::Notification, message, Joins::Trace, lag, notify);
    let lag = r.rng.log_normal(120.0, 0.7);
    r.consume(Service::Invoice, message, Joins::Trace, lag, invoice);
    if r.rng.chance(rates::ORDER_EVENT_LOST) {
        r.tell(Story::OrderEventLost);
    } else {
        r.tell(Story::OrderEvent);
        let lag = r.rng.log_normal(900.0, 0.9);
        r.consume(
            Service::OrderFulfilment,
            message,
            Joins::OwnTrace,
            lag,
            |r| fulfil(r, items),
        );
    }
}

fn notify(r: &mut Recorder<'_>) {
    r.internal("Notification.Mailer.render", |r| {
        r.set("notification.template", "order_confirmation");
        r.work(7.0);
    });
    let http = Http::new("POST", "/v3/mail/send", "/v3/mail/send");
    // The mailer takes everything; bounces come later, and elsewhere.
    let _ = r.call_outside("api.mailer.example", &http, |r| {
        r.work(85.0);
        Ok(202)
    });
}

fn invoice(r: &mut Recorder<'_>) {
    r.sql(Sql {
        database: "finance",
        operation: "INSERT",
        table: "invoices",
        text: "INSERT INTO invoices (number, order_id, net, tax, gross) VALUES (@number, @order, @net, @tax, @gross)".into(),
        rows: 1,
        ms: 2.8,
    });
    r.internal("Invoice.RenderPdf", |r| {
        r.set("invoice.pages", 1_i64);
        r.work(120.0);
    });
}

fn fulfil(r: &mut Recorder<'_>, items: i64) {
    r.set("order.items", items);
    r.sql(Sql {
        database: "fulfilment",
        operation: "INSERT",
        table: "picklists",
        text: "insert into picklists (order_id, zone, priority) values (?, ?, ?)".into(),
        rows: 1,
        ms: 2.5,
    });
    r.call_grpc(Service::Inventory, "InventoryService/Commit", |r| {
        r.sql(Sql {
            database: "inventory",
            operation: "UPDATE",
            table: "stock",
            text: "update stock set on_hand = on_hand - ?, reserved = reserved - ? where sku = any (?)".into(),
            rows: items,
            ms: 3.2,
        });
        Code::Ok
    });
    r.call_grpc(Service::Shipping, "ShippingService/CreateLabel", |r| {
        let http = Http::new("POST", "/parcel/v4/labels", "/parcel/v4/labels");
        // As above: the status is on the span.
        let _ = r.call_outside("api.carrier.example", &http, |r| {
            r.work(240.0);
            Ok(201)
        });
        r.work(1.0);
        Code::Ok
    });
}
