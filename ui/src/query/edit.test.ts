import { expect, test } from "vitest";
import { readQuery, writeQuery, writeValue } from "./chips.ts";
import { attributeField, bare, condition, foundValue, narrowed, replaced, text, typedValue } from "./edit.ts";

const cart = condition("resource.service.name", "=", text("cart"));

test.each([
  ["", cart, '{ resource.service.name = "cart" }'],
  ["{ .a = 1 }", cart, '{ .a = 1 && resource.service.name = "cart" }'],
  // Nothing could be equal to both.
  ['{ resource.service.name = "shop" && .a = 1 }', cart, '{ resource.service.name = "cart" && .a = 1 }'],
  ['{ resource.service.name = "cart" }', cart, '{ resource.service.name = "cart" }'],
  ['{ resource.service.name != "cart" && .a = 1 }', cart, '{ resource.service.name = "cart" && .a = 1 }'],
  // But different from both.
  ["{ .a != 1 }", condition(".a", "!=", bare("2")), "{ .a != 1 && .a != 2 }"],
  ["{ .a = 1 }", condition(".a", "!=", bare("1")), "{ .a != 1 }"],
  ["{ .a = 1 }", condition(".a", "!=", bare("2")), "{ .a = 1 && .a != 2 }"],
  ["{ duration > 1s && duration < 9s }", condition("duration", ">=", bare("2s")), "{ duration >= 2s && duration < 9s }"],
  ["{ .a = 1 || .b = 2 }", condition(".c", "=", bare("3")), "{ (.a = 1 || .b = 2) && .c = 3 }"],
  ["{ .a = 1 } | count() > 2", condition(".c", "=", bare("3")), "{ .a = 1 && .c = 3 } | count() > 2"],
  ["{ .a } >> { .b }", condition(".c", "=", bare("3")), "{ .a } >> { .b } | { .c = 3 }"],
  ["{ .a } >> { .b } | rate() with(x=1)", condition(".c", "=", bare("3")), "{ .a } >> { .b } | { .c = 3 } | rate() with(x=1)"],
])("%s narrowed by %j is %s", (query, next, expected) => {
  expect(narrowed(query, next)).toBe(expected);
});

test("a condition that is replaced keeps its place", () => {
  const read = readQuery("{ .a = 1 && .b = 2 && .a = 3 }");
  if (read.type !== "simple") throw new Error(read.why);
  const isA = ({ field }: { readonly field: string }): boolean => field === ".a";
  expect(writeQuery(replaced(read, isA, condition(".a", ">", bare("5"))))).toBe("{ .a > 5 && .b = 2 }");
  expect(writeQuery(replaced(read, isA, null))).toBe("{ .b = 2 }");
});

test.each([
  ["status", "error", undefined, "error"],
  ["span.x", "500", undefined, "500"],
  ["span.x", "500", "string", '"500"'],
  ["span.x", '"500"', undefined, '"500"'],
  ["span.x", "5s", undefined, '"5s"'],
  ["duration", "1.5s", undefined, "1.5s"],
  ["span.x", "true", undefined, "true"],
  ["name", "GET /", undefined, '"GET /"'],
])("%s typed as %s of type %s is %s", (field, typed, type, expected) => {
  expect(writeValue(typedValue(field, typed, type))).toBe(expected);
});

test("values found in data are written by their type", () => {
  expect(writeValue(foundValue("span.x", "a"))).toBe('"a"');
  expect(writeValue(foundValue("span.x", 12345678901234567890n))).toBe("12345678901234567890");
  expect(writeValue(foundValue("kind", "server"))).toBe("server");
  expect(writeValue(foundValue("span.x", false))).toBe("false");
});

test("keys that would end a name are quoted", () => {
  expect(attributeField("span", "http.route")).toBe("span.http.route");
  expect(attributeField("span", "a b")).toBe('span."a b"');
});
