//! Answers as protobuf.

use model::Value;

use super::response::{
    Exemplar, InstantSeries, KeyValue, MetadataMetrics, Partial, QueryInstantResponse,
    QueryRangeResponse, Sample, SearchMetrics, SearchResponse, ServiceStats, Span, SpanSet,
    TagScope, TagValue, TagValuesResponse, TagValuesV2Response, TagsResponse, TagsV2Response,
    TimeSeries, TraceMetadata,
};
use crate::proto::{Tag, Writer};
use crate::schema::{any_value, key_value, list};

/// The fields of a message, appended to what is there.
trait Message {
    fn write(&self, w: &mut Writer);

    fn bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.write(&mut w);
        w.into_bytes()
    }
}

fn put<'a, M: Message + 'a>(w: &mut Writer, tag: Tag, messages: impl IntoIterator<Item = &'a M>) {
    for message in messages {
        w.message(tag, |w| message.write(w));
    }
}

fn put_texts(w: &mut Writer, tag: Tag, texts: &[String]) {
    for text in texts {
        w.bytes(tag, text.as_bytes());
    }
}

macro_rules! answers {
    ($($name:ident),*) => {
        $(impl $name {
            /// The message in protobuf.
            pub fn to_protobuf(&self) -> Vec<u8> {
                self.bytes()
            }
        })*
    };
}

answers!(
    SearchResponse,
    TraceMetadata,
    TagsResponse,
    TagsV2Response,
    TagScope,
    TagValuesResponse,
    TagValuesV2Response,
    TagValue,
    QueryRangeResponse,
    TimeSeries,
    QueryInstantResponse,
    InstantSeries
);

impl Message for SearchResponse {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.traces);
        put(w, Tag::len(2), [&self.metrics]);
    }
}

impl Message for TraceMetadata {
    fn write(&self, w: &mut Writer) {
        w.put_bytes(Tag::len(1), self.trace_id.as_bytes());
        w.put_bytes(Tag::len(2), self.root_service_name.as_bytes());
        w.put_bytes(Tag::len(3), self.root_trace_name.as_bytes());
        w.put_varint(Tag::varint(4), self.start_time_unix_nano);
        w.put_varint(Tag::varint(5), self.duration_ms.into());
        put(w, Tag::len(6), self.span_sets.first());
        put(w, Tag::len(7), &self.span_sets);
        for (service, stats) in &self.service_stats {
            w.message(Tag::len(8), |w| {
                w.bytes(Tag::len(1), service.as_bytes());
                put(w, Tag::len(2), [stats]);
            });
        }
    }
}

impl Message for ServiceStats {
    fn write(&self, w: &mut Writer) {
        w.put_varint(Tag::varint(1), self.span_count.into());
        w.put_varint(Tag::varint(2), self.error_count.into());
    }
}

impl Message for SpanSet {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.spans);
        w.put_varint(Tag::varint(2), self.matched.into());
        put(w, Tag::len(3), &self.attributes);
    }
}

impl Message for Span {
    fn write(&self, w: &mut Writer) {
        w.put_bytes(Tag::len(1), self.span_id.as_bytes());
        w.put_bytes(Tag::len(2), self.name.as_bytes());
        w.put_varint(Tag::varint(3), self.start_time_unix_nano);
        w.put_varint(Tag::varint(4), self.duration_nanos);
        put(w, Tag::len(5), &self.attributes);
    }
}

impl Message for KeyValue {
    fn write(&self, w: &mut Writer) {
        entry(w, &self.key, &self.value);
    }
}

fn entry(w: &mut Writer, key: &str, value: &Value) {
    w.put_bytes(key_value::KEY, key.as_bytes());
    w.message(key_value::VALUE, |w| any_value(w, value));
}

/// Zero values are written: the field is what tells the type.
fn any_value(w: &mut Writer, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Str(text) => w.bytes(any_value::STRING, text.as_bytes()),
        Value::Bool(bool) => w.varint(any_value::BOOL, u64::from(*bool)),
        Value::Int(int) => w.varint(any_value::INT, *int as u64),
        Value::Double(double) => w.double(any_value::DOUBLE, *double),
        Value::Bytes(bytes) => w.bytes(any_value::BYTES, bytes),
        Value::Array(items) => w.message(any_value::ARRAY, |w| {
            for item in items {
                w.message(list::VALUES, |w| any_value(w, item));
            }
        }),
        Value::Map(entries) => w.message(any_value::KVLIST, |w| {
            for (key, value) in entries {
                w.message(list::VALUES, |w| entry(w, key, value));
            }
        }),
    }
}

