//! A declined card: an answer of the bank, wrongly reported as an exception by the payment service.

use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// The end of a payment that the bank declined.
pub(crate) fn decline(r: &mut Recorder<'_>) -> Code {
    r.tell(Story::CardDeclined);
    r.set("payment.outcome", "declined");
    r.exception(
        "com.shop.payment.CardDeclinedException",
        "card declined by issuer: insufficient_funds (51)",
        &[
            ("com.shop.payment.Acquirer.interpret", "Acquirer.java", 211),
            ("com.shop.payment.Acquirer.authorize", "Acquirer.java", 142),
            (
                "com.shop.payment.ChargeService.charge",
                "ChargeService.java",
                88,
            ),
            (
                "com.shop.payment.PaymentEndpoint.charge",
                "PaymentEndpoint.java",
                41,
            ),
        ],
    );
    Code::FailedPrecondition
}
