import { expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { findFolds } from "./folds.ts";
import { collapsedFrom, revealing, type Rows, rowOf, type Shape, toggled, visibleRows, WHOLE_SHAPE } from "./rows.ts";
import { drawn, id, span } from "./testing.ts";
import { buildTree, type TraceTree } from "./tree.ts";

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
const folds = findFolds(tree);
const collapsed = (...names: string[]): ReadonlySet<SpanId> => new Set(names.map(id));
const shape = (set: ReadonlySet<SpanId>): Shape => ({ ...WHOLE_SHAPE, collapsed: set });
const rowsOf = (set: ReadonlySet<SpanId>) => visibleRows(tree, folds, shape(set));
const shown = (set: ReadonlySet<SpanId>): string => names(tree, rowsOf(set));
const names = (of: TraceTree, rows: Rows): string => Array.from(rows.positions, (p) => at(of.spans, p).name).join(" ");
const position = (name: string): number => tree.positionOf.get(id(name)) ?? -1;

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
  const rows = rowsOf(collapsed("pay"));
  expect(rowOf(rows, position("pay"))).toBe(3);
  expect(rowOf(rows, position("bank"))).toBe(3);
  expect(rowOf(rows, position("redis"))).toBe(2);
});

test("revealing opens the ancestors and keeps what else is collapsed", () => {
  const set = collapsed("root", "pay", "cart");
  const bank = position("bank");
  expect(revealing(tree, folds, shape(set), bank, true).collapsed).toEqual(collapsed("cart"));
  const open = shape(collapsed("cart"));
  expect(revealing(tree, folds, open, bank, true)).toBe(open);
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

test("a filter hides spans and lifts what is below them", () => {
  const filter = { top: null, isHidden: (p: number) => p === position("pay") || p === position("redis") };
  const rows = visibleRows(tree, folds, WHOLE_SHAPE, filter);
  expect(names(tree, rows)).toBe("root cart card bank");
  expect([...rows.depth]).toEqual([0, 1, 1, 2]);
  expect(rowOf(rows, position("pay"))).toBe(0);
  expect(rowOf(rows, position("redis"))).toBe(1);
});

test("a subtree alone starts at the margin, and the rest has no row", () => {
  const rows = visibleRows(tree, folds, WHOLE_SHAPE, { top: position("pay"), isHidden: () => false });
  expect(names(tree, rows)).toBe("pay card bank");
  expect([...rows.depth]).toEqual([0, 1, 2]);
  expect(at(rows.rowAt, position("cart"))).toBe(-1);
  expect(rowOf(rows, position("cart"))).toBe(0);
});

/** `list` with `auth` and twelve times `get`, `auth` after the second; each `get` has a child. */
const repeated = buildTree([
  span("list", null, 0, 1000),
  ...Array.from({ length: 12 }, (_, i) => span(`ge${i}`, "list", 10 * i, 10 * i + 5, { name: "get" })),
  ...Array.from({ length: 12 }, (_, i) => span(`in${i}`, `ge${i}`, 10 * i + 1, 10 * i + 2, { name: `inner${i}` })),
  span("auth", "list", 12, 14),
]);

test("repeated siblings share the row of the first until they are unfolded", () => {
  const found = findFolds(repeated);
  expect(found.list.length).toBe(1);
  const rows = visibleRows(repeated, found, WHOLE_SHAPE);
  expect(names(repeated, rows)).toBe("list get auth");
  expect(rows.folded.get(1)?.length).toBe(12);
  const lastInner = repeated.positionOf.get(id("in11")) ?? -1;
  expect(rowOf(rows, lastInner)).toBe(1);
  const open = revealing(repeated, found, WHOLE_SHAPE, lastInner, false);
  const unfolded = visibleRows(repeated, found, open);
  expect(unfolded.length).toBe(repeated.spans.length);
  expect(unfolded.folded.size).toBe(0);
});

test("a member of a fold keeps to its row unless a row of its own is asked for", () => {
  const found = findFolds(repeated);
  const member = repeated.positionOf.get(id("ge5")) ?? -1;
  expect(revealing(repeated, found, WHOLE_SHAPE, member, false)).toBe(WHOLE_SHAPE);
  expect(revealing(repeated, found, WHOLE_SHAPE, member, true).unfolded.size).toBe(1);
});

test("a filter leaves the other members in the row", () => {
  const found = findFolds(repeated);
  const first = at(found.list[0]?.members ?? [], 0);
  const rows = visibleRows(repeated, found, WHOLE_SHAPE, { top: null, isHidden: (p) => p === first || p === first + 1 });
  expect(rows.folded.get(1)?.length ?? rows.folded.get(2)?.length).toBe(11);
});

test("few of a kind are not folded", () => {
  const few = buildTree([span("a", null, 0, 100), ...Array.from({ length: 9 }, (_, i) => span(`b${i}`, "a", i, i + 1, { name: "b" }))]);
  expect(findFolds(few).list).toEqual([]);
});
