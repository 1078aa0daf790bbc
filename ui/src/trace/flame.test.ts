import { expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import { buildFlame, type Flame, layoutFlame } from "./flame.ts";
import { drawn, span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const tree = buildTree([
  ...drawn("root 0-100\n  cart 10-30\n    redis 15-20 !\n  pay 40-90"),
  span("c2", "root", 92, 98, { name: "cart" }),
  span("r2", "c2", 93, 97, { name: "redis" }),
]);
const weightOf: Readonly<Record<string, number>> = { root: 10, cart: 5, redis: 20, pay: 40 };
const flame = buildFlame(tree, Float64Array.from(tree.spans, (s) => weightOf[s.name] ?? 0));

const printed = (of: Flame): string =>
  of.frames.map((f) => `${"  ".repeat(f.depth)}${f.name} ×${f.count} ${f.own}/${f.within}${f.errors > 0 ? " !" : ""}`).join("\n");

test("spans of one path are one frame, siblings by what is spent in them", () => {
  expect(printed(flame)).toBe("root ×1 10/100\n  cart ×2 10/50\n    redis ×2 40/40 !\n  pay ×1 40/40");
  expect(flame.total).toBe(100);
  expect(flame.depthMax).toBe(2);
});

test("frames lie within their parents, in order", () => {
  const boxes = layoutFlame(flame, null, 0);
  expect(boxes.map(({ frame, x, width }) => [at(flame.frames, frame).name, x, width])).toEqual([
    ["root", 0, 1],
    ["cart", 0, 0.5],
    ["redis", 0, 0.4],
    ["pay", 0.5, 0.4],
  ]);
});

test("a frame in focus takes the whole width, and so do those above it", () => {
  const boxes = layoutFlame(flame, 1, 0);
  expect(boxes.map(({ frame, x, width }) => [at(flame.frames, frame).name, x, width])).toEqual([
    ["root", 0, 1],
    ["cart", 0, 1],
    ["redis", 0, 0.8],
  ]);
});

test("what is too narrow is left out with what is below, and moves its neighbours nowhere", () => {
  const boxes = layoutFlame(flame, null, 0.45);
  expect(boxes.map(({ frame }) => at(flame.frames, frame).name)).toEqual(["root", "cart"]);
});

test("several roots share the width; without weight nothing lies anywhere", () => {
  const roots = buildTree(drawn("a 0-10\nb 20-40"));
  const both = buildFlame(roots, Float64Array.of(10, 30));
  expect(layoutFlame(both, null, 0).map(({ x, width }) => [x, width])).toEqual([
    [0, 0.75],
    [0.75, 0.25],
  ]);
  expect(layoutFlame(buildFlame(roots, new Float64Array(2)), null, 0)).toEqual([]);
});
