import { expect, test } from "vitest";
import { applied, fixWords, underlined } from "./problems.ts";

test("carets stand under the mistake, in its line", () => {
  expect(underlined("{ status == error }", { from: 9, to: 11 })).toBe("{ status == error }\n         ^^");
  expect(underlined("{ }\n| rat()", { from: 6, to: 9 })).toBe("| rat()\n  ^^^");
  // What is missing at the end has a caret of its own, and what goes on is not underlined beyond its line.
  expect(underlined("{ a", { from: 3, to: 3 })).toBe("{ a\n   ^");
  expect(underlined("{ `a\nb` }", { from: 2, to: 7 })).toBe("{ `a\n  ^^");
});

test("a fix replaces its place, and says what it does", () => {
  const query = "{ status == error }";
  expect(applied(query, { from: 9, to: 11, text: "=" })).toBe("{ status = error }");
  expect(fixWords(query, { from: 9, to: 11, text: "=" })).toBe("write =");
  expect(fixWords(query, { from: 9, to: 11, text: "" })).toBe("remove ==");
  expect(fixWords(query, { from: 9, to: 9, text: "span." })).toBe("insert span.");
});
