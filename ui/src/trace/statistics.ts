/** Tables of spans: how often, how long, how much of the critical path, by service, operation or any attribute. */
import { at } from "../base/arrays.ts";
import { type Attribute, valueText } from "../model/attribute.ts";
import { isError, type Span } from "../model/span.ts";
import type { Insight } from "./insight.ts";
import type { TraceTree } from "./tree.ts";

/** `operation`, `service`, or `@` and the key of an attribute. */
export type GroupBy = string;

export interface Group {
  /** The service, or the value as text; null for spans without the attribute. */
  readonly key: string | null;
  /** The name; null unless spans are grouped by operation. */
  readonly name: string | null;
  readonly count: number;
  readonly errors: number;
  /** Summed durations; spans inside spans of the same group count twice here, but not in `self`. */
  readonly total: number;
  readonly longest: number;
  readonly self: number;
  readonly critical: number;
  /** Of the longest span. */
  readonly position: number;
}

/** Most time on the critical path first, then most self time. O(n and their attributes). */
export function groupSpans(tree: TraceTree, insight: Insight | null, by: GroupBy): readonly Group[] {
  const groups = new Map<string, { -readonly [K in keyof Group]: Group[K] }>();
  const keyOf = by.startsWith("@") ? attributeOf(by.slice(1)) : (span: Span) => span.resource.service;
  tree.spans.forEach((span, position) => {
    const key = keyOf(span);
    const name = by === "operation" ? span.name : null;
    const text = `${key === null ? "" : `=${key}`}\u0000${name ?? ""}`;
    let group = groups.get(text);
    if (!group) groups.set(text, (group = { key, name, count: 0, errors: 0, total: 0, longest: -1, self: 0, critical: 0, position }));
    const duration = Math.max(0, span.duration);
    group.count += 1;
    if (isError(span)) group.errors += 1;
    group.total += duration;
    group.self += insight ? at(insight.self, position) : 0;
    group.critical += insight ? at(insight.critical, position) : 0;
    if (duration > group.longest) {
      group.longest = duration;
      group.position = position;
    }
  });
  return [...groups.values()].sort((a, b) => b.critical - a.critical || b.self - a.self || b.total - a.total);
}

/** Of the span, else of its resource, else of its scope. */
function attributeOf(key: string): (span: Span) => string | null {
  const valueIn = (attributes: readonly Attribute[]): string | null => {
    const found = attributes.find((attribute) => attribute.key === key);
    return found ? valueText(found.value) : null;
  };
  return (span) => valueIn(span.attributes) ?? valueIn(span.resource.attributes) ?? valueIn(span.scope.attributes);
}

/** The keys of attributes that occur, those on most spans first. */
export function attributeKeys(tree: TraceTree): readonly string[] {
  const counts = new Map<string, number>();
  const countIn = (attributes: readonly Attribute[]): void => {
    for (const { key } of attributes) counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const span of tree.spans) {
    countIn(span.attributes);
    countIn(span.resource.attributes);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([key]) => key);
}

export type Column = "count" | "errors" | "total" | "mean" | "longest" | "self" | "critical";

export function valueOf(group: Group, column: Column): number {
  return column === "mean" ? group.total / Math.max(1, group.count) : group[column];
}

/** Greatest first, or least first. */
export function sortedGroups(groups: readonly Group[], column: Column, ascending: boolean): readonly Group[] {
  const sign = ascending ? 1 : -1;
  return [...groups].sort((a, b) => sign * (valueOf(a, column) - valueOf(b, column)));
}

/** How many of the other spans of its operation in this trace a span is slower than; null with too few to compare. */
export interface Peers {
  readonly count: number;
  readonly slowerThan: number;
}

/** Fewer say nothing about where a span lies among them. */
const PEERS_MIN = 5;

export function peersOf(tree: TraceTree, position: number): Peers | null {
  const span = at(tree.spans, position);
  const peers = tree.spans.filter((other) => other !== span && other.name === span.name && other.resource.service === span.resource.service);
  if (peers.length < PEERS_MIN) return null;
  return { count: peers.length, slowerThan: peers.filter((other) => other.duration < span.duration).length };
}
