/** The queries behind the charts, made from the one query of the page. */
import { durationForQuery } from "../base/format.ts";
import type { Duration, UnixNanos } from "../base/time.ts";
import { isPipe, significant, tokens, type Token } from "./tokens.ts";

const METRICS: ReadonlySet<string> = new Set([
  ...["rate", "count_over_time", "min_over_time", "max_over_time", "avg_over_time", "sum_over_time"],
  ...["quantile_over_time", "histogram_over_time", "compare"],
]);

/** What is drawn when nothing is asked: one span for each trace. */
export const ROOTS = "{ nestedSetParent < 0 }";

export interface SplitQuery {
  /** What chooses spans; empty when the query is. */
  readonly filter: string;
  /** Metrics and hints. */
  readonly rest: string;
  readonly isMetrics: boolean;
}

/** Parts a query in what chooses spans and what comes after, outside of any brackets. Comments are left out. */
export function splitQuery(query: string): SplitQuery {
  const clean = withoutComments(query);
  const all = significant(clean);
  let depth = 0;
  let metricsAt: Token | undefined;
  let hintsAt: Token | undefined;
  all.forEach((token, i) => {
    if (token.kind === "mark") depth += token.text === "{" || token.text === "(" ? 1 : token.text === "," ? 0 : -1;
    if (depth !== 0) return;
    if (isPipe(token) && METRICS.has(all[i + 1]?.text ?? "")) metricsAt ??= token;
    if (token.kind === "word" && token.text === "with") hintsAt ??= token;
  });
  const end = (metricsAt ?? hintsAt)?.from ?? clean.length;
  return { filter: clean.slice(0, end).trim(), rest: clean.slice(end).trim(), isMetrics: metricsAt !== undefined };
}

function withoutComments(query: string): string {
  let out = "";
  let at = 0;
  for (const token of tokens(query)) {
    if (token.kind !== "comment") continue;
    out += `${query.slice(at, token.from)} `;
    at = token.to;
  }
  return out + query.slice(at);
}

/** The spans that the charts speak of. */
export function drawnSpans(query: string): string {
  return splitQuery(query).filter || ROOTS;
}

export const rateQuery = (query: string): string => `${drawnSpans(query)} | rate() by (status)`;
export const heatmapQuery = (query: string): string => `${drawnSpans(query)} | histogram_over_time(duration)`;

/** A rectangle over the heatmap: spans that end in this time and lasted so long. */
export interface Box {
  readonly start: UnixNanos;
  readonly end: UnixNanos;
  readonly min: Duration;
  readonly max: Duration;
}

/** What is compared with the rest: the spans in a box, or those that failed. */
export type Selection = { readonly type: "box"; readonly box: Box } | { readonly type: "errors" };

/** As many values of an attribute on each side as are told apart; of what is not among them little is known. */
const VALUES_MAX = 100;

export function compareQuery(query: string, selection: Selection): string {
  const spans = drawnSpans(query);
  if (selection.type === "errors") return `${spans} | compare({ status = error }, ${VALUES_MAX})`;
  const { start, end, min, max } = selection.box;
  return `${spans} | compare({ duration >= ${durationForQuery(min)} && duration <= ${durationForQuery(max)} }, ${VALUES_MAX}, ${start}, ${end})`;
}
