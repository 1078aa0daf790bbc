/**
 * Which attributes tell a selection of spans from the rest.
 *
 * For each value of an attribute there is its share of the selection and its share of the rest. What counts is not how far
 * these are apart but how far they are apart *for sure*: with few spans selected every id is "only in the selection". So the
 * gap is measured between the ends of two intervals of confidence (Wilson's, 95 %) that face each other, nothing when these
 * overlap, and the score of an attribute is half the sum of its gaps: 0 for alike, 1 for certain to differ entirely.
 */
import { labelOf, type LabelValue, type Series } from "../model/series.ts";

export interface ValueDifference {
  readonly value: LabelValue;
  /** Shares of all spans on that side, 0 to 1. */
  readonly selected: number;
  readonly rest: number;
  /** How much they differ for sure; positive when the selection has more. */
  readonly gap: number;
}

export interface AttributeDifference {
  /** As a query writes it. */
  readonly field: string;
  readonly score: number;
  /** What the selection has more of first, the most telling before others. */
  readonly values: readonly ValueDifference[];
}

export interface Difference {
  readonly selected: number;
  readonly rest: number;
  readonly attributes: readonly AttributeDifference[];
}

const TYPE = "__meta_type";
const CONFIDENCE = 1.96;

type Side = "selection" | "baseline";
interface Counts {
  selection: number;
  baseline: number;
}
const SIDES: readonly Side[] = ["selection", "baseline"];

interface Listed {
  /** The most frequent values of each side. */
  readonly values: Map<LabelValue, Counts>;
  /** Spans that have the attribute, with whatever value. */
  readonly having: Counts;
}

const sumOf = (values: ReadonlyMap<LabelValue, Counts>, side: Side): number => [...values.values()].reduce((all, counts) => all + counts[side], 0);

/** What a value that a side does not list can have at the most there: no more than the least listed, nor than what is left. */
function unlisted({ values, having }: Listed, side: Side): number {
  const left = having[side] - sumOf(values, side);
  if (left <= 0) return 0;
  const listed = [...values.values()].map((counts) => counts[side]).filter((count) => count > 0);
  return Math.min(left, ...listed);
}

/**
 * From the answer to `compare`: a series for each side, attribute and frequent value, and the totals of each attribute. `except` names
 * attributes by which the selection was made: that these differ is no news.
 */
export function differenceOf(series: readonly Series[], except: readonly string[] = []): Difference {
  const fields = new Map<string, Listed>();
  const totals: Counts = { selection: 0, baseline: 0 };
  for (const one of series) {
    const type = String(labelOf(one, TYPE) ?? "");
    const side: Side | null = type.startsWith("selection") ? "selection" : type.startsWith("baseline") ? "baseline" : null;
    const label = one.labels.find(({ key }) => !key.startsWith("__"));
    if (!side || !label) continue;
    const count = one.points.reduce((sum, { value }) => sum + value, 0);
    const { values, having } = fields.get(label.key) ?? { values: new Map<LabelValue, Counts>(), having: { selection: 0, baseline: 0 } };
    fields.set(label.key, { values, having });
    if (type.endsWith("_total")) {
      having[side] += count;
      continue;
    }
    const counts = values.get(label.value) ?? { selection: 0, baseline: 0 };
    values.set(label.value, counts);
    counts[side] += count;
  }
  for (const { values, having } of fields.values()) {
    for (const side of SIDES) {
      // What was counted by value is the least there is. An attribute that only some spans have has a smaller total than others.
      having[side] = Math.max(having[side], sumOf(values, side));
      totals[side] = Math.max(totals[side], having[side]);
    }
  }
  const attributes = [...fields].map(([field, listed]) => attributeDifference(field, listed, totals));
  return {
    selected: totals.selection,
    rest: totals.baseline,
    attributes: withoutEchoes(attributes.filter(({ field, score }) => score > 0 && !except.includes(field))).sort((a, b) => b.score - a.score || (a.field < b.field ? -1 : 1)),
  };
}

/** Shares that differ by less are the same for a reader. */
const ALIKE = 0.05;

/** Attributes that say the same of nearly every span (the name of a root and `rootName`) are one: that with the shorter name. */
function withoutEchoes(attributes: readonly AttributeDifference[]): AttributeDifference[] {
  const kept: AttributeDifference[] = [];
  for (const attribute of [...attributes].sort((a, b) => a.field.length - b.field.length)) {
    if (!kept.some((other) => isEcho(other, attribute))) kept.push(attribute);
  }
  return kept;
}

function isEcho(a: AttributeDifference, b: AttributeDifference): boolean {
  const shares = new Map(a.values.map((one) => [one.value, one]));
  const known = b.values.filter(({ value }) => shares.has(value)).length;
  if (known === 0) return false;
  const isNear = (one: ValueDifference | undefined, other: ValueDifference | undefined): boolean =>
    Math.abs((one?.selected ?? 0) - (other?.selected ?? 0)) < ALIKE && Math.abs((one?.rest ?? 0) - (other?.rest ?? 0)) < ALIKE;
  const others = new Map(b.values.map((one) => [one.value, one]));
  return [...new Set([...shares.keys(), ...others.keys()])].every((value) => isNear(shares.get(value), others.get(value)));
}

function attributeDifference(field: string, listed: Listed, totals: Counts): AttributeDifference {
  const most: Counts = { selection: unlisted(listed, "selection"), baseline: unlisted(listed, "baseline") };
  const all = [...listed.values].map(([value, counts]): ValueDifference => ({
    value,
    selected: totals.selection > 0 ? counts.selection / totals.selection : 0,
    rest: totals.baseline > 0 ? counts.baseline / totals.baseline : 0,
    gap: sureGap({ selection: counts.selection || most.selection, baseline: counts.baseline || most.baseline }, totals),
  }));
  // What the selection has more of comes first, then what it lacks, then what says nothing.
  const rank = ({ gap }: ValueDifference): number => (gap > 0 ? 0 : gap < 0 ? 1 : 2);
  all.sort((a, b) => rank(a) - rank(b) || Math.abs(b.gap) - Math.abs(a.gap) || b.selected - a.selected);
  return { field, score: Math.min(1, all.reduce((sum, { gap }) => sum + Math.abs(gap), 0) / 2), values: all };
}

function sureGap(counts: Counts, totals: Counts): number {
  const selection = interval(counts.selection, totals.selection);
  const rest = interval(counts.baseline, totals.baseline);
  if (selection.low > rest.high) return selection.low - rest.high;
  if (rest.low > selection.high) return -(rest.low - selection.high);
  return 0;
}

/** Wilson's interval for a share of `hits` in `all`; everything is possible when nothing was seen. */
export function interval(hits: number, all: number): { readonly low: number; readonly high: number } {
  if (all <= 0) return { low: 0, high: 1 };
  const share = Math.min(1, hits / all);
  const z2 = CONFIDENCE ** 2;
  const centre = share + z2 / (2 * all);
  const spread = CONFIDENCE * Math.sqrt((share * (1 - share)) / all + z2 / (4 * all * all));
  const scale = 1 + z2 / all;
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}
