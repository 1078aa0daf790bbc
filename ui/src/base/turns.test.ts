import { expect, test, vi } from "vitest";
import { atOnce, inTurns, type Steps, STRETCH_MS, turn } from "./turns.ts";

function* counting(to: number, each: () => void): Steps<number> {
  for (let i = 0; i < to; i++) {
    each();
    yield;
  }
  return to;
}

test("work in turns comes to what it comes to at once", async () => {
  expect(atOnce(counting(5, () => undefined))).toBe(5);
  expect(await inTurns(counting(5, () => undefined))).toBe(5);
});

test("others have a turn after every stretch of work, and not after each step", async () => {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  const seen: number[] = [];
  let done = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      await turn();
      seen.push(done);
    }
  })();
  await inTurns(
    counting(40, () => {
      now += STRETCH_MS / 4;
      done += 1;
    }),
  );
  isOver = true;
  await watching;
  clock.mockRestore();
  expect(new Set(seen).size).toBeGreaterThan(5);
  expect(seen.every((count) => count % 4 === 0)).toBe(true);
});
