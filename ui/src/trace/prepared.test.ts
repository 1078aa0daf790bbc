import { expect, test } from "vitest";
import { factsOf, filledTree, foldsOf, prepared, treeOf } from "./prepared.ts";
import { drawn, span, trace } from "./testing.ts";
import { buildTree } from "./tree.ts";

test("what follows from a trace is computed once, and is there when it was prepared", async () => {
  const one = await prepared(trace(drawn("root 0-100\n  call 10-60 !")));
  expect(treeOf(one)).toBe(treeOf(one));
  expect(treeOf(one).spans.map(({ name }) => name)).toEqual(["root", "call"]);
  expect(foldsOf(one)).toBe(foldsOf(one));
  expect(factsOf(one).errors).toBe(1);
});

test("a large trace is prepared in steps, to the same tree as at once", async () => {
  const spans = Array.from({ length: 6_000 }, (_, i) => span((i + 1).toString(16), i === 0 ? null : (Math.floor(i / 3) + 1).toString(16), i, i + 5));
  // Neither parents before children nor by start.
  const one = trace(spans.toReversed());
  expect(treeOf(await prepared(one))).toEqual(buildTree(one.spans));
});

test("a tree is filled once, and anew when it is another one", () => {
  const whole = trace(drawn("root 0-100\n  call 10-60"));
  const [bare, other] = [treeOf(trace(drawn("root 0-100\n  call 10-60"))), treeOf(trace(drawn("root 0-100\n  call 20-70")))];
  expect(filledTree(bare, whole)).toBe(filledTree(bare, whole));
  expect(filledTree(other, whole).spans.map(({ start }) => start)).toEqual([0, 20]);
});
