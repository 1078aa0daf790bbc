import { expect, test } from "vitest";
import { at } from "../base/arrays.ts";
import { attributeKeys, groupSpans, peersOf, sortedGroups } from "./statistics.ts";
import { drawn, resource, span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const text = (key: string, value: string) => ({ key, value: { type: "string" as const, value } });
const tree = buildTree([
  ...drawn("root 0-100"),
  span("a1", "root", 0, 30, { name: "get", attributes: [text("db", "x")] }),
  span("a2", "root", 30, 40, { name: "get", attributes: [text("db", "y")], status: { code: "error", message: "" } }),
  span("a3", "root", 50, 90, { name: "get", resource: resource("cart"), attributes: [text("db", "x"), text("n", "1")] }),
]);

test("operations are told apart by service and name", () => {
  const groups = groupSpans(tree, null, "operation");
  expect(groups.map(({ key, name, count, errors, total, longest }) => [key, name, count, errors, total, longest])).toEqual([
    ["shop", "root", 1, 0, 100, 100],
    ["shop", "get", 2, 1, 40, 30],
    ["cart", "get", 1, 0, 40, 40],
  ]);
});

test("groups by service, and by an attribute of the span or its resource", () => {
  expect(groupSpans(tree, null, "service").map((g) => [g.key, g.count])).toEqual([["shop", 3], ["cart", 1]]);
  expect(groupSpans(tree, null, "@db").map((g) => [g.key, g.count])).toEqual([[null, 1], ["x", 2], ["y", 1]]);
  expect(groupSpans(tree, null, "@service.name").map((g) => g.key)).toEqual(["shop", "cart"]);
});

test("a group names its longest span", () => {
  const [, gets] = groupSpans(tree, null, "operation");
  expect(at(tree.spans, gets?.position ?? -1).duration).toBe(30);
});

test("keys are listed by how many spans have them", () => {
  expect(attributeKeys(tree)).toEqual(["service.name", "db", "n"]);
});

test("groups are sorted by any column", () => {
  const groups = groupSpans(tree, null, "operation");
  expect(sortedGroups(groups, "mean", true).map((g) => g.total / g.count)).toEqual([20, 40, 100]);
  expect(sortedGroups(groups, "count", false).map((g) => g.count)).toEqual([2, 1, 1]);
});

test("a span is compared with others of its operation, if there are enough", () => {
  const many = buildTree([...drawn("root 0-100"), ...Array.from({ length: 6 }, (_, i) => span(`b${i}`, "root", i, 2 * i + 1, { name: "get" }))]);
  const third = many.spans.findIndex((s) => s.duration === 4);
  expect(peersOf(many, third)).toEqual({ count: 5, slowerThan: 3 });
  expect(peersOf(many, 0)).toBeNull();
});
