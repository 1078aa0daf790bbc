import { expect, test } from "vitest";
import { type ReadQuery, readQuery, unquoted, writeQuery } from "./chips.ts";

const simple = (text: string) => {
  const read = readQuery(text);
  if (read.type !== "simple") throw new Error(`${text}: ${read.why}`);
  return read;
};
const drawn = (read: ReadQuery): string =>
  read.type === "complex"
    ? `complex: ${read.why}`
    : [...read.parts.map(({ source, condition }) => (condition ? `${condition.field} ${condition.op} ${condition.values.map(({ type, text }) => (type === "string" ? `'${text}'` : text)).join(" or ")}` : `other ${source}`)), ...(read.tail ? [`tail ${read.tail}`] : [])].join("; ");

test.each([
  ["", ""],
  ["{ }", ""],
  ['{ resource.service.name = "cart" && duration > 1.5s }', "resource.service.name = 'cart'; duration > 1.5s"],
  ['{ (.a = 1 || .a = 2) && name =~ "GET.*" }', ".a = 1 or 2; name =~ 'GET.*'"],
  // Without parentheses `||` takes all before it.
  ["{ .a = 1 || .a = 2 && .b = 3 }", ".a = 1 or 2; .b = 3"],
  ["{ .a = 1 && .b = 2 || .c = 3 && .d = 4 }", "other .a = 1 && .b = 2 || .c = 3; .d = 4"],
  ["{ .a && !(.b = 1) && 1 < .c && (.d = -3) }", "other .a; other !(.b = 1); other 1 < .c; .d = -3"],
  ["{ .a + .b > 3 }", "other .a + .b > 3"],
  ["{ .a = nil } | count() > 3", ".a = nil; tail | count() > 3"],
  ["{ } with(most_recent=true)", "tail with(most_recent=true)"],
  ["{ .a = 1 } >> { .b = 2 }", "complex: it relates spans to each other"],
  ["({ .a = 1 } | count() > 2) && { .b = 1 }", "complex: it is more than one filter"],
  ["{ .a = 1 // why\n}", "complex: it has comments"],
  ["{ .a = ", "complex: it is not complete"],
  ["{ .a = 1 && }", "complex: it is not complete"],
  ["{ (.a = 1 }", "complex: it is not complete"],
  ['{ name = "x', "complex: it is not complete"],
])("%s is read as: %s", (text, expected) => {
  expect(drawn(readQuery(text))).toBe(expected);
});

test.each([
  '{ resource.service.name = "cart" && (span.a = 1 || span.a = 2) } | count() > 2 with(sample=true)',
  "{ (.a = 1 || .b = 2) && .c = 3 }",
  "{ .a = 1 || .b = 2 }",
  "{ span.a  +  1 > 2 }",
])("what is read from %s is written as it was", (text) => {
  expect(writeQuery(simple(text))).toBe(text);
  expect(readQuery(writeQuery(simple(text)))).toEqual(simple(text));
});

test("an alternative that loses its place in front gets parentheses", () => {
  const query = simple("{ .a = 1 || .b = 2 }");
  const more = simple("{ .c = 3 }");
  expect(writeQuery({ ...query, parts: [...more.parts, ...query.parts] })).toBe("{ .c = 3 && (.a = 1 || .b = 2) }");
});

test.each([
  ['"a\\"b\\\\c\\n"', 'a"b\\c\n'],
  ["`raw\\n`", "raw\\n"],
  ['"\\u00e9\\x41\\101"', "éAA"],
  ['"\\U00110000"', "\\U00110000"],
])("%s says %j", (literal, text) => {
  expect(unquoted(literal)).toBe(text);
});
