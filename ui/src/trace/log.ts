/** The events of all spans of a trace as one log, in order of time. */
import { at } from "../base/arrays.ts";
import { type Attribute, stringAttribute, valueText } from "../model/attribute.ts";
import type { SpanEvent } from "../model/span.ts";
import { searchWords } from "./search.ts";
import type { TraceTree } from "./tree.ts";

export interface LogLine {
  /** Of the span. */
  readonly position: number;
  readonly event: SpanEvent;
  readonly isException: boolean;
  /** What is worth reading in a line: of an exception its type and message, else the attributes. */
  readonly text: string;
}

/** O(n log n) in the events. Of events at one time those of the earlier position come first. */
export function logOf(tree: TraceTree): readonly LogLine[] {
  const lines = tree.spans.flatMap((span, position) =>
    span.events.map((event) => ({ position, event, isException: event.name === "exception", text: textOf(event) })),
  );
  return lines.sort((a, b) => a.event.at - b.event.at || a.position - b.position);
}

function textOf(event: SpanEvent): string {
  const type = stringAttribute(event.attributes, "exception.type");
  const message = stringAttribute(event.attributes, "exception.message");
  if (type !== undefined || message !== undefined) return [type, message].filter((part) => part).join(": ");
  return event.attributes.map(pair).join("  ");
}

const pair = ({ key, value }: Attribute): string => `${key}=${valueText(value)}`;

/** The lines in which every word of `query` occurs: in name, text, attributes, span or service. */
export function filterLog(tree: TraceTree, lines: readonly LogLine[], query: string): readonly LogLine[] {
  const words = searchWords(query);
  if (words.length === 0) return lines;
  return lines.filter(({ position, event, text }) => {
    const span = at(tree.spans, position);
    const haystack = [event.name, text, span.name, span.resource.service, ...event.attributes.map(pair)].join("\u0000").toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}
