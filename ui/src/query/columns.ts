/** Which attributes a table of results shows: those that the query looks at and that can differ between rows. */
import type { FoundAttribute, Hit } from "../model/hit.ts";
import { valueWords } from "../model/hit.ts";
import { readQuery } from "./chips.ts";

/** More do not fit beside what every row has. */
const COLUMNS_MAX = 4;

/** Shown in every row anyway, or the same for every span of a trace that is shown. */
const SHOWN: ReadonlySet<string> = new Set([
  ...["resource.service.name", ".service.name", "name", "span:name", "duration", "span:duration"],
  ...["rootName", "rootServiceName", "traceDuration", "trace:rootName", "trace:rootService", "trace:duration", "trace:id"],
  ...["nestedSetParent", "nestedSetLeft", "nestedSetRight", "span:id", "span:parentID"],
]);

/** In the order in which they are met. */
export function columnsOf(query: string, hits: readonly Hit[]): readonly string[] {
  const pinned = pinnedFields(query);
  const found = new Set<string>();
  for (const hit of hits) {
    for (const { label } of attributesOf(hit)) if (!SHOWN.has(label) && !pinned.has(label)) found.add(label);
  }
  return [...found].slice(0, COLUMNS_MAX);
}

/** Fields that have one value in every match. */
function pinnedFields(query: string): ReadonlySet<string> {
  const read = readQuery(query);
  if (read.type === "complex") return new Set();
  return new Set(read.parts.flatMap(({ condition }) => (condition?.op === "=" && condition.values.length === 1 ? [condition.field] : [])));
}

function attributesOf(hit: Hit): readonly FoundAttribute[] {
  return hit.sets.flatMap((set) => [...set.keys, ...set.spans.flatMap((span) => span.attributes)]);
}

/** The distinct values under `label` among the spans shown, in their order. */
export function valuesUnder(hit: Hit, label: string): readonly string[] {
  const values = attributesOf(hit).filter((attribute) => attribute.label === label);
  return [...new Set(values.map(({ value }) => valueWords(value)))];
}
