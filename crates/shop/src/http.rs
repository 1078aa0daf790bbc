//! Requests over HTTP, as the conventions of each SDK's age describe them.

use std::sync::Arc;

use model::SpanKind;

use crate::fleet::{Instance, Service};
use crate::language::{Conventions, Library};
use crate::record::Recorder;
use crate::span::Text;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    pub(crate) method: &'static str,
    /// The route with its parameters named; it makes the span's name.
    pub(crate) route: &'static str,
    pub(crate) path: Text,
    pub(crate) query: Text,
}

impl Http {
    pub(crate) fn new(method: &'static str, route: &'static str, path: impl Into<Text>) -> Self {
        Self {
            method,
            route,
            path: path.into(),
            query: Text::Borrowed(""),
        }
    }

    pub(crate) fn query(mut self, query: impl Into<Text>) -> Self {
        self.query = query.into();
        self
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }

    fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.to_string()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// Why a client got no answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoAnswer {
    pub(crate) error_type: &'static str,
    pub(crate) message: &'static str,
}

impl Recorder<'_> {
    /// The server side of a request; `body` returns the status.
    pub(crate) fn serve_http(
        &mut self,
        service: Service,
        http: &Http,
        body: impl FnOnce(&mut Self) -> u16,
    ) -> u16 {
        let instance = self.instance(service);
        let scope = self
            .fleet
            .scopes
            .get(instance.facts.language, Library::HttpServer);
        self.span(
            Arc::clone(&instance),
            scope,
            SpanKind::Server,
            http.name(),
            |r| {
                r.describe_server(&instance, http);
                let status = body(r);
                r.set_http_status(status);
                if status >= 500 {
                    r.fail(status.to_string(), "");
                }
                status
            },
        )
    }

    /// A request to another service of the shop; `body` runs on the other side and returns the status.
    pub(crate) fn call_http(
        &mut self,
        service: Service,
        http: &Http,
        body: impl FnOnce(&mut Self) -> u16,
    ) -> u16 {
        let facts = service.facts();
        let host = format!("{}.{}.svc.cluster.local", facts.name, facts.team);
        self.http_client(http, &host, facts.port, "http", |r| {
            r.network();
            let status = r.serve_http(service, http, body);
            r.network();
            Ok(status)
        })
        .unwrap_or(504)
    }

    /// A request to somebody outside; `body` lets the time pass and says what came back.
    pub(crate) fn call_outside(
        &mut self,
        host: &'static str,
        http: &Http,
        body: impl FnOnce(&mut Self) -> Result<u16, NoAnswer>,
    ) -> Result<u16, NoAnswer> {
        self.http_client(http, host, 443, "https", body)
    }

    fn http_client(
        &mut self,
        http: &Http,
        host: &str,
        port: i64,
        scheme: &str,
        body: impl FnOnce(&mut Self) -> Result<u16, NoAnswer>,
    ) -> Result<u16, NoAnswer> {
        let here = self.here();
        let scope = self.library(Library::HttpClient);
        let oldest = here.facts.language.facts().conventions == Conventions::Oldest;
        // Clients do not know the route of the server.
        self.span(here, scope, SpanKind::Client, http.method, |r| {
            let url = if port == 443 {
                format!("{scheme}://{host}{}", http.target())
            } else {
                format!("{scheme}://{host}:{port}{}", http.target())
            };
            if oldest {
                r.set("http.method", http.method);
                r.set("http.url", url);
                r.set("net.peer.name", host);
            } else {
                r.set("http.request.method", http.method);
                r.set("url.full", url);
                r.set("server.address", host);
                r.set("server.port", port);
                r.set(
                    "network.protocol.version",
                    if scheme == "https" { "2" } else { "1.1" },
                );
            }
            let answer = body(r);
            match answer {
                Ok(status) => {
                    r.set_http_status(status);
                    if status >= 400 {
                        r.fail(status.to_string(), "");
                    }
                }
                Err(NoAnswer {
                    error_type,
                    message,
                }) => r.fail(error_type, message),
            }
            answer
        })
    }

    fn describe_server(&mut self, instance: &Instance, http: &Http) {
        if instance.facts.language.facts().conventions == Conventions::Oldest {
            self.set("http.method", http.method);
            self.set("http.target", http.target());
            self.set("http.route", http.route);
            self.set("http.scheme", "http");
            self.set("net.host.name", instance.facts.name);
        } else {
            self.set("http.request.method", http.method);
            self.set("url.scheme", "http");
            self.set("url.path", http.path.clone());
            if !http.query.is_empty() {
                self.set("url.query", http.query.clone());
            }
            self.set("http.route", http.route);
            self.set("server.address", instance.facts.name);
            self.set("server.port", instance.facts.port);
            self.describe_peer();
            self.set("network.protocol.version", "1.1");
        }
    }

    /// Where a connection came from.
    pub(crate) fn describe_peer(&mut self) {
        // Requests from outside come through a load balancer.
        let address = match self.caller() {
            Some(caller) => caller.address.clone(),
            None => format!("10.31.0.{}", 4 + self.rng.below(3)),
        };
        let port = self.rng.between(32_768, 61_000);
        self.set("network.peer.address", address);
        self.set("network.peer.port", port);
    }

    fn set_http_status(&mut self, status: u16) {
        let oldest = self.here().facts.language.facts().conventions == Conventions::Oldest;
        let key = if oldest {
            "http.status_code"
        } else {
            "http.response.status_code"
        };
        self.set(key, i64::from(status));
    }

    /// The first span of a visit: what the edge knows of the visitor.
    pub(crate) fn describe_visitor(&mut self) {
        let visitor = self.visitor.clone();
        self.set("client.address", visitor.address);
        self.set("user_agent.original", visitor.user_agent);
        self.set("user.id", visitor.user);
        self.set("session.id", visitor.session);
        self.describe_tenant();
        self.set("geo.country.iso_code", visitor.country);
    }

    /// What travels as baggage, and is written on the spans of services that care.
    pub(crate) fn describe_tenant(&mut self) {
        self.set("tenant.id", self.visitor.tenant.clone());
        self.set("enduser.tier", self.visitor.tier);
    }
}
