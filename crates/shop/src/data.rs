//! Databases, caches and search engines: client spans without anything below.

use model::SpanKind;

use crate::language::{Conventions, Library};
use crate::record::Recorder;
use crate::span::Text;

/// A statement to PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Sql {
    pub(crate) database: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) table: &'static str,
    pub(crate) text: Text,
    pub(crate) rows: i64,
    /// Median duration.
    pub(crate) ms: f64,
}

/// Spread of statements, as sigma of a log-normal distribution.
const STATEMENT_SPREAD: f64 = 0.5;

impl Recorder<'_> {
    /// A statement, successful.
    pub(crate) fn sql(&mut self, sql: Sql) {
        self.sql_with(sql, |_| {});
    }

    /// A statement; `after` may mark the span.
    pub(crate) fn sql_with(&mut self, sql: Sql, after: impl FnOnce(&mut Self)) {
        let here = self.here();
        let scope = self.library(Library::Sql);
        let oldest = here.facts.language.facts().conventions == Conventions::Oldest;
        let summary = format!("{} {}", sql.operation, sql.table);
        self.span(here, scope, SpanKind::Client, summary.clone(), |r| {
            if oldest {
                r.set("db.system", "postgresql");
                r.set("db.name", sql.database);
                r.set("db.statement", sql.text);
                r.set("db.operation", sql.operation);
            } else {
                r.set("db.system.name", "postgresql");
                r.set("db.namespace", sql.database);
                r.set("db.operation.name", sql.operation);
                r.set("db.collection.name", sql.table);
                r.set("db.query.summary", summary);
                r.set("db.query.text", sql.text);
                if sql.operation == "SELECT" {
                    r.set("db.response.returned_rows", sql.rows);
                }
            }
            r.set(
                "server.address",
                format!(
                    "pg-{}.{}.rds.internal",
                    sql.database,
                    r.visitor.region.name()
                ),
            );
            r.set("server.port", 5432_i64);
            r.work_spread(sql.ms, STATEMENT_SPREAD);
            after(r);
        });
    }

    /// A command to Redis.
    pub(crate) fn redis(&mut self, command: &'static str, key: &str) {
        let here = self.here();
        let scope = self.library(Library::Redis);
        self.span(here, scope, SpanKind::Client, command, |r| {
            r.set("db.system.name", "redis");
            r.set("db.namespace", "0");
            r.set("db.operation.name", command);
            r.set("db.query.text", format!("{command} {key}"));
            r.set(
                "server.address",
                format!("redis-shared.{}.cache.internal", r.visitor.region.name()),
            );
            r.set("server.port", 6379_i64);
            r.work_spread(0.45, 0.4);
        });
    }

    /// A search in Elasticsearch.
    pub(crate) fn elasticsearch(
        &mut self,
        operation: &'static str,
        index: &'static str,
        text: String,
        ms: f64,
    ) {
        let here = self.here();
        let scope = self.library(Library::Elasticsearch);
        self.span(
            here,
            scope,
            SpanKind::Client,
            format!("{operation} {index}"),
            |r| {
                r.set("db.system.name", "elasticsearch");
                r.set("db.collection.name", index);
                r.set("db.operation.name", operation);
                r.set("http.request.method", "POST");
                r.set(
                    "url.full",
                    format!("http://es-products.search.internal:9200/{index}/_{operation}"),
                );
                r.set("db.query.text", text);
                r.set("server.address", "es-products.search.internal");
                r.set("server.port", 9200_i64);
                let node = r.rng.below(5);
                r.set("db.elasticsearch.node.name", format!("es-data-{node}"));
                r.work_spread(ms, 0.5);
            },
        );
    }
}
