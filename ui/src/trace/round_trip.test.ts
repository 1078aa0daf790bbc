import { expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import { drawn, resource, span, trace } from "./testing.ts";
import { decodeTrace } from "../api/otlp.ts";
import { openFile } from "../api/files.ts";
import { jaegerText } from "../api/jaeger_encode.ts";
import { encodeTrace, otlpText } from "../api/otlp_encode.ts";
import { traceId } from "../base/ids.ts";
import { duration, offset } from "../base/time.ts";
import { atOnce } from "../base/turns.ts";
import type { Span } from "../model/span.ts";

test("a trace that is saved is read back the same, each resource and scope once", () => {
  const spans = [...drawn("root 0-100\n  call 10-60 !"), span("other", "root", 5, 9, { resource: resource("cart") })];
  const sent = trace(spans);
  const document = encodeTrace(sent);
  const back = decodeTrace(sent.id, JSON.parse(JSON.stringify(document)));
  expect([...back.spans].sort((a, b) => a.start - b.start)).toEqual([...spans].sort((a, b) => a.start - b.start));
  expect(back.start).toBe(sent.start);
  expect(document["resourceSpans"]).toHaveLength(2);
});

test("what is saved piece by piece is the document, and how much of it is written is told", () => {
  const scopes = [0, 1].map((n) => ({ name: n === 0 ? "" : "lib", version: "", attributes: [], droppedAttributes: 0, schemaUrl: n === 0 ? "" : "https://example.com/1" }));
  const resources = ["cart", "mail"].map((name, n) => ({ ...resource(name), schemaUrl: n === 0 ? "https://example.com/2" : "" }));
  const spans = Array.from({ length: 900 }, (_, i) => span((i + 1).toString(16), i === 0 ? null : "1", i, i + 5, { resource: at(resources, i % 2), scope: at(scopes, (i >> 1) % 2) }));
  const sent = trace(spans);
  const told: number[] = [];
  const text = atOnce(otlpText(sent, (done) => told.push(done))).join("");
  expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(encodeTrace(sent))));
  expect(told).toEqual([...told].sort((a, b) => a - b));
  expect(told.at(-1)).toBe(900);
  expect(atOnce(otlpText(trace([]))).join("")).toBe('{"resourceSpans":[]}');
  const inJaeger: number[] = [];
  expect(JSON.parse(atOnce(jaegerText(sent, (done) => inJaeger.push(done))).join("")).data[0].spans).toHaveLength(900);
  expect(inJaeger).toEqual([250, 500, 750, 900]);
});

test("a trace that is saved for Jaeger is read back the same, to the microsecond", () => {
  const other = traceId("beef");
  const attributes: Span["attributes"] = [
    { key: "text", value: { type: "string", value: "a" } },
    { key: "big", value: { type: "int", value: 9_007_199_254_740_993n } },
    { key: "small", value: { type: "int", value: -5n } },
    { key: "half", value: { type: "double", value: 0.5 } },
    { key: "yes", value: { type: "bool", value: true } },
    { key: "raw", value: { type: "bytes", value: "AQI=" } },
  ];
  const bare = { traceState: "", attributes: [], droppedAttributes: 0, flags: 0 };
  const spans = [
    span("a1", null, 0, 90_000, { kind: "server", status: { code: "error", message: "no" }, attributes, flags: 0, traceState: "a=1" }),
    span("a2", "a1", 5_000, 9_000, {
      resource: resource("cart"),
      kind: "client",
      status: { code: "ok", message: "" },
      flags: 0,
      events: [{ name: "retry", at: offset(6_000), attributes: [{ key: "n", value: { type: "int", value: 2n } }], droppedAttributes: 0 }],
      links: other === null ? [] : [{ ...bare, traceId: other, spanId: "00000000000000b1" as Span["id"] }],
    }),
  ];
  const sent = trace(spans);
  const file = openFile("j.json", atOnce(jaegerText(sent)).join(""));
  expect(file.traces).toEqual([{ id: sent.id, spans: 2 }]);
  expect(file.read(sent.id)?.spans).toEqual(spans);
});

test("Jaeger has no nanoseconds and no lists: times are rounded down, lists are their text", () => {
  const list = { key: "list", value: { type: "array" as const, value: [{ type: "int" as const, value: 1n }] } };
  const sent = trace([span("a1", null, 1_999, 4_000, { attributes: [list], duration: duration(2_001) })]);
  const document = JSON.parse(atOnce(jaegerText(sent)).join(""));
  expect(document.data[0].spans[0]).toMatchObject({ startTime: Number(sent.start / 1000n) + 1, duration: 2, tags: expect.arrayContaining([{ key: "list", type: "string", value: "[1]" }]) });
});
