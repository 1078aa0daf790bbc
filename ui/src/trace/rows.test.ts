import { expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { collapsedFrom, revealing, rowOf, toggled, visibleRows } from "./rows.ts";
import { drawn, id } from "./testing.ts";
import { buildTree } from "./tree.ts";

const tree = buildTree(
  drawn(`
root 0-100
  cart 10-30
    redis 15-20
  pay 40-90
    card 45-80
      bank 50-70
`),
);
const collapsed = (...names: string[]): ReadonlySet<SpanId> => new Set(names.map(id));
const shown = (set: ReadonlySet<SpanId>): string =>
  Array.from(visibleRows(tree, set), (p) => at(tree.spans, p).name).join(" ");

test("a collapsed span hides its descendants and nothing else", () => {
  expect(shown(collapsed())).toBe("root cart redis pay card bank");
  expect(shown(collapsed("cart"))).toBe("root cart pay card bank");
  expect(shown(collapsed("pay", "card"))).toBe("root cart redis pay");
  expect(shown(collapsed("root"))).toBe("root");
});

test("collapsing a leaf changes nothing", () => {
  expect(shown(collapsed("bank"))).toBe("root cart redis pay card bank");
});

test("a hidden span has the row of the ancestor that hides it", () => {
  const rows = visibleRows(tree, collapsed("pay"));
  const position = (name: string): number => tree.positionOf.get(id(name)) ?? -1;
  expect(rowOf(rows, position("pay"))).toBe(3);
  expect(rowOf(rows, position("bank"))).toBe(3);
  expect(rowOf(rows, position("redis"))).toBe(2);
});

test("revealing opens the ancestors and keeps what else is collapsed", () => {
  const set = collapsed("root", "pay", "cart");
  const bank = tree.positionOf.get(id("bank")) ?? -1;
  expect(revealing(tree, set, bank)).toEqual(collapsed("cart"));
  expect(revealing(tree, collapsed("cart"), bank)).toEqual(collapsed("cart"));
});

test("collapsing by level shows so many levels", () => {
  expect(shown(collapsedFrom(tree, 0))).toBe("root");
  expect(shown(collapsedFrom(tree, 1))).toBe("root cart pay");
  expect(shown(collapsedFrom(tree, 2))).toBe("root cart redis pay card");
});

test("toggling twice is nothing", () => {
  const once = toggled(collapsed("cart"), id("pay"));
  expect(once).toEqual(collapsed("cart", "pay"));
  expect(toggled(once, id("pay"))).toEqual(collapsed("cart"));
});
