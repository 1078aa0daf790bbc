//! The fraud check: its model's inference became slow with one version, on the instances that run it.

use crate::data::Sql;
use crate::fleet::Service;
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;
use crate::story::Story;

/// Scores an order.
pub(crate) fn check(r: &mut Recorder<'_>) -> Code {
    r.call_grpc(Service::Fraud, "FraudService/Score", |r| {
        r.describe_tenant();
        r.set("user.id", r.visitor.user.clone());
        let key = format!("velocity:{}", r.visitor.user);
        r.redis("HGETALL", &key);
        r.sql(Sql {
            database: "fraud",
            operation: "SELECT",
            table: "devices",
            text: "SELECT fingerprint, first_seen, chargebacks FROM devices WHERE user_id = %s"
                .into(),
            rows: 3,
            ms: 2.2,
        });
        r.internal("extract_features", |r| r.work(3.5));
        let slow = r.here().slow_model;
        let score = r.rng.unit().powi(6);
        r.internal("model.infer", |r| {
            r.set("gen_ai.operation.name", "classify");
            r.set(
                "ml.model.name",
                if slow {
                    "fraud-transformer-large"
                } else {
                    "fraud-gbdt"
                },
            );
            r.set("ml.model.features", 214_i64);
            if slow {
                r.tell(Story::SlowModel);
                r.work(rates::FRAUD_SLOW_INFERENCE_MS);
            } else {
                r.work(rates::FRAUD_INFERENCE_MS);
            }
            r.set("fraud.score", (score * 1000.0).round() / 1000.0);
        });
        Code::Ok
    })
}