impl Message for SearchMetrics {
    fn write(&self, w: &mut Writer) {
        w.put_varint(Tag::varint(1), self.inspected_traces.into());
        w.put_varint(Tag::varint(2), self.inspected_bytes);
        w.put_varint(Tag::varint(3), self.total_blocks.into());
        w.put_varint(Tag::varint(4), self.completed_jobs.into());
        w.put_varint(Tag::varint(5), self.total_jobs.into());
        w.put_varint(Tag::varint(6), self.total_block_bytes);
        w.put_varint(Tag::varint(7), self.inspected_spans);
    }
}

impl Message for MetadataMetrics {
    fn write(&self, w: &mut Writer) {
        w.put_varint(Tag::varint(1), self.inspected_bytes);
        w.put_varint(Tag::varint(2), self.total_jobs.into());
        w.put_varint(Tag::varint(3), self.completed_jobs.into());
        w.put_varint(Tag::varint(4), self.total_blocks.into());
        w.put_varint(Tag::varint(5), self.total_block_bytes);
    }
}

impl Message for TagsResponse {
    fn write(&self, w: &mut Writer) {
        put_texts(w, Tag::len(1), &self.tag_names);
        put(w, Tag::len(2), [&self.metrics]);
    }
}

impl Message for TagsV2Response {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.scopes);
        put(w, Tag::len(2), [&self.metrics]);
    }
}

impl Message for TagScope {
    fn write(&self, w: &mut Writer) {
        w.put_bytes(Tag::len(1), self.name.as_bytes());
        put_texts(w, Tag::len(2), &self.tags);
    }
}

impl Message for TagValuesResponse {
    fn write(&self, w: &mut Writer) {
        put_texts(w, Tag::len(1), &self.tag_values);
        put(w, Tag::len(2), [&self.metrics]);
    }
}

impl Message for TagValuesV2Response {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.tag_values);
        put(w, Tag::len(2), [&self.metrics]);
    }
}

impl Message for TagValue {
    fn write(&self, w: &mut Writer) {
        w.put_bytes(Tag::len(1), self.kind.as_bytes());
        w.put_bytes(Tag::len(2), self.value.as_bytes());
    }
}

/// `PartialStatus`: complete is zero, and left out.
const PARTIAL: u64 = 1;

impl Message for Partial {
    fn write(&self, w: &mut Writer) {
        if let Some(message) = &self.0 {
            w.varint(Tag::varint(3), PARTIAL);
            w.put_bytes(Tag::len(4), message.as_bytes());
        }
    }
}

impl Message for QueryRangeResponse {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.series);
        put(w, Tag::len(2), [&self.metrics]);
        self.partial.write(w);
    }
}

impl Message for TimeSeries {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.labels);
        put(w, Tag::len(2), &self.samples);
        put(w, Tag::len(4), &self.exemplars);
    }
}

impl Message for Sample {
    fn write(&self, w: &mut Writer) {
        put_double(w, Tag::fixed64(1), self.value);
        w.put_varint(Tag::varint(2), self.timestamp_ms as u64);
    }
}

impl Message for Exemplar {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.labels);
        put_double(w, Tag::fixed64(2), self.value);
        w.put_varint(Tag::varint(3), self.timestamp_ms as u64);
    }
}

impl Message for QueryInstantResponse {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.series);
        put(w, Tag::len(2), [&self.metrics]);
        self.partial.write(w);
    }
}

impl Message for InstantSeries {
    fn write(&self, w: &mut Writer) {
        put(w, Tag::len(1), &self.labels);
        put_double(w, Tag::fixed64(2), self.value);
    }
}

fn put_double(w: &mut Writer, tag: Tag, number: f64) {
    if number != 0.0 {
        w.double(tag, number);
    }
}
