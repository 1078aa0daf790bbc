import { expect, test } from "vitest";
import { complement, firstEndingAfter, joined, stretchesOf } from "./stretches.ts";

const drawn = [
  { position: 2, from: 30, to: 50 },
  { position: 0, from: 90, to: 100 },
  { position: 0, from: 0, to: 10 },
  { position: 2, from: 10, to: 30 },
  { position: -1, from: 0, to: 9 },
  { position: 1, from: 60, to: 60 },
  { position: 1, from: 50, to: 90 },
];

test("stretches lie by position, ascending; what belongs to no span or has no length is left out", () => {
  const stretches = stretchesOf(3, drawn);
  expect([...stretches.first]).toEqual([0, 2, 3, 5]);
  expect([...stretches.from]).toEqual([0, 90, 50, 10, 30]);
});

test("those of one span, and of a subtree, are joined where they touch", () => {
  const stretches = stretchesOf(3, drawn);
  expect([...joined(stretches, 0, 1)]).toEqual([0, 10, 90, 100]);
  expect([...joined(stretches, 2, 3)]).toEqual([10, 50]);
  expect([...joined(stretches, 0, 3)]).toEqual([0, 100]);
  expect([...joined(stretchesOf(2, []), 0, 2)]).toEqual([]);
});

test("the complement is what is left", () => {
  expect([...complement(Float64Array.of(10, 20, 40, 50), 0, 60)]).toEqual([0, 10, 20, 40, 50, 60]);
  expect([...complement(Float64Array.of(-5, 20, 40, 99), 0, 60)]).toEqual([20, 40]);
  expect([...complement(Float64Array.of(70, 80), 0, 60)]).toEqual([0, 60]);
  expect([...complement(Float64Array.of(), 5, 5)]).toEqual([]);
});

test("the first pair in a window is found", () => {
  const pairs = Float64Array.of(0, 10, 20, 30);
  expect([0, 10, 25, 30].map((t) => firstEndingAfter(pairs, t))).toEqual([0, 2, 2, 4]);
});
