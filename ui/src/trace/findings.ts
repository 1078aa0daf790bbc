/** Findings for reading: a name for the address, and words for what was found. */
import { at } from "../base/arrays.ts";
import type { Insight, PlacedFinding } from "./insight.ts";
import type { TraceTree } from "./tree.ts";

const WORDS: Readonly<Record<string, string>> = {
  retries: "retries",
  repeatedCalls: "N+1 calls",
  sequentialCalls: "one after another",
  straggler: "straggler",
  wideFanOut: "wide fan-out",
  darkTime: "dark time",
  networkGap: "network gap",
  hiddenTimeout: "hidden timeout",
  swallowedError: "swallowed error",
  fireAndForget: "nobody waits",
  brokenChain: "broken chain",
  clockSkew: "clocks disagree",
  wrongTimes: "impossible times",
  wrongIds: "ids used twice",
  wrongStatus: "status of HTTP",
  wrongKind: "kind of spans",
  missingLink: "missing link",
  missingServiceName: "no service name",
  namesWithValues: "names with values",
  largeTrace: "large trace",
  longTrace: "long trace",
};

/** A pattern in words; one that this page does not know is split at its capitals. */
export function patternWords(pattern: string): string {
  return WORDS[pattern] ?? pattern.replace(/([A-Z])/g, " $1").toLowerCase();
}

/**
 * A name for each finding that stays right when the trace grows: its pattern and its first span. Further ones of the same
 * name are numbered.
 */
export function findingNames(tree: TraceTree, findings: readonly PlacedFinding[]): readonly string[] {
  const seen = new Map<string, number>();
  return findings.map(({ pattern, positions }) => {
    const base = positions.length > 0 ? `${pattern}.${at(tree.spans, at(positions, 0)).id}` : pattern;
    const times = (seen.get(base) ?? 0) + 1;
    seen.set(base, times);
    return times === 1 ? base : `${base}.${times}`;
  });
}

/** The finding of that name; null when it is not among them any more. */
export function findingNamed(tree: TraceTree, insight: Insight, name: string | null): PlacedFinding | null {
  if (name === null) return null;
  return insight.findings[findingNames(tree, insight.findings).indexOf(name)] ?? null;
}
