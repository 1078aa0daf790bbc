import { expect, test } from "vitest";
import { traceId } from "../base/ids.ts";
import { duration, unixNanos } from "../base/time.ts";
import type { Hit, HitPage } from "../model/hit.ts";
import { boundsOf, merged } from "./hits.ts";

const hit = (name: string, start: number, length: number, spans = 1): Hit => {
  const id = traceId(name);
  if (id === null) throw new Error(`${name} is not hexadecimal`);
  return { id, root: null, start: unixNanos(BigInt(start)), duration: duration(length), spans, errors: 0, services: [], partial: false, matched: 1, sets: [] };
};
const page = (...hits: readonly Hit[]): HitPage => ({ hits, next: null, missing: [], cost: "" });
const drawn = (pages: readonly HitPage[]): readonly string[] => pages.map(({ hits }) => hits.map(({ id, spans }) => `${id.slice(-1)}${spans}`).join(" "));

test("new matches go where their order puts them, those that grew are renewed in place", () => {
  const pages = [page(hit("a", 50, 5), hit("b", 40, 9)), page(hit("c", 30, 7))];
  const found = [hit("d", 60, 6), hit("a", 50, 5, 4), hit("c", 30, 7, 2)];
  expect(drawn(merged(pages, found, "newest"))).toEqual(["d1 a4 b1", "c2"]);
  expect(drawn(merged(pages, found, "slowest"))).toEqual(["b1 d1 a4", "c2"]);
  expect(drawn(merged(pages, [], "newest"))).toEqual(["a1 b1", "c1"]);
});

test("a relative range begins before now and is open", () => {
  expect(boundsOf({ type: "last", ms: 60_000 }, 1_763_715_005_000)).toEqual({ start: 1_763_714_945_000_000_000n, end: null });
  expect(boundsOf({ type: "between", start: null, end: null }, 0)).toEqual({ start: null, end: null });
});
