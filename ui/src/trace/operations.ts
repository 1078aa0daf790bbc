/** Operations as numbers: spans of one service and name have the same one, so that grouping compares no text. */
import type { Resource } from "../model/span.ts";
import type { TraceTree } from "./tree.ts";

/** By position; numbers are given from 0 in the order of the spans. O(n). */
export function operationsOf(tree: TraceTree): Int32Array {
  const byService = new Map<string, Map<string, number>>();
  // Spans share their resources, so a service is looked up by its resource before it is by its name.
  const byResource = new Map<Resource, Map<string, number>>();
  let next = 0;
  return Int32Array.from(tree.spans, ({ resource, name }) => {
    let names = byResource.get(resource);
    if (names === undefined) {
      names = byService.get(resource.service) ?? new Map<string, number>();
      byService.set(resource.service, names);
      byResource.set(resource, names);
    }
    let operation = names.get(name);
    if (operation === undefined) names.set(name, (operation = next++));
    return operation;
  });
}
