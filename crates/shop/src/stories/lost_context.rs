//! Stock: what the inventory does not have cached it asks the legacy warehouse for, whose old PHP service drops the
//! trace context. Its spans begin a new trace, without a parent and without a link.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// How many of a product are there.
pub(crate) fn stock(r: &mut Recorder<'_>, sku: &str) -> Code {
    let from_warehouse = r.rng.chance(rates::STOCK_FROM_WAREHOUSE);
    r.call_grpc(Service::Inventory, "InventoryService/GetStock", |r| {
        r.set("inventory.sku", sku);
        r.redis("HGET", &format!("stock:{sku}"));
        if from_warehouse {
            ask_warehouse(r, sku);
        } else {
            r.work(0.5);
        }
        Code::Ok
    })
}

/// Reserves the goods of an order.
pub(crate) fn reserve(r: &mut Recorder<'_>, items: i64, sku: &str) -> Code {
    let from_warehouse = r.rng.chance(rates::STOCK_FROM_WAREHOUSE);
    r.call_grpc(Service::Inventory, "InventoryService/Reserve", |r| {
        r.set("inventory.items", items);
        r.sql(Sql {
            database: "inventory",
            operation: "UPDATE",
            table: "stock",
            text: "update stock set reserved = reserved + ?, version = version + 1 where sku = any (?) and version = ?".into(),
            rows: items,
            ms: 3.0,
        });
        if from_warehouse {
            ask_warehouse(r, sku);
        }
        r.redis("DEL", &format!("stock:{sku}"));
        Code::Ok
    })
}

fn ask_warehouse(r: &mut Recorder<'_>, sku: &str) {
    r.tell(Story::LostContext);
    let http =
        Http::new("GET", "/bestand/{artikel}", format!("/bestand/{sku}")).query("lager=LEJ1");
    let host = "warehouse-legacy.logistics.svc.cluster.local";
    // The warehouse always answers; how is on the span.
    let _ = r.call_outside(host, &http, |r| {
        r.network();
        let status = r.new_trace(|r| r.serve_http(Service::WarehouseLegacy, &http, warehouse));
        r.network();
        Ok(status)
    });
}

fn warehouse(r: &mut Recorder<'_>) -> u16 {
    r.work(4.0);
    if r.rng.chance(rates::WAREHOUSE_FAILS) {
        return lock_timeout(r);
    }
    r.sql(Sql {
        database: "lvs",
        operation: "SELECT",
        table: "artikel",
        text: "SELECT * FROM artikel a LEFT JOIN lagerplatz l ON l.artikel_id = a.id WHERE a.nummer = ?".into(),
        rows: 1,
        ms: 18.0,
    });
    r.sql(Sql {
        database: "lvs",
        operation: "SELECT",
        table: "bestand",
        text: "SELECT SUM(menge) FROM bestand WHERE artikel_id = ? AND lager = ? FOR UPDATE".into(),
        rows: 1,
        ms: 31.0,
    });
    r.internal("Smarty::fetch bestand.tpl", |r| r.work(5.0));
    200
}

/// Nobody will see this error beside the request that caused it: it is in another trace.
fn lock_timeout(r: &mut Recorder<'_>) -> u16 {
    const MESSAGE: &str =
        "SQLSTATE[55P03]: Lock not available: canceling statement due to lock timeout";
    let statement = Sql {
        database: "lvs",
        operation: "SELECT",
        table: "bestand",
        text: "SELECT SUM(menge) FROM bestand WHERE artikel_id = ? AND lager = ? FOR UPDATE".into(),
        rows: 0,
        ms: 2_000.0,
    };
    r.sql_with(statement, |r| r.fail("PDOException", MESSAGE));
    r.exception(
        "PDOException",
        MESSAGE,
        &[
            ("PDOStatement->execute", "/var/www/src/Db.php", 57),
            ("Db->one", "/var/www/src/Bestand.php", 112),
            ("Bestand->summe", "/var/www/src/BestandController.php", 34),
        ],
    );
    500
}
