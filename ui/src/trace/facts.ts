/** What the head of a trace page says about the trace, in numbers and in words. */
import { at } from "../base/arrays.ts";
import { plural } from "../base/format.ts";
import type { Span } from "../model/span.ts";
import { countServices, type ServiceCount, type Trace } from "../model/trace.ts";
import type { TraceTree } from "./tree.ts";

export interface TraceFacts {
  /** The earliest true root; null when every topmost span names a parent that is not here. */
  readonly root: Span | null;
  /** The root, or the earliest topmost span in its stead. Null only for a trace without spans. */
  readonly title: Span | null;
  readonly services: readonly ServiceCount[];
  readonly errors: number;
  /** Why this may not be the whole truth, one sentence each; empty when nothing is amiss. */
  readonly warnings: readonly string[];
}

export function factsOf(trace: Trace, tree: TraceTree): TraceFacts {
  const tops = tree.roots.map((p) => at(tree.spans, p));
  const root = tops.find((span) => span.parentId === null) ?? null;
  const services = countServices(tree.spans);
  return {
    root,
    title: root ?? tops[0] ?? null,
    services,
    errors: services.reduce((sum, service) => sum + service.errors, 0),
    warnings: warningsOf(trace, tree, root, tops),
  };
}

function warningsOf(trace: Trace, tree: TraceTree, root: Span | null, tops: readonly Span[]): readonly string[] {
  const warnings = trace.missing.map((words) => `could not be read: ${words}`);
  const trueRoots = tops.filter((span) => span.parentId === null).length;
  const backwards = tree.spans.filter((span) => span.duration < 0).length;
  if (root === null && tops.length > 0) warnings.push("the root span is not here (not arrived yet, or never sent)");
  if (tree.orphans > 0) warnings.push(`${plural(tree.orphans, "span")} without ${tree.orphans === 1 ? "its" : "their"} parent`);
  if (trueRoots > 1) warnings.push(`${trueRoots} roots`);
  if (tree.duplicates > 0) warnings.push(`${plural(tree.duplicates, "span")} with the id of another left out`);
  if (tree.cycles > 0) warnings.push(`${plural(tree.cycles, "cycle")} of parents cut`);
  if (backwards > 0) warnings.push(`${plural(backwards, "span")} ending before ${backwards === 1 ? "it starts" : "they start"}`);
  return warnings;
}
