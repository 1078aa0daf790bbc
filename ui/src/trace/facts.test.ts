import { expect, test } from "vitest";
import { factsOf, type TraceFacts } from "./facts.ts";
import { drawn, resource, span, trace } from "./testing.ts";
import { buildTree } from "./tree.ts";
import type { Span } from "../model/span.ts";

const facts = (spans: readonly Span[], missing: readonly string[] = []): TraceFacts => factsOf(trace(spans, missing), buildTree(spans));

test("a healthy trace has a root and no warnings", () => {
  const spans = [...drawn("root 0-100\n  call 10-60 !"), span("other", "call", 20, 30, { resource: resource("cart") })];
  const { title, root, errors, services, warnings } = facts(spans);
  expect([root?.name, title?.name, errors, warnings]).toEqual(["root", "root", 1, []]);
  expect(services).toEqual([
    { name: "shop", spans: 2, errors: 1 },
    { name: "cart", spans: 1, errors: 0 },
  ]);
});

test("what is amiss is said in words", () => {
  expect(facts([span("b", "gone", 5, 9)]).warnings).toEqual([
    "the root span is not here (not arrived yet, or never sent)",
    "1 span without its parent",
  ]);
  expect(facts([span("a", null, 0, 9), span("d", null, 4, 2)]).warnings).toEqual(["2 roots", "1 span ending before it starts"]);
  expect(facts([span("a", null, 0, 9), span("a", null, 0, 9)]).warnings).toEqual(["1 span with the id of another left out"]);
  expect(facts([span("a", null, 0, 9), span("b", "b", 1, 2)]).warnings).toEqual(["1 cycle of parents cut"]);
  expect(facts([span("a", null, 0, 9)], ["block 01H: footer checksum mismatch"]).warnings).toEqual([
    "could not be read: block 01H: footer checksum mismatch",
  ]);
});

test("without a root the earliest topmost span gives the title", () => {
  const { title, root } = facts([span("late", "x", 7, 9), span("early", "y", 2, 3)]);
  expect([root, title?.name]).toEqual([null, "early"]);
});
