import { expect, test } from "vitest";
import type { Hit, MatchedSpan, SpanSet } from "../../model/hit.ts";
import { firstMatch, linesOf, seeksSpans } from "./matched.ts";

const span = (name: string): MatchedSpan => ({ name }) as MatchedSpan;
const hit = (spans: number, ...sets: readonly SpanSet[]): Hit => ({ spans, matched: sets.reduce((sum, set) => sum + set.matched, 0), sets }) as Hit;
const drawn = (one: Hit): readonly string[] =>
  linesOf(one).map((line) => (line.type === "span" ? line.span.name : line.type === "more" ? `+${line.count}` : line.set.keys.map(({ value }) => `by ${value}`).join()));

test("each set shows its key, its first spans and how many more there are", () => {
  const sets = [
    { keys: [{ label: "by(name)", value: "x" }], matched: 3, spans: [span("a"), span("b")] },
    { keys: [], matched: 1, spans: [span("c")] },
  ];
  expect(drawn(hit(9, ...sets))).toEqual(["by x", "a", "b", "+1", "c"]);
});

test("a trace is opened at its first match, also when all of it matched", () => {
  const set = { keys: [], matched: 2, spans: [span("a"), span("b")] };
  expect(firstMatch(hit(3, set))?.name).toBe("a");
  expect(firstMatch(hit(2, set))?.name).toBe("a");
  expect(firstMatch(hit(3))).toBeNull();
});

test("a query without conditions seeks no span", () => {
  expect(["", "{ }", "{ } | count() > 2"].filter(seeksSpans)).toEqual([]);
  const seeking = ["{ status = error }", "{ } >> { status = error }", "{ status ="];
  expect(seeking.filter(seeksSpans)).toEqual(seeking);
});
