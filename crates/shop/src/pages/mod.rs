//! What visitors do, and what runs by itself: the roots of traces.

pub(crate) mod cart;
pub(crate) mod checkout;
pub(crate) mod home;
pub(crate) mod login;
pub(crate) mod order_history;
pub(crate) mod product;
pub(crate) mod search;
pub(crate) mod stock_sync;

use crate::fleet::Service;
use crate::http::Http;
use crate::record::Recorder;
use crate::rpc::Code;

/// A page of the web shop: the frontend's span, with the visitor on it.
pub(crate) fn page(r: &mut Recorder<'_>, http: &Http, body: impl FnOnce(&mut Recorder<'_>) -> u16) {
    r.serve_http(Service::Frontend, http, |r| {
        r.describe_visitor();
        r.work(0.8);
        session(r);
        let status = body(r);
        if status < 400 && http.method == "GET" {
            r.internal(format!("render route (app) {}", http.route), |r| {
                r.work(6.0);
            });
        }
        status
    });
}

/// A request of the mobile app, through the gateway.
pub(crate) fn mobile(
    r: &mut Recorder<'_>,
    route: &'static str,
    path: String,
    body: impl FnOnce(&mut Recorder<'_>) -> u16,
) {
    let http = Http::new("GET", route, path);
    r.serve_http(Service::ApiGateway, &http, |r| {
        r.describe_visitor();
        r.set_trace_state("shop=m:1,rojo=00f067aa0ba902b7");
        r.work(0.3);
        session(r);
        r.call_http(Service::MobileBff, &http, |r| {
            r.work(1.5);
            body(r)
        })
    });
}

/// Looks up the visitor's session.
fn session(r: &mut Recorder<'_>) {
    r.call_grpc(Service::Session, "SessionService/Validate", |r| {
        let key = format!("session:{}", r.visitor.session);
        r.redis("GET", &key);
        Code::Ok
    });
}

/// The status of a page whose main call ended so.
pub(crate) fn status_of(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::NotFound => 404,
        Code::Unauthenticated => 401,
        Code::FailedPrecondition => 422,
        Code::Aborted => 409,
        Code::Unavailable => 503,
        Code::Internal => 500,
    }
}

/// An error that reaches the frontend's own code.
pub(crate) fn frontend_exception(r: &mut Recorder<'_>, code: Code, method: &'static str) {
    if matches!(code, Code::Internal | Code::Unavailable) {
        r.exception(
            "ServiceError",
            &format!("13 INTERNAL: {method} failed"),
            &[
                (
                    "callErrorFromStatus",
                    "/app/node_modules/@grpc/grpc-js/build/src/call.js",
                    32,
                ),
                (
                    "Object.onReceiveStatus",
                    "/app/node_modules/@grpc/grpc-js/build/src/client.js",
                    193,
                ),
                ("async load", "/app/src/lib/backend.js", 71),
            ],
        );
    }
}
