import { expect, test } from "vitest";
import { offset } from "../base/time.ts";
import { neighbour, SearchIndex, searchWords } from "./search.ts";
import { span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const text = (value: string) => ({ type: "string" as const, value });
const index = new SearchIndex(
  buildTree([
    span("root", null, 0, 9, { kind: "server", attributes: [{ key: "url.path", value: text("/Checkout") }] }),
    span("db", "root", 1, 2, { attributes: [{ key: "db.system", value: text("redis") }, { key: "rows", value: { type: "int", value: 9007199254740993n } }] }),
    span("fail", "root", 3, 4, {
      status: { code: "error", message: "card declined" },
      events: [{ name: "exception", at: offset(4), attributes: [{ key: "exception.type", value: text("Declined") }], droppedAttributes: 0 }],
    }),
  ]),
);
const find = (query: string): number[] => [...index.find(query)];

test("words and phrases", () => {
  expect(searchWords('  card  "read timed out" REDIS "open')).toEqual(["card", "read timed out", "redis", "open"]);
  expect(searchWords(' "" ')).toEqual([]);
});

test.each([
  ["a name", "db", [1]],
  ["any case", "CHECKOUT", [0]],
  ["key=value", "db.system=redis", [1]],
  ["an exact 64-bit number", "9007199254740993", [1]],
  ["a status message", "declined", [2]],
  ["an event and its attributes", "exception.type=declined", [2]],
  ["the service", "shop", [0, 1, 2]],
  ["a span id", "0000000000000db", [1]],
  ["all words, in any field", "redis rows", [1]],
  ["words that no span has together", "redis declined", []],
  ["a phrase", '"card declined"', [2]],
  ["no words", "   ", []],
])("finds %s", (_, query, positions) => {
  expect(find(query)).toEqual(positions);
});

test("the next match goes round at the ends", () => {
  const matches = Int32Array.from([3, 7, 9]);
  expect([neighbour(matches, -1, 1), neighbour(matches, 3, 1), neighbour(matches, 9, 1)]).toEqual([3, 7, 3]);
  expect([neighbour(matches, 8, -1), neighbour(matches, 3, -1)]).toEqual([7, 9]);
  expect(neighbour(new Int32Array(), 0, 1)).toBeNull();
});
