//! Calls over gRPC.

use std::sync::Arc;

use model::SpanKind;

use crate::fleet::Service;
use crate::language::{Conventions, Library};
use crate::record::Recorder;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Ok,
    NotFound,
    FailedPrecondition,
    Aborted,
    Internal,
    Unavailable,
    Unauthenticated,
}

impl Code {
    fn number(self) -> i64 {
        match self {
            Self::Ok => 0,
            Self::NotFound => 5,
            Self::FailedPrecondition => 9,
            Self::Aborted => 10,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::Unauthenticated => 16,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NotFound => "NOT_FOUND",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }

    /// Whether it is the server's fault; what the caller did wrong leaves the server's span without an error.
    fn is_server_fault(self) -> bool {
        matches!(self, Self::Internal | Self::Unavailable)
    }
}

impl Recorder<'_> {
    /// A call to another service; `method` is `Service/Method`, `body` runs on the other side.
    pub(crate) fn call_grpc(
        &mut self,
        service: Service,
        method: &'static str,
        body: impl FnOnce(&mut Self) -> Code,
    ) -> Code {
        let here = self.here();
        let scope = self.library(Library::Grpc);
        let facts = service.facts();
        let full = format!("{}.{method}", facts.package);
        self.span(
            Arc::clone(&here),
            scope,
            SpanKind::Client,
            full.clone(),
            |r| {
                r.describe_rpc(here.facts.language.facts().conventions, &full);
                r.set(
                    "server.address",
                    format!("{}.{}.svc.cluster.local", facts.name, facts.team),
                );
                r.set("server.port", facts.port);
                r.network();
                let code = r.serve_grpc(service, &full, body);
                r.network();
                r.set_grpc_status(code);
                if code != Code::Ok {
                    r.fail(code.name(), format!("rpc error: code = {}", code.name()));
                }
                code
            },
        )
    }

    fn serve_grpc(
        &mut self,
        service: Service,
        full: &str,
        body: impl FnOnce(&mut Self) -> Code,
    ) -> Code {
        let instance = self.instance(service);
        let scope = self
            .fleet
            .scopes
            .get(instance.facts.language, Library::Grpc);
        self.span(
            Arc::clone(&instance),
            scope,
            SpanKind::Server,
            full.to_owned(),
            |r| {
                r.describe_rpc(instance.facts.language.facts().conventions, full);
                r.set("server.address", instance.facts.name);
                r.set("server.port", instance.facts.port);
                r.describe_peer();
                let code = body(r);
                r.set_grpc_status(code);
                if code.is_server_fault() {
                    r.fail(code.name(), "");
                }
                code
            },
        )
    }

    fn describe_rpc(&mut self, conventions: Conventions, full: &str) {
        if conventions >= Conventions::Current {
            self.set("rpc.system.name", "grpc");
            self.set("rpc.method", full);
        } else {
            let (service, method) = full.rsplit_once('/').unwrap_or((full, ""));
            self.set("rpc.system", "grpc");
            self.set("rpc.service", service);
            self.set("rpc.method", method);
        }
    }

    fn set_grpc_status(&mut self, code: Code) {
        if self.here().facts.language.facts().conventions >= Conventions::Current {
            self.set("rpc.response.status_code", code.name());
        } else {
            self.set("rpc.grpc.status_code", code.number());
        }
    }
}
