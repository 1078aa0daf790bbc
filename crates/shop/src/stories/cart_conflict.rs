//! The cart: two requests change it at once, the database refuses one, and the second try succeeds.

use crate::data::Sql;
use crate::fleet::Service;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Puts a product into the cart.
pub(crate) fn add(r: &mut Recorder<'_>, sku: &str) -> Code {
    let conflict = r.rng.chance(rates::CART_CONFLICT);
    if conflict && attempt(r, sku, true) == Code::Aborted {
        r.tell(Story::CartConflict);
        r.wait(50.0);
    }
    attempt(r, sku, false)
}

fn attempt(r: &mut Recorder<'_>, sku: &str, conflict: bool) -> Code {
    r.call_grpc(Service::Cart, "CartService/AddItem", |r| {
        r.describe_tenant();
        r.set("cart.sku", sku);
        r.redis("HSET", "cart");
        let statement = Sql {
            database: "carts",
            operation: "UPDATE",
            table: "carts",
            text: "UPDATE carts SET items = items || @item, updated_at = now() WHERE id = @id".into(),
            rows: 1,
            ms: if conflict { 1_000.0 } else { 2.0 },
        };
        if !conflict {
            r.sql(statement);
            return Code::Ok;
        }
        r.sql_with(statement, |r| {
            r.set("db.response.status_code", "40P01");
            r.fail("Npgsql.PostgresException", "40P01: deadlock detected");
            r.exception(
                "Npgsql.PostgresException",
                "40P01: deadlock detected\n\nDETAIL: Process 4242 waits for ShareLock on transaction 88123; blocked by process 4711.",
                &[
                    ("Npgsql.Internal.NpgsqlConnector.ReadMessageLong(Boolean async, DataRowLoadingMode dataRowLoadingMode)", "/_/src/Npgsql/Internal/NpgsqlConnector.cs", 1230),
                    ("Shop.Cart.Store.CartStore.AddItemAsync(Guid cart, CartItem item)", "/src/Store/CartStore.cs", 91),
                    ("Shop.Cart.CartService.AddItem(AddItemRequest request, ServerCallContext context)", "/src/CartService.cs", 38),
                ],
            );
        });
        Code::Aborted
    })
}
