import { expect, test } from "vitest";
import { offset } from "../base/time.ts";
import { eventMarks } from "./event_places.ts";
import { span } from "./testing.ts";

const withEvents = (start: number, end: number, ...times: readonly number[]) =>
  span("a", null, start, end, { events: times.map((at) => ({ name: "e", at: offset(at), attributes: [], droppedAttributes: 0 })) });

test("events lie where they happened, close ones share a mark, those outside lie at the ends", () => {
  expect(eventMarks(withEvents(100, 200, 90, 150, 151, 200, 300))).toEqual([
    { share: 0, events: [0], isOutside: true },
    { share: 0.5, events: [1, 2], isOutside: false },
    { share: 1, events: [3, 4], isOutside: true },
  ]);
});

test("a span without length has its events at its start", () => {
  expect(eventMarks(withEvents(5, 5, 5))).toEqual([{ share: 0, events: [0], isOutside: false }]);
  expect(eventMarks(withEvents(0, 9))).toEqual([]);
});
