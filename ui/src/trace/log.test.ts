import { expect, test } from "vitest";
import { offset } from "../base/time.ts";
import type { SpanEvent } from "../model/span.ts";
import { filterLog, logOf } from "./log.ts";
import { span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const event = (name: string, at: number, attributes: Readonly<Record<string, string>> = {}): SpanEvent => ({
  name,
  at: offset(at),
  attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { type: "string", value } })),
  droppedAttributes: 0,
});
const tree = buildTree([
  span("root", null, 0, 100, { events: [event("start", 1), event("end", 90)] }),
  span("call", "root", 10, 50, {
    events: [event("exception", 40, { "exception.type": "Timeout", "exception.message": "read timed out", "exception.stacktrace": "at x" }), event("retry", 12, { n: "2", why: "slow" })],
  }),
]);

test("events of all spans are one log in order of time", () => {
  expect(logOf(tree).map((line) => [line.event.name, line.position, line.text])).toEqual([
    ["start", 0, ""],
    ["retry", 1, "n=2  why=slow"],
    ["exception", 1, "Timeout: read timed out"],
    ["end", 0, ""],
  ]);
});

test("a log is filtered by words, also in what a line does not show", () => {
  const names = (query: string) => filterLog(tree, logOf(tree), query).map((line) => line.event.name);
  expect(names("")).toHaveLength(4);
  expect(names("timed")).toEqual(["exception"]);
  expect(names("stacktrace=at")).toEqual(["exception"]);
  expect(names("call slow")).toEqual(["retry"]);
  expect(names("nowhere")).toEqual([]);
});
