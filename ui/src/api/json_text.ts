/** Writing a document that is too large to be written at once: an object that holds a long list, piece by piece. */
import type { Steps } from "../base/turns.ts";
import type { JsonObject } from "./json.ts";

/** Items of a step: some milliseconds. */
const STEP_ITEMS = 250;

/** An object that begins with `fields` and goes on. */
export function opening(fields: JsonObject): string {
  const text = JSON.stringify(fields);
  return text === "{}" ? "{" : `${text.slice(0, -1)},`;
}

/** The end of an object whose last fields are these. */
export function closing(fields: JsonObject): string {
  const text = JSON.stringify(fields);
  return text === "{}" ? "}" : `,${text.slice(1)}`;
}

/** What stands between the brackets of the list of `items`; `onDone` hears how many have been written. */
export function* listText<Item>(items: readonly Item[], encode: (item: Item) => JsonObject, onDone: (count: number) => void): Steps<readonly string[]> {
  const pieces: string[] = [];
  for (let from = 0; from < items.length; from += STEP_ITEMS) {
    const step = items.slice(from, from + STEP_ITEMS);
    pieces.push(`${from === 0 ? "" : ","}${step.map((item) => JSON.stringify(encode(item))).join(",")}`);
    onDone(from + step.length);
    yield;
  }
  return pieces;
}
