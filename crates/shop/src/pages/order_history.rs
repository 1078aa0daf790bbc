//! The list of a customer's orders.

use crate::http::Http;
use crate::pages::{page, status_of};
use crate::record::Recorder;
use crate::stories::many_queries;

/// `GET /account/orders`
pub(crate) fn visit(r: &mut Recorder<'_>) {
    let http = Http::new("GET", "/account/orders", "/account/orders");
    page(r, &http, |r| status_of(many_queries::order_history(r)));
}
