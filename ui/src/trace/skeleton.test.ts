import { expect, test } from "vitest";
import { offset } from "../base/time.ts";
import type { Span } from "../model/span.ts";
import { filledIn } from "./skeleton.ts";
import { id, resource, span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const said = { attributes: [{ key: "db.system.name", value: { type: "string" as const, value: "redis" } }] };
const told = (spans: readonly Span[]): readonly string[] => spans.map((s) => `${s.name} ${s.start} ${s.attributes.length}${s.events.map((e) => ` @${e.at}`).join("")}`);

test("spans take the places of their bare ones, wherever those were moved to", () => {
  const tree = buildTree([span("a", null, 0, 100), span("b", "a", 35, 55), span("c", "a", 70, 80)]);
  const events = [{ name: "retry", at: offset(30), attributes: [], droppedAttributes: 0 }];
  const whole = [span("b", "a", 25, 45, { ...said, events }), span("a", null, 0, 100, said)];
  const filled = filledIn(tree, whole);
  expect(told(filled.spans)).toEqual(["a 0 1", "b 35 1 @40", "c 70 0"]);
  expect(filled.parent).toBe(tree.parent);
});

test("of spans with one id the one that is in the tree is taken, and strangers are left out", () => {
  const tree = buildTree([span("a", null, 0, 100), span("b", "a", 10, 50, { kind: "client" })]);
  const server = span("b", "a", 20, 40, { kind: "server", resource: resource("cart"), ...said });
  const whole = [server, span("b", "a", 10, 50, { kind: "client", ...said }), span("e", "a", 0, 1)];
  const filled = filledIn(tree, whole);
  expect(filled.spans.map((s) => s.kind)).toEqual(["internal", "client"]);
  expect(told(filled.spans)).toEqual(["a 0 0", "b 10 1"]);
  expect(filled.positionOf.has(id("e"))).toBe(false);
});
