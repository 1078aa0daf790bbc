import { expect, test } from "vitest";
import { byteOffset, unitOffset } from "./bytes.ts";

test("places agree in both countings", () => {
  const text = "aé🙂z";
  expect([0, 1, 2, 4, 5].map((at) => byteOffset(text, at))).toEqual([0, 1, 3, 7, 8]);
  for (const at of [0, 1, 2, 4, 5]) expect(unitOffset(text, byteOffset(text, at))).toBe(at);
});

test("places within a character and beyond the text are put right", () => {
  expect(unitOffset("é", 1)).toBe(0);
  expect(unitOffset("ab", 9)).toBe(2);
  expect(byteOffset("ab", 9)).toBe(2);
});
