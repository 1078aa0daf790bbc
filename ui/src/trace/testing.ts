/** Traces for tests, drawn as indented text, and rows drawn back. Not part of the page. */
import { traceId } from "../base/ids.ts";
import { duration, offset, unixNanos } from "../base/time.ts";
import type { SpanId } from "../base/ids.ts";
import type { Resource, Scope, Span } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import { at } from "../base/arrays.ts";
import type { TraceTree } from "./tree.ts";

const SCOPE: Scope = { name: "test", version: "1", attributes: [], droppedAttributes: 0, schemaUrl: "" };
const resources = new Map<string, Resource>();

export function resource(service: string): Resource {
  let found = resources.get(service);
  if (!found) {
    const attributes = [{ key: "service.name", value: { type: "string" as const, value: service } }];
    resources.set(service, (found = { service, attributes, droppedAttributes: 0, schemaUrl: "" }));
  }
  return found;
}

/** An id from a short name, readable in failures: `a` is `000000000000000a` when hex, else its character codes. */
export function id(name: string): SpanId {
  const hex = /^[0-9a-f]+$/.test(name) ? name : [...name].map((c) => c.charCodeAt(0).toString(16)).join("");
  return hex.padStart(16, "0").slice(-16) as SpanId;
}

export function span(name: string, parent: string | null, start: number, end: number, more: Partial<Span> = {}): Span {
  return {
    id: id(name),
    parentId: parent === null ? null : id(parent),
    name,
    kind: "internal",
    start: offset(start),
    duration: duration(end - start),
    status: { code: "unset", message: "" },
    attributes: [],
    events: [],
    links: [],
    resource: resource("shop"),
    scope: SCOPE,
    traceState: "",
    flags: 1,
    droppedAttributes: 0,
    droppedEvents: 0,
    droppedLinks: 0,
    ...more,
  };
}

/**
 * Reads a drawing such as
 *
 *     root 0-100
 *       call 10-60 !
 *         query 20-30
 *
 * Two blanks are a level, `!` is an error, times are nanoseconds.
 */
export function drawn(text: string): Span[] {
  const path: string[] = [];
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const match = /^( *)(\S+) (\d+)-(\d+)( !)?$/.exec(line);
      if (!match) throw new Error(`cannot read the line ${JSON.stringify(line)}`);
      const [, blanks = "", name = "", start, end, error] = match;
      const depth = blanks.length / 2;
      path.length = depth;
      const parent = path.at(-1) ?? null;
      path.push(name);
      return span(name, parent, Number(start), Number(end), error ? { status: { code: "error", message: "" } } : {});
    });
}

export function trace(spans: readonly Span[], missing: readonly string[] = []): Trace {
  const end = Math.max(0, ...spans.map((s) => s.start + s.duration));
  const anId = traceId("abc");
  if (!anId) throw new Error("abc is hex");
  return { id: anId, start: unixNanos(1_763_715_005_000_000_000n), duration: duration(end), spans, isSkeleton: false, missing };
}

/** Names indented by depth, in the order of the tree. */
export function printed(tree: TraceTree): string {
  return tree.spans.map((s, p) => "  ".repeat(at(tree.depth, p)) + s.name).join("\n");
}
