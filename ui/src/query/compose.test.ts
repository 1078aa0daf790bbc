import { expect, test } from "vitest";
import { duration, unixNanos } from "../base/time.ts";
import { compareQuery, heatmapQuery, rateQuery, splitQuery } from "./compose.ts";

test.each([
  ["{ .a = 1 }", "{ .a = 1 }", "", false],
  ["{ .a } | rate() by (name)", "{ .a }", "| rate() by (name)", true],
  ["{ .a } | count() > 2 | rate() with(sample=true)", "{ .a } | count() > 2", "| rate() with(sample=true)", true],
  ["{ .a } with(most_recent=true)", "{ .a }", "with(most_recent=true)", false],
  ['{ name = "| rate()" }', '{ name = "| rate()" }', "", false],
  ["// all\n{ }", "{ }", "", false],
  ["", "", "", false],
])("%j is parted", (query, filter, rest, isMetrics) => {
  expect(splitQuery(query)).toEqual({ filter, rest, isMetrics });
});

test("charts draw what is asked for, and roots when nothing is", () => {
  expect(rateQuery("")).toBe("{ nestedSetParent < 0 } | rate() by (status)");
  expect(heatmapQuery("{ .a } with(sample=true)")).toBe("{ .a } | histogram_over_time(duration)");
});

test("a box is compared by its durations and its time", () => {
  const box = { start: unixNanos(5n), end: unixNanos(9n), min: duration(1_500_000_000), max: duration(2_345_678) };
  expect(compareQuery("{ .a }", { type: "box", box })).toBe("{ .a } | compare({ duration >= 1.5s && duration <= 2345678ns }, 100, 5, 9)");
  expect(compareQuery("", { type: "errors" })).toBe("{ nestedSetParent < 0 } | compare({ status = error }, 100)");
});
