import { expect, test } from "vitest";
import { traceId, type TraceId } from "../base/ids.ts";
import { valueText } from "../model/attribute.ts";
import { decodePart, decodeTrace, nothingShared } from "./otlp.ts";
import { encodeSpan } from "./otlp_encode.ts";

const ID = traceId("5b8efff798038103d269b633813fc60c") as TraceId;

const SPAN = {
  traceId: ID,
  spanId: "eee19b7ec3c1b174",
  parentSpanId: "eee19b7ec3c1b173",
  traceState: "a=1",
  flags: 257,
  name: "I'm a server span",
  kind: 2,
  startTimeUnixNano: "1544712660000000003",
  endTimeUnixNano: "1544712661000000007",
  attributes: [
    { key: "text", value: { stringValue: "" } },
    { key: "big", value: { intValue: "9007199254740993" } },
    { key: "small", value: { intValue: "-5" } },
    { key: "half", value: { doubleValue: 0.5 } },
    { key: "nan", value: { doubleValue: "NaN" } },
    { key: "yes", value: { boolValue: false } },
    { key: "raw", value: { bytesValue: "AQI=" } },
    { key: "list", value: { arrayValue: { values: [{ intValue: "1" }, { stringValue: "x" }] } } },
    { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { boolValue: true } }] } } },
    { key: "none", value: {} },
  ],
  droppedAttributesCount: 3,
  events: [{ timeUnixNano: "1544712660500000001", name: "halfway", attributes: [{ key: "n", value: { intValue: "1" } }] }],
  links: [{ traceId: "0000000000000000000000000000abcd", spanId: "00000000000000ab", flags: 1 }],
  status: { code: 2, message: "no" },
};
const TRACE = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "checkout" } }], droppedAttributesCount: 1 },
      scopeSpans: [{ scope: { name: "lib", version: "1.2" }, spans: [SPAN], schemaUrl: "https://example.com/scope" }],
      schemaUrl: "https://example.com/resource",
    },
  ],
};

test("what OTLP/JSON says comes back the same after decoding and encoding", () => {
  const trace = decodeTrace(ID, { ...TRACE, missing: ["a block"] });
  const [span] = trace.spans;
  expect(trace.missing).toEqual(["a block"]);
  expect(span).toBeDefined();
  if (span) expect(encodeSpan(ID, trace.start, span)).toEqual(TRACE);
});

test("times are offsets, exact to the nanosecond", () => {
  const trace = decodeTrace(ID, TRACE);
  expect(trace.start).toBe(1_544_712_660_000_000_003n);
  expect(trace.duration).toBe(1_000_000_004);
  expect(trace.spans[0]?.events[0]?.at).toBe(499_999_998);
});

test("values are shown with their type in mind", () => {
  const words = decodeTrace(ID, TRACE).spans[0]?.attributes.map((a) => valueText(a.value));
  expect(words).toEqual(["", "9007199254740993", "-5", "0.5", "NaN", "false", "AQI=", '[1, "x"]', '{"k": true}', ""]);
});

test("int64 as number, ids in upper case and nulls are understood", () => {
  const odd = { ...SPAN, traceId: ID.toUpperCase(), startTimeUnixNano: 1544712660000, endTimeUnixNano: null, status: null, events: null, kind: "2", parentSpanId: "" };
  const [span] = decodeTrace(ID, { resourceSpans: [{ scopeSpans: [{ spans: [odd] }] }] }).spans;
  expect(span).toMatchObject({ kind: "server", parentId: null, status: { code: "unset" }, events: [] });
  expect(span?.resource.service).toBe("unknown_service");
});

test("spans of other traces and spans without an id are left out", () => {
  const spans = [SPAN, { ...SPAN, traceId: "0".repeat(31) + "1" }, { ...SPAN, spanId: "zz" }, null, "span"];
  expect(decodeTrace(ID, { resourceSpans: [{ scopeSpans: [{ spans }] }] }).spans).toHaveLength(1);
});

test("a span without a start does not stretch the trace back to 1970", () => {
  const spans = [SPAN, { ...SPAN, spanId: "00000000000000aa", startTimeUnixNano: "0", endTimeUnixNano: "0" }];
  const trace = decodeTrace(ID, { resourceSpans: [{ scopeSpans: [{ spans }] }] });
  expect(trace.duration).toBe(1_000_000_004);
  expect(trace.spans.map((span) => span.start)).toEqual([0, 0]);
});

test.each([null, [], "text", { resourceSpans: 7 }, { resourceSpans: [{ scopeSpans: [{}] }] }])("%j is a trace without spans", (wire) => {
  expect(decodeTrace(ID, wire)).toMatchObject({ spans: [], duration: 0 });
});

test("nesting without end is cut, not followed", () => {
  let value: object = { stringValue: "deep" };
  for (let i = 0; i < 10_000; i++) value = { arrayValue: { values: [value] } };
  const span = { ...SPAN, attributes: [{ key: "k", value }] };
  const [decoded] = decodeTrace(ID, { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }).spans;
  const first = decoded?.attributes[0];
  expect(first && valueText(first.value)).toContain("…");
});

test("parts of a trace share resources and scopes, and count from where they are told", () => {
  const shared = nothingShared();
  const trace = decodeTrace(ID, TRACE);
  const [one, other] = [decodePart(ID, TRACE, trace.start, shared), decodePart(ID, JSON.parse(JSON.stringify(TRACE)), trace.start, shared)];
  expect(one).toEqual(trace.spans);
  expect(other[0]?.resource).toBe(one[0]?.resource);
  expect(other[0]?.scope).toBe(one[0]?.scope);
});
