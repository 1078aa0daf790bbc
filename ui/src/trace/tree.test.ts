import { describe, expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import type { Span } from "../model/span.ts";
import { drawn, id, printed, span } from "./testing.ts";
import { ancestors, buildTree, type TraceTree } from "./tree.ts";

const SHOP = `
root 0-100
  cart 10-30
    redis 15-20 !
  pay 40-90
    card 45-80 !
`;

/** What holds for every tree, whatever the input was. */
function expectSound(tree: TraceTree, input: readonly Span[]): void {
  expect(new Set(tree.spans.map((s) => s.id))).toEqual(new Set(input.map((s) => s.id)));
  expect(tree.spans.length + tree.duplicates).toBe(input.length);
  tree.spans.forEach((s, p) => {
    expect(tree.positionOf.get(s.id)).toBe(p);
    const parent = at(tree.parent, p);
    expect(parent).toBeLessThan(p);
    expect(at(tree.depth, p)).toBe(parent < 0 ? 0 : at(tree.depth, parent) + 1);
    if (parent >= 0) {
      expect(at(tree.spans, parent).id).toBe(s.parentId);
      expect(p).toBeLessThanOrEqual(parent + at(tree.descendants, parent));
    }
  });
}

test("a tree is in pre-order with siblings by start, whatever the order of arrival", () => {
  const spans = drawn(SHOP);
  const straight = buildTree(spans);
  const backwards = buildTree([...spans].reverse());
  expect(printed(straight)).toBe("root\n  cart\n    redis\n  pay\n    card");
  expect(printed(backwards)).toBe(printed(straight));
  expectSound(straight, spans);
});

test("of siblings that start together the longer comes first", () => {
  expect(printed(buildTree(drawn("root 0-9\n  short 1-2\n  long 1-8")))).toBe("root\n  long\n  short");
});

test("sums cover the subtree: descendants, errors below, reach", () => {
  const tree = buildTree(drawn(`${SHOP}  late 95-400\n`));
  expect([...tree.descendants]).toEqual([5, 1, 0, 1, 0, 0]);
  expect([...tree.errorsBelow]).toEqual([2, 1, 0, 1, 0, 0]);
  expect(tree.subtreeEnd[0]).toBe(400);
  expect(tree.subtreeStart[3]).toBe(40);
  expect(ancestors(tree, 2)).toEqual([1, 0]);
});

test("several roots and orphans stand side by side, orphans counted", () => {
  const spans = [span("a", null, 0, 10), span("b", "gone", 5, 9), span("c", "b", 6, 7), span("d", null, 2, 3)];
  const tree = buildTree(spans);
  expect(printed(tree)).toBe("a\nd\nb\n  c");
  expect([tree.roots.length, tree.orphans, tree.cycles]).toEqual([3, 1, 0]);
  expectSound(tree, spans);
});

test("the earliest of the spans with one id is kept, the others counted", () => {
  const spans = [span("a", null, 0, 10), span("b", "a", 2, 3, { name: "again" }), span("b", "a", 1, 2)];
  const tree = buildTree(spans);
  expect(tree.spans.map((s) => s.name)).toEqual(["a", "b"]);
  expect(tree.duplicates).toBe(1);
});

describe("cycles are cut at their earliest span", () => {
  test.each([
    ["a span that is its own parent", [span("a", "a", 0, 1), span("b", "a", 0, 1)], "a\n  b"],
    ["two spans", [span("a", "b", 5, 9), span("b", "a", 1, 4)], "b\n  a"],
    ["three with a tail", [span("a", "c", 3, 9), span("b", "a", 2, 4), span("c", "b", 1, 4), span("d", "a", 0, 4)], "c\n  a\n    d\n    b"],
    ["beside a healthy tree", [span("r", null, 7, 9), span("a", "b", 1, 2), span("b", "a", 3, 4)], "r\na\n  b"],
  ])("%s", (_, spans, expected) => {
    const tree = buildTree(spans);
    expect(printed(tree)).toBe(expected);
    expect(tree.cycles).toBe(1);
    expectSound(tree, spans);
  });
});

test("no spans are a tree too", () => {
  const tree = buildTree([]);
  expect([tree.spans.length, tree.roots.length, tree.depthMax]).toEqual([0, 0, 0]);
});

test("any parents give a sound tree", () => {
  // A fixed linear congruential sequence: the same thousand forests in every run.
  let state = 1;
  const below = (n: number): number => (state = (state * 48_271) % 0x7fffffff) % n;
  for (let round = 0; round < 300; round++) {
    const count = 1 + below(12);
    const names = Array.from({ length: count }, (_, i) => (10 + i).toString(16));
    const spans = names.map((name) => {
      const parent = below(4) === 0 ? null : (names[below(count)] ?? null);
      const start = below(20);
      return span(name, parent, start, start + below(20));
    });
    expectSound(buildTree(spans), spans);
  }
});

test("100,000 spans in one chain do not overflow the stack", () => {
  const count = 100_000;
  const spans = Array.from({ length: count }, (_, i) => span(i.toString(16), i === 0 ? null : (i - 1).toString(16), i, count));
  // Span "0" has the id of all zeros here, which is fine for a tree.
  const tree = buildTree(spans);
  expect(tree.depthMax).toBe(count - 1);
  expect(tree.positionOf.get(id((count - 1).toString(16)))).toBe(count - 1);
});

test("spans that come in order give the same tree as in any other order", () => {
  const spans = drawn(`
root 0-100
  call 10-60 !
    query 20-30
    query2 20-40
  late 70-90
lost 5-8`);
  const orphan = span("orphan", "nobody", 90, 95);
  const tree = buildTree([...spans, orphan]);
  const other = buildTree([orphan, ...spans].reverse());
  expect(printed(tree).split("\n").sort()).toEqual(printed(other).split("\n").sort());
  for (const built of [tree, other]) {
    expect([built.orphans, built.duplicates, built.cycles, built.roots.length, built.depthMax]).toEqual([1, 0, 0, 3, 2]);
    expect(built.spans.every((s, p) => built.positionOf.get(s.id) === p)).toBe(true);
  }
});

test("spans that name a later one, themselves or one twice are put in order", () => {
  expect(printed(buildTree([span("a", "b", 5, 6), span("b", null, 0, 9)]))).toBe("b\n  a");
  expect(buildTree([span("a", "a", 0, 1)]).cycles).toBe(1);
  expect(buildTree([span("a", null, 0, 1), span("b", "a", 0, 1), span("a", null, 2, 3)]).duplicates).toBe(1);
  expect(printed(buildTree([span("a", null, 0, 9), span("b", "a", 4, 5), span("c", "a", 2, 3)]))).toBe("a\n  c\n  b");
});
