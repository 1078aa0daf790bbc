/**
 * The address of a trace and of what is looked at in it.
 *
 *     /trace/4bf92f3577b34da6a3ce929d0e0e4736?span=00f067aa0ba902b7&find=redis&zoom=1200000-5400000
 *     /trace/4bf92f3577b34da6a3ce929d0e0e4736?view=table&by=@http.route&hide=redis&hide=cart&path=only&skew=off
 *
 * `zoom` is in nanoseconds from the start of the trace, so it stays right when the trace grows at its end. What is missing
 * or cannot be read is at its default.
 */
import { type SpanId, spanId, type TraceId, traceId } from "../base/ids.ts";
import { offset, type Window } from "../base/time.ts";

export const VIEWS = ["timeline", "flame", "table", "graph", "events", "compare"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface TraceLook {
  readonly view: ViewName;
  readonly span: SpanId | null;
  readonly find: string;
  /** Null when the whole trace is in view. */
  readonly zoom: Window | null;
  /** Names a finding whose spans are marked; null for none. */
  readonly finding: string | null;
  /** Whether only spans of the critical path are rows. */
  readonly onlyPath: boolean;
  /** Whether clocks that disagree are corrected. */
  readonly skew: boolean;
  /** Services whose spans are not shown. */
  readonly hidden: readonly string[];
  /** Only this span and what is below it; null for all. */
  readonly top: SpanId | null;
  /** What the table groups by: `operation`, `service`, or `@` and the key of an attribute. */
  readonly by: string;
  /** The trace to compare with. */
  readonly other: TraceId | null;
}

export const DEFAULT_LOOK: TraceLook = {
  view: "timeline",
  span: null,
  find: "",
  zoom: null,
  finding: null,
  onlyPath: false,
  skew: true,
  hidden: [],
  top: null,
  by: "operation",
  other: null,
};

export function lookFromSearch(search: string): TraceLook {
  const query = new URLSearchParams(search);
  const zoom = /^(\d{1,19})-(\d{1,19})$/.exec(query.get("zoom") ?? "");
  const from = offset(Number(zoom?.[1]));
  const to = offset(Number(zoom?.[2]));
  return {
    view: VIEWS.find((view) => view === query.get("view")) ?? DEFAULT_LOOK.view,
    span: spanId(query.get("span") ?? ""),
    find: query.get("find") ?? "",
    zoom: zoom && from < to ? { from, to } : null,
    finding: query.get("finding") || null,
    onlyPath: query.get("path") === "only",
    skew: query.get("skew") !== "off",
    hidden: query.getAll("hide"),
    top: spanId(query.get("top") ?? ""),
    by: query.get("by") || DEFAULT_LOOK.by,
    other: traceId(query.get("other") ?? ""),
  };
}

export function searchFromLook(look: TraceLook): string {
  const query = new URLSearchParams();
  if (look.view !== DEFAULT_LOOK.view) query.set("view", look.view);
  if (look.span !== null) query.set("span", look.span);
  if (look.find !== "") query.set("find", look.find);
  if (look.zoom !== null) query.set("zoom", `${Math.floor(look.zoom.from)}-${Math.ceil(look.zoom.to)}`);
  if (look.finding !== null) query.set("finding", look.finding);
  if (look.onlyPath) query.set("path", "only");
  if (!look.skew) query.set("skew", "off");
  for (const service of look.hidden) query.append("hide", service);
  if (look.top !== null) query.set("top", look.top);
  if (look.by !== DEFAULT_LOOK.by) query.set("by", look.by);
  if (look.other !== null) query.set("other", look.other);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

export function traceAddress(id: TraceId, span: SpanId | null = null): string {
  return `/trace/${id}${span === null ? "" : `?span=${span}`}`;
}

/** Two traces laid over each other; `left` is the baseline. */
export function comparisonAddress(left: TraceId, right: TraceId): string {
  return `/trace/${left}${searchFromLook({ ...DEFAULT_LOOK, view: "compare", other: right })}`;
}
