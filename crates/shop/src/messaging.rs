//! Messages through Kafka: producers, and consumers that link back.

use std::sync::Arc;

use model::{SpanId, SpanKind, TraceId};

use crate::fleet::Service;
use crate::language::Library;
use crate::record::Recorder;
use crate::span::Attribute;

/// A message on its way.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: &'static str,
    key: String,
    partition: i64,
    offset: i64,
    producer: (TraceId, SpanId),
}

/// Whether a consumer goes on in the producer's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joins {
    /// As a child of the producer.
    Trace,
    /// In a trace of its own; only the link tells.
    OwnTrace,
}

impl Recorder<'_> {
    /// Publishes a message. `consumers` runs inside the producer's span; what it does happens aside.
    pub(crate) fn publish(
        &mut self,
        topic: &'static str,
        key: String,
        consumers: impl FnOnce(&mut Self, &Message),
    ) {
        let here = self.here();
        let scope = self.library(Library::Kafka);
        self.span(
            Arc::clone(&here),
            scope,
            SpanKind::Producer,
            format!("send {topic}"),
            |r| {
                let message = Message {
                    topic,
                    key,
                    partition: r.rng.between(0, 12),
                    offset: 48_112_000 + r.since_opening() / 1_000_000,
                    producer: r.context(),
                };
                r.describe_message(&message);
                r.set("messaging.operation.name", "send");
                r.set("messaging.operation.type", "send");
                r.set(
                    "messaging.client.id",
                    format!("{}-producer", here.facts.name),
                );
                r.set("server.address", "kafka-bootstrap.streaming.internal");
                r.set("server.port", 9092_i64);
                r.work_spread(2.1, 0.5);
                consumers(r, &message);
            },
        );
    }

    /// The processing of a message, `delay_ms` after it was sent.
    pub(crate) fn consume(
        &mut self,
        service: Service,
        message: &Message,
        joins: Joins,
        delay_ms: f64,
        body: impl FnOnce(&mut Self),
    ) {
        self.aside(delay_ms, |r| match joins {
            Joins::Trace => r.process(service, message, body),
            Joins::OwnTrace => r.new_trace(|r| r.process(service, message, body)),
        });
    }

    fn process(&mut self, service: Service, message: &Message, body: impl FnOnce(&mut Self)) {
        let instance = self.instance(service);
        let scope = self
            .fleet
            .scopes
            .get(instance.facts.language, Library::Kafka);
        let name = format!("process {}", message.topic);
        self.span(
            Arc::clone(&instance),
            scope,
            SpanKind::Consumer,
            name,
            |r| {
                r.link(
                    message.producer,
                    vec![Attribute::new("messaging.kafka.offset", message.offset)],
                );
                r.describe_message(message);
                r.set("messaging.operation.name", "process");
                r.set("messaging.operation.type", "process");
                r.set("messaging.kafka.offset", message.offset);
                r.set("messaging.consumer.group.name", instance.facts.name);
                r.set(
                    "messaging.client.id",
                    format!("{}-consumer-{}", instance.facts.name, message.partition % 3),
                );
                body(r);
            },
        );
    }

    fn describe_message(&mut self, message: &Message) {
        self.set("messaging.system", "kafka");
        self.set("messaging.destination.name", message.topic);
        self.set(
            "messaging.destination.partition.id",
            message.partition.to_string(),
        );
        self.set("messaging.kafka.message.key", message.key.clone());
    }
}
