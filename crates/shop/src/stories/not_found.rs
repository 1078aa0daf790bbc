//! Products that do not exist: old links and curious robots. The server's span is no error, the client's is.

use crate::data::Sql;
use crate::fleet::Service;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// The catalogue's answer to an unknown product.
pub(crate) fn unknown_product(r: &mut Recorder<'_>, sku: &str) -> Code {
    r.tell(Story::NotFound);
    r.call_grpc(Service::Catalog, "CatalogService/GetProducts", |r| {
        r.set("catalog.products", 1_i64);
        r.redis("GET", &format!("product:{sku}"));
        r.sql(Sql {
            database: "catalog",
            operation: "SELECT",
            table: "products",
            text: "SELECT sku, title, description, media, attributes FROM products WHERE sku = $1"
                .into(),
            rows: 0,
            ms: 2.0,
        });
        Code::NotFound
    })
}
