/**
 * Finding text within a trace. Blanks separate words, quotes keep a phrase together; a span matches when every word occurs
 * in it, in any case: name, service, ids, status message, and keys, values and `key=value` of its attributes, of its
 * events and of its resource.
 */
import { at } from "../base/arrays.ts";
import { type Attribute, valueText } from "../model/attribute.ts";
import type { Resource, Span } from "../model/span.ts";
import type { TraceTree } from "./tree.ts";

/** Separates the fields of a haystack; cannot be typed, so no word matches across two fields. */
const FIELD = "\u0000";

export function searchWords(query: string): readonly string[] {
  return [...query.toLowerCase().matchAll(/"([^"]*)"?|(\S+)/g)].map((m) => m[1] ?? m[2] ?? "").filter((word) => word !== "");
}

/** A trace prepared for finding; made once per trace, since joining the text of 50,000 spans takes longer than scanning it. */
export class SearchIndex {
  readonly #haystacks: string[] = [];
  readonly #tree: TraceTree;

  constructor(tree: TraceTree) {
    this.#tree = tree;
  }

  /** Positions of the spans that match, ascending; none for a query without words. */
  find(query: string): Int32Array {
    const words = searchWords(query);
    if (words.length === 0) return new Int32Array();
    this.#prepare();
    const found: number[] = [];
    this.#haystacks.forEach((haystack, position) => {
      if (words.every((word) => haystack.includes(word))) found.push(position);
    });
    return Int32Array.from(found);
  }

  #prepare(): void {
    if (this.#haystacks.length === this.#tree.spans.length) return;
    const resources = new Map<Resource, string>();
    for (const span of this.#tree.spans) {
      let resource = resources.get(span.resource);
      if (resource === undefined) {
        resource = fieldsOf(span.resource.attributes);
        resources.set(span.resource, resource);
      }
      this.#haystacks.push(haystackOf(span, resource));
    }
  }
}

function haystackOf(span: Span, resource: string): string {
  const events = span.events.map((event) => event.name + FIELD + fieldsOf(event.attributes));
  const own = [span.name, span.resource.service, span.id, span.status.message, span.scope.name, span.kind];
  return [...own, fieldsOf(span.attributes), ...events].join(FIELD).toLowerCase() + FIELD + resource;
}

function fieldsOf(attributes: readonly Attribute[]): string {
  return attributes.map(({ key, value }) => `${key}=${valueText(value)}`).join(FIELD).toLowerCase();
}

/** The first of ascending `positions` after (`step` 1) or before (`step` -1) `from`, going round at the ends; null if none. */
export function neighbour(positions: Int32Array, from: number, step: 1 | -1): number | null {
  if (positions.length === 0) return null;
  if (step === 1) return positions.find((p) => p > from) ?? at(positions, 0);
  return positions.findLast((p) => p < from) ?? at(positions, positions.length - 1);
}
