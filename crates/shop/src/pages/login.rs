//! Signing in.

use crate::data::Sql;
use crate::fleet::Service;
use crate::http::Http;
use crate::pages::{page, status_of};
use crate::rates;
use crate::record::Recorder;
use crate::rpc::Code;

/// `POST /login`
pub(crate) fn visit(r: &mut Recorder<'_>) {
    let refused = r.rng.chance(rates::LOGIN_REFUSED);
    page(r, &Http::new("POST", "/login", "/login"), |r| {
        let code = r.call_grpc(Service::User, "UserService/Authenticate", |r| {
            r.sql(Sql {
                database: "users",
                operation: "SELECT",
                table: "credentials",
                text: "SELECT user_id, argon2, locked_until FROM credentials WHERE email_hash = $1"
                    .into(),
                rows: 1,
                ms: 1.6,
            });
            r.internal("argon2.Verify", |r| r.work(55.0));
            if refused {
                r.event(
                    "login.refused",
                    vec![crate::span::Attribute::new("reason", "wrong_password")],
                );
                return Code::Unauthenticated;
            }
            r.sql(Sql {
                database: "users",
                operation: "UPDATE",
                table: "users",
                text: "UPDATE users SET last_login = now() WHERE id = $1".into(),
                rows: 1,
                ms: 2.0,
            });
            Code::Ok
        });
        if code == Code::Ok {
            r.call_grpc(Service::Session, "SessionService/Create", |r| {
                let key = format!("session:{}", r.visitor.session);
                r.redis("SETEX", &key);
                Code::Ok
            });
        }
        status_of(code)
    });
}
