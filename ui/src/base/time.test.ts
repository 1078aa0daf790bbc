import { expect, test } from "vitest";
import { durationForQuery, formatAgo, formatCount, formatDuration, formatInstant, formatIsoNanos, formatMark, formatScaleMark } from "./format.ts";
import { marksIn } from "./marks.ts";
import { duration, offset, parseDuration, unixNanos, unixNanosOfMillis } from "./time.ts";

test.each([
  [0, "0 ns"],
  [870, "870 ns"],
  [1_000, "1 µs"],
  [12_400, "12.4 µs"],
  [999_499, "999 µs"],
  [999_500, "1 ms"],
  [1_280_000, "1.28 ms"],
  [9_996_000, "10 ms"],
  [305_000_000, "305 ms"],
  [1_250_000_000, "1.25 s"],
  [59_940_000_000, "59.9 s"],
  [59_960_000_000, "1 min"],
  [125_000_000_000, "2 min 5 s"],
  [3_599_600_000_000, "1 h"],
  [12_000_000_000_000, "3 h 20 min"],
  [367_200_000_000_000, "4 d 6 h"],
  [-2_000_000, "−2 ms"],
])("%d ns reads as %s", (ns, words) => {
  expect(formatDuration(duration(ns))).toBe(words);
});

test.each([
  ["1.5s", 1_500_000_000],
  ["200ms", 200_000_000],
  ["200", 200_000_000],
  ["1m30s", 90_000_000_000],
  ["1.07s", 1_070_000_000],
  ["2 h", 7_200_000_000_000],
  ["15µs", 15_000],
  ["15μs", 15_000],
  ["1,5s", null],
  ["-1s", null],
  ["", null],
  ["fast", null],
])("%j is a duration of %s ns", (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test("a duration written into a query is the same when read back", () => {
  for (const ns of [1, 999, 1_000_000, 1_500_000_000, 123_456_789, 60_000_000_000]) {
    expect(parseDuration(durationForQuery(duration(ns)))).toBe(ns);
  }
});

test("absolute times keep every nanosecond", () => {
  expect(formatIsoNanos(unixNanos(1_763_715_005_123_456_789n))).toBe("2025-11-21T08:50:05.123456789Z");
  expect(formatIsoNanos(unixNanos(0n))).toBe("1970-01-01T00:00:00.000000000Z");
  expect(formatInstant(unixNanos(1_763_715_005_123_456_789n))).toMatch(/^2025-11-2\d \d\d:50:05\.123$/);
});

test("ages are coarse and know the future", () => {
  const now = 1_763_715_005_000;
  const ago = (ms: number): string => formatAgo(unixNanosOfMillis(now - ms), now);
  expect([ago(0), ago(12_000), ago(59_000), ago(300_000), ago(7_300_000), ago(200_000_000), ago(-5_000)]).toEqual([
    "now",
    "12 s ago",
    "59 s ago",
    "5 min ago",
    "2 h ago",
    "2 d ago",
    "in 5 s",
  ]);
});

test("counts are grouped by thousands", () => {
  expect([0, 999, 1_000, 1_234_567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
});

test.each([
  [0, 405e6, 8, "0|100 ms|200 ms|300 ms|400 ms"],
  [0, 100e9, 7, "0|15 s|30 s|45 s|1 min|1 min 15 s|1 min 30 s"],
  [120e6, 121e6, 4, "120.0 ms|120.5 ms|121.0 ms"],
  [0.9e6, 1.3e6, 4, "900 µs|1.0 ms|1.1 ms|1.2 ms|1.3 ms"],
  [75.1e9, 75.3e9, 2, "75.1 s|75.2 s|75.3 s"],
  [3.7e12, 3.705e12, 5, "3700 s|3701 s|3702 s|3703 s|3704 s|3705 s"],
  [0, 100, 5, "0|20 ns|40 ns|60 ns|80 ns|100 ns"],
])("a ruler from %d to %d with about %d marks reads %s", (from, to, count, words) => {
  const marks = marksIn({ from: offset(from), to: offset(to) }, count);
  expect(marks.at.map((mark) => formatMark(mark, marks.step)).join("|")).toBe(words);
});

test.each([
  [1e5, "100 µs"],
  [1e10, "10 s"],
  [1e11, "100 s"],
  [1e12, "1,000 s"],
  [61_500_000_000, "1 min 2 s"],
])("%d ns on a scale of durations is %s", (ns, words) => {
  expect(formatScaleMark(duration(ns))).toBe(words);
});
