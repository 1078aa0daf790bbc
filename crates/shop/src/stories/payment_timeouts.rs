//! The payment provider does not answer: ten attempts of three seconds each, then the second provider.
//!
//! Every request above succeeds, so error rates stay at zero, and one checkout in forty hardly moves an average.

use crate::fleet::Service;
use crate::http::{Http, NoAnswer};
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::span::Attribute;
use crate::stories::card_declined;
use crate::story::Story;

const ACQUIRER: &str = "api.acquirer.example";
const SECOND_ACQUIRER: &str = "payments.second-acquirer.example";

const TIMED_OUT: NoAnswer = NoAnswer {
    error_type: "java.net.http.HttpTimeoutException",
    message: "request timed out",
};

/// Charges the card.
pub(crate) fn charge(r: &mut Recorder<'_>, cents: i64) -> Code {
    let timeouts = r.rng.chance(rates::PAYMENT_TIMEOUTS);
    let declined = !timeouts && r.rng.chance(rates::CARD_DECLINED);
    r.call_grpc(Service::Payment, "PaymentService/Charge", |r| {
        r.describe_tenant();
        r.set("payment.amount", cents as f64 / 100.0);
        r.set("payment.currency", r.visitor.currency);
        r.work(1.2);
        r.redis("GET", &format!("idempotency:{:x}", cents.unsigned_abs() * 7_919));
        if timeouts {
            r.tell(Story::PaymentTimeouts);
            for attempt in 0..rates::PAYMENT_ATTEMPTS {
                authorize(r, ACQUIRER, attempt, |r| {
                    r.wait(rates::PAYMENT_TIMEOUT_MS);
                    r.exception(TIMED_OUT.error_type, TIMED_OUT.message, TIMEOUT_FRAMES);
                    Err(TIMED_OUT)
                });
                r.work(9.0);
            }
            r.event(
                "payment.provider.switched",
                vec![Attribute::new("from", ACQUIRER), Attribute::new("to", SECOND_ACQUIRER)],
            );
            authorize(r, SECOND_ACQUIRER, 0, |r| {
                r.work(410.0);
                Ok(201)
            });
        } else {
            let status = if declined { 402 } else { 201 };
            authorize(r, ACQUIRER, 0, |r| {
                r.work(180.0);
                Ok(status)
            });
        }
        if declined {
            return card_declined::decline(r);
        }
        r.sql(crate::data::Sql {
            database: "payments",
            operation: "INSERT",
            table: "charges",
            text: "INSERT INTO charges (id, order_id, amount_cents, currency, acquirer_ref) VALUES ($1, $2, $3, $4, $5)".into(),
            rows: 1,
            ms: 1.9,
        });
        Code::Ok
    })
}

fn authorize(
    r: &mut Recorder<'_>,
    host: &'static str,
    attempt: usize,
    body: impl FnOnce(&mut Recorder<'_>) -> Result<u16, NoAnswer>,
) {
    let http = Http::new("POST", "/v2/payments", "/v2/payments");
    // What came back is on the span; the story decides how it goes on.
    let _ = r.call_outside(host, &http, |r| {
        if attempt > 0 {
            r.set("http.request.resend_count", attempt as i64);
        }
        body(r)
    });
}

const TIMEOUT_FRAMES: &[crate::stack::Frame] = &[
    (
        "java.net.http/jdk.internal.net.http.ResponseTimerEvent.handle",
        "ResponseTimerEvent.java",
        66,
    ),
    (
        "java.net.http/jdk.internal.net.http.HttpClientImpl.purgeTimeoutsAndReturnNextDeadline",
        "HttpClientImpl.java",
        1827,
    ),
    (
        "java.net.http/jdk.internal.net.http.HttpClientImpl.send",
        "HttpClientImpl.java",
        959,
    ),
    ("com.shop.payment.Acquirer.post", "Acquirer.java", 97),
    ("com.shop.payment.Retry.withAttempts", "Retry.java", 33),
    ("com.shop.payment.Acquirer.authorize", "Acquirer.java", 128),
    (
        "com.shop.payment.ChargeService.charge",
        "ChargeService.java",
        88,
    ),
];
