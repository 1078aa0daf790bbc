/** A search that is followed: server-sent events of matches as they come. */
import type { Hit } from "../model/hit.ts";
import { array, object, texts } from "./json.ts";
import { linesOf } from "./lines.ts";
import { type Bounds, decodeHit, spansPerSet } from "./search.ts";

/** Traces that are new or have changed since the ones before. */
export interface Arrived {
  readonly hits: readonly Hit[];
  /** Whether more were new than are told. */
  readonly isCut: boolean;
  readonly missing: readonly string[];
}

export function liveAddress(query: string, { start }: Bounds): string {
  const asked = new URLSearchParams(spansPerSet);
  if (query !== "") asked.set("q", query);
  if (start !== null) asked.set("start", `${start}`);
  return `/api/v1/search/live?${asked}`;
}

/**
 * What the events of a body say, until it ends or says that it failed.
 *
 * Read from the body rather than by an `EventSource`, which does not tell what a server says when it refuses.
 */
export async function* arrivals(body: ReadableStream<Uint8Array>): AsyncGenerator<Arrived> {
  let event = "";
  for await (const line of linesOf(body)) {
    const [, field, value = ""] = /^(event|data): (.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field !== "data") continue;
    if (event === "failed") throw new Error(value);
    if (event === "traces") yield decodeArrived(JSON.parse(value));
  }
}

function decodeArrived(wire: unknown): Arrived {
  const body = object(wire);
  return { hits: array(body["traces"]).flatMap((trace) => decodeHit(trace) ?? []), isCut: body["leftOut"] === true, missing: texts(body["missing"]) };
}
