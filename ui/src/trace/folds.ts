/**
 * Repeated siblings: children of one span with the same service, name and kind, many of them. They can be folded into one
 * row that shows all their bars and how many they are.
 *
 *     list orders                       list orders
 *     ├ SELECT item                 →   ├ SELECT item ×3
 *     ├ auth                            └ auth
 *     ├ SELECT item
 *     └ SELECT item
 */
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { KINDS } from "../model/span.ts";
import { operationsOf } from "./operations.ts";
import type { TraceTree } from "./tree.ts";

/** From so many on; the same number from which the server calls calls repeated. */
export const FOLD_MIN = 10;

export interface Fold {
  /** Names the fold: the id of its first member. */
  readonly id: SpanId;
  /** Positions, ascending. */
  readonly members: Int32Array;
}

export interface Folds {
  readonly list: readonly Fold[];
  /** By position: index into `list`, -1 for spans that are in none. */
  readonly of: Int32Array;
}

/** O(n). */
export function findFolds(tree: TraceTree, least = FOLD_MIN): Folds {
  const of = new Int32Array(tree.spans.length).fill(-1);
  const list: Fold[] = [];
  const children = childCounts(tree);
  let kinds: Int32Array | null = null;
  tree.spans.forEach((_, parent) => {
    if (at(children, parent) < least) return;
    kinds ??= kindsOf(tree);
    const alike = new Map<number, number[]>();
    const end = parent + at(tree.descendants, parent);
    for (let p = parent + 1; p <= end; p += at(tree.descendants, p) + 1) {
      const kind = at(kinds, p);
      const members = alike.get(kind);
      if (members) members.push(p);
      else alike.set(kind, [p]);
    }
    for (const members of alike.values()) {
      if (members.length < least) continue;
      for (const p of members) of[p] = list.length;
      list.push({ id: at(tree.spans, at(members, 0)).id, members: Int32Array.from(members) });
    }
  });
  return { list, of };
}

function childCounts(tree: TraceTree): Int32Array {
  const counts = new Int32Array(tree.spans.length);
  for (const parent of tree.parent) if (parent >= 0) counts[parent] = at(counts, parent) + 1;
  return counts;
}

/** A number for each span, equal for those of one service, name and kind. */
function kindsOf(tree: TraceTree): Int32Array {
  const operations = operationsOf(tree);
  return operations.map((operation, p) => operation * KINDS.length + KINDS.indexOf(at(tree.spans, p).kind));
}

/** The fold that the span at `position` is in; null for none. */
export function foldAt(folds: Folds, position: number): Fold | null {
  return folds.list[folds.of[position] ?? -1] ?? null;
}
