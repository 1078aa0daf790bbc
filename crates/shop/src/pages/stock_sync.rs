//! A job that runs by itself: the inventory's figures go into the search index. Its root is no request.

use std::sync::Arc;

use model::SpanKind;

use crate::data::Sql;
use crate::fleet::Service;
use crate::goods;
use crate::record::Recorder;
use crate::rpc::Code;

/// One run of the job.
pub(crate) fn run(r: &mut Recorder<'_>) {
    let instance = r.instance(Service::Inventory);
    let tracer = Arc::clone(&instance.tracer);
    r.span(instance, tracer, SpanKind::Internal, "StockSyncJob.run", |r| {
        r.set("job.trigger", "cron");
        r.set("job.schedule", "*/5 * * * *");
        r.sql(Sql {
            database: "inventory",
            operation: "SELECT",
            table: "stock_changes",
            text: "select sku, on_hand, reserved from stock_changes where seq > ? order by seq limit 600".into(),
            rows: 600,
            ms: 22.0,
        });
        let batches = r.rng.between(3, 7);
        r.set("job.batches", batches);
        for _ in 0..batches {
            index(r);
        }
        r.redis("SET", "stock-sync:seq");
    });
}

fn index(r: &mut Recorder<'_>) {
    r.call_grpc(Service::Search, "IndexService/Bulk", |r| {
        let sku = goods::product(r.rng);
        let text =
            format!(r#"{{"update":{{"_id":"{sku}"}}}} {{"doc":{{"in_stock":true}}}} … 100 more"#);
        r.set("index.documents", 100_i64);
        r.elasticsearch("bulk", "products-v7", text, 40.0);
        Code::Ok
    });
}
