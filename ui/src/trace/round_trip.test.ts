import { expect, test } from "vitest";
import { drawn, resource, span, trace } from "./testing.ts";
import { decodeTrace } from "../api/otlp.ts";
import { encodeTrace } from "../api/otlp_encode.ts";

test("a trace that is saved is read back the same, each resource and scope once", () => {
  const spans = [...drawn("root 0-100\n  call 10-60 !"), span("other", "root", 5, 9, { resource: resource("cart") })];
  const sent = trace(spans);
  const document = encodeTrace(sent);
  const back = decodeTrace(sent.id, JSON.parse(JSON.stringify(document)));
  expect([...back.spans].sort((a, b) => a.start - b.start)).toEqual([...spans].sort((a, b) => a.start - b.start));
  expect(back.start).toBe(sent.start);
  expect(document["resourceSpans"]).toHaveLength(2);
});
