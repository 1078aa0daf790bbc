import { expect, test } from "vitest";
import { linesOf } from "./lines.ts";
import { type Arrived, arrivals, liveAddress } from "./live.ts";

/** A body that comes in these pieces. */
const body = (...pieces: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

async function all<T>(items: AsyncGenerator<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("lines are found wherever the pieces of a body end", async () => {
  expect(await all(linesOf(body("a", "b\nc\n", "\n", "d", "\ne")))).toEqual(["ab", "c", "d", "e"]);
  expect(await all(linesOf(body()))).toEqual([]);
});

test("events tell what arrived, comments nothing, and a failure ends it", async () => {
  const traces = 'event: traces\ndata: {"traces":[{"traceId":"ab","spanCount":3}],"leftOut":true,"missing":[]}\n\n';
  const words = ({ hits, isCut }: Arrived): string => `${hits.map(({ id, spans }) => `${id.slice(-2)} ${spans}`).join()} ${isCut}`;
  expect((await all(arrivals(body(": still here\n\n", traces)))).map(words)).toEqual(["ab 3 true"]);
  await expect(all(arrivals(body(traces, "event: failed\ndata: the store does not answer\n\n")))).rejects.toThrow("the store does not answer");
});

test("an address asks for what the search asks for", () => {
  expect(liveAddress("{ }", { start: null, end: null })).toBe("/api/v1/search/live?spss=5&q=%7B+%7D");
});
