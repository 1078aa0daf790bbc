/** Changing a query by one condition: what chips, charts and attribute values do. Works on any query, chips or not. */
import type { LabelValue } from "../model/series.ts";
import { type Condition, partOf, type Part, readQuery, sameCondition, type SimpleQuery, type Value, writeCondition, writeQuery } from "./chips.ts";
import { splitQuery } from "./compose.ts";

/** Different spellings of one field, the one that is written first. */
const SPELLINGS = {
  service: ["resource.service.name", ".service.name"],
  operation: ["name", "span:name"],
  status: ["status", "span:status"],
  duration: ["duration", "span:duration"],
  root: ["nestedSetParent"],
} as const;

export type KnownField = keyof typeof SPELLINGS;

export const fieldOf = (known: KnownField): string => SPELLINGS[known][0];
export const isField = (known: KnownField, field: string): boolean => SPELLINGS[known].some((spelling) => spelling === field);

export const text = (value: string): Value => ({ type: "string", text: value });
export const bare = (value: string): Value => ({ type: "bare", text: value });
export const condition = (field: string, op: Condition["op"], ...values: readonly Value[]): Condition => ({ field, op, values });

/** Every condition for which `isMeant` holds gives way to `next`, which takes the place of the first; null removes. */
export function replaced(query: SimpleQuery, isMeant: (condition: Condition) => boolean, next: Condition | null): SimpleQuery {
  const isHit = (part: Part): boolean => part.condition !== null && isMeant(part.condition);
  const place = query.parts.findIndex(isHit);
  const kept = query.parts.filter((part) => !isHit(part));
  if (next === null) return { ...query, parts: kept };
  const at = place < 0 ? kept.length : query.parts.slice(0, place).filter((part) => !isHit(part)).length;
  return { ...query, parts: [...kept.slice(0, at), partOf(next), ...kept.slice(at)] };
}

/**
 * `query` narrowed by `next`. A condition on the same field that could not hold beside it gives way: another value to be
 * equal to, the same value to be different from, a bound on the same side. A query too rich for chips gets a filter after it.
 */
export function narrowed(query: string, next: Condition): string {
  const read = readQuery(query);
  if (read.type === "complex") return inserted(query, next);
  if (read.parts.some((part) => part.condition && sameCondition(part.condition, next))) return query;
  return writeQuery(replaced(read, (old) => givesWay(old, next), next));
}

function givesWay(old: Condition, next: Condition): boolean {
  if (old.field !== next.field) return false;
  const [oldSide, nextSide] = [old.op, next.op].map((op) => (op.startsWith("<") ? "below" : op.startsWith(">") ? "above" : op));
  if (oldSide === "below" || oldSide === "above" || old.op === "=") return oldSide === nextSide || next.op === "=" || sharesValue(old, next);
  return next.op === "=" && sharesValue(old, next);
}

const sharesValue = (a: Condition, b: Condition): boolean => a.values.some((one) => b.values.some((other) => one.type === other.type && one.text === other.text));

/** After the stages that choose spans, before what measures them. */
function inserted(query: string, next: Condition): string {
  const { filter, rest } = splitQuery(query);
  return [filter, `| { ${writeCondition(next)} }`, rest].filter((piece) => piece !== "").join(" ");
}

/** The query without part number `index` of its filter. */
export function without(query: SimpleQuery, index: number): SimpleQuery {
  return { ...query, parts: query.parts.filter((_, i) => i !== index) };
}

const WORD_FIELDS: ReadonlySet<string> = new Set(["status", "kind", "span:status", "span:kind"]);
const DURATION_FIELDS: ReadonlySet<string> = new Set([
  ...["duration", "span:duration", "traceDuration", "trace:duration", "event:timeSinceStart"],
]);
const BARE = /^(-?\d+(\.\d+)?|true|false|nil)$/;
const BARE_DURATION = /^-?\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h)(\d+(\.\d+)?(ns|us|µs|μs|ms|s|m|h))*$/;

/**
 * What somebody typed for `field` as a value: `type` is what the server says of it, where it knows the value. Quotes make
 * text of anything.
 */
export function typedValue(field: string, typed: string, type?: string): Value {
  const words = typed.trim();
  if (words.length > 1 && /^".*"$|^`.*`$/s.test(words)) return text(words.slice(1, -1));
  if (type === "string") return text(words);
  if (type !== undefined || WORD_FIELDS.has(field)) return bare(words);
  if (DURATION_FIELDS.has(field) && BARE_DURATION.test(words)) return bare(words);
  return BARE.test(words) ? bare(words) : text(words);
}

/** A value found in the data as a query writes it. */
export function foundValue(field: string, value: LabelValue): Value {
  if (typeof value !== "string") return bare(typeof value === "number" && !Number.isFinite(value) ? "nil" : String(value));
  return WORD_FIELDS.has(field) || (DURATION_FIELDS.has(field) && BARE_DURATION.test(value)) ? bare(value) : text(value);
}

/** An attribute as a query writes it; quoted where its key holds what would end a name. */
export const attributeField = (scope: string, key: string): string => `${scope}.${/[\s{}()=~!<>&|^,"\\]/.test(key) || key === "" ? JSON.stringify(key) : key}`;
