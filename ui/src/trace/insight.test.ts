import { expect, test } from "vitest";
import type { SpanId } from "../base/ids.ts";
import { at } from "../base/arrays.ts";
import { duration, offset, unixNanos, type Window } from "../base/time.ts";
import type { Analysis, Finding } from "../model/analysis.ts";
import type { Span } from "../model/span.ts";
import { findingNamed, findingNames, patternWords } from "./findings.ts";
import { findFolds } from "./folds.ts";
import { gapPairs, insightOf, SubtreePath } from "./insight.ts";
import { type Bar, layoutBars, type Overlay } from "./layout.ts";
import { minimapPath } from "./minimap.ts";
import { visibleRows, WHOLE_SHAPE } from "./rows.ts";
import { corrected } from "./skew.ts";
import { drawn, id, span, trace } from "./testing.ts";
import { strokesOf } from "./through.ts";
import { buildTree } from "./tree.ts";

const SPANS = drawn("root 0-100\n  call 10-60\n    serve 20-50\n  tail 70-90");
const TRACE = trace(SPANS);
const TREE = buildTree(SPANS);

interface Columns {
  readonly shift?: readonly number[];
  readonly gap?: readonly number[];
  readonly critical?: readonly number[];
  readonly detached?: readonly number[];
}

/** Spans of the analysis are in the order root, call, serve, tail. */
function analysis(columns: Columns = {}, more: Partial<Analysis> = {}): Analysis {
  const column = (values: readonly number[] = []): Float64Array => Float64Array.from({ length: 4 }, (_, i) => values[i] ?? 0);
  return {
    start: TRACE.start,
    earliest: offset(0),
    latest: offset(100),
    mainRoot: 0,
    text: "",
    parts: [],
    findings: [],
    findingsLeftOut: 0,
    path: [
      { span: 0, start: offset(0), end: offset(10) },
      { span: 1, start: offset(10), end: offset(20) },
      { span: 2, start: offset(20), end: offset(50) },
      { span: 1, start: offset(50), end: offset(60) },
      { span: 0, start: offset(60), end: offset(100) },
    ],
    dark: [{ span: 0, start: offset(60), end: offset(100) }],
    columns: {
      id: ["root", "call", "serve", "tail"].map(id),
      shift: column(columns.shift),
      self: column(),
      critical: column(columns.critical),
      gap: column(columns.gap),
      dark: column(),
      detached: Uint8Array.from(column(columns.detached)),
    },
    ...more,
  };
}

const finding = (pattern: string, spans: readonly number[]): Finding => ({
  pattern,
  spans,
  spanCount: spans.length,
  atStake: duration(0),
  share: 0,
  headline: "",
  sentence: "",
  advice: "",
});

const window: Window = { from: offset(0), to: offset(100) };
const viewport = { window, width: 100, rowHeight: 10, measure: () => 1 };

test("columns are laid over the tree by id, whatever the order and whatever is missing", () => {
  const reversed = buildTree([...SPANS.slice(0, 3), span("new", "root", 95, 99)]);
  const insight = insightOf(TRACE, reversed, analysis({ critical: [1, 2, 3, 4] }));
  expect(reversed.spans.map((s, p) => [s.name, at(insight.critical, p)])).toEqual([["root", 1], ["call", 2], ["serve", 3], ["new", 0]]);
  expect([...insight.criticalWithin]).toEqual([6, 5, 3, 0]);
  expect(insight.total).toBe(100);
});

test("offsets are counted from the start of the page's trace", () => {
  const later = analysis({}, { start: unixNanos(TRACE.start + 1000n) });
  expect(insightOf(TRACE, TREE, later).sections[1]).toEqual({ position: 1, from: 1010, to: 1020 });
});

test("time to and from the server is what the children leave", () => {
  const insight = insightOf(TRACE, TREE, analysis({ gap: [0, 20] }));
  expect([...gapPairs(TREE, insight, 1)]).toEqual([10, 20, 50, 60]);
  expect([...gapPairs(TREE, insight, 0)]).toEqual([]);
});

function bars(insight: ReturnType<typeof insightOf>, collapsed: readonly string[] = []): readonly Bar[] {
  const ids = new Set(collapsed.map(id));
  const overlay: Overlay = { insight, path: new SubtreePath(TREE, insight.path), dark: new SubtreePath(TREE, insight.darkStretches) };
  const rows = visibleRows(TREE, findFolds(TREE), { ...WHOLE_SHAPE, collapsed: ids });
  return layoutBars(TREE, rows, 0, rows.length, (p) => ids.has(at(TREE.spans, p).id), viewport, overlay);
}

const ends = (extents: readonly { readonly x: number; readonly width: number }[]) => extents.map(({ x, width }) => [x, x + width]);

test("bars carry the critical path, dark time and gaps", () => {
  const [root, call, serve, tail] = bars(insightOf(TRACE, TREE, analysis({ gap: [0, 20] })));
  expect(ends(root?.path ?? [])).toEqual([[0, 10], [60, 100]]);
  expect(ends(root?.dark ?? [])).toEqual([[60, 100]]);
  expect(ends(call?.gap ?? [])).toEqual([[10, 20], [50, 60]]);
  expect(ends(serve?.path ?? [])).toEqual([[20, 50]]);
  expect(tail?.path).toEqual([]);
});

test("a collapsed bar carries the path of all it hides, as one line where it touches", () => {
  const [, call] = bars(insightOf(TRACE, TREE, analysis({ gap: [0, 20] })), ["call"]);
  expect(ends(call?.path ?? [])).toEqual([[10, 60]]);
  expect(call?.gap).toEqual([]);
});

test("a span that was moved shows where it was recorded, one that nobody waits for says so", () => {
  const [, , serve, tail] = bars(insightOf(TRACE, TREE, analysis({ shift: [0, 0, 5], detached: [0, 0, 0, 1] })));
  expect(serve?.recorded).toEqual({ x: 15, width: 30 });
  expect([serve?.detached, tail?.detached]).toEqual([false, true]);
});

test("strokes lead the path from row to row; those on one pixel are one", () => {
  const insight = insightOf(TRACE, TREE, analysis());
  const rows = visibleRows(TREE, findFolds(TREE), WHOLE_SHAPE);
  expect(strokesOf(insight.sections, rows, 0, 4, viewport)).toEqual([
    { x: 10, top: 5, bottom: 15 },
    { x: 20, top: 15, bottom: 25 },
    { x: 50, top: 15, bottom: 25 },
    { x: 60, top: 5, bottom: 15 },
  ]);
  expect(strokesOf(insight.sections, rows, 3, 4, viewport)).toEqual([]);
  expect(strokesOf(insight.sections, rows, 0, 4, { ...viewport, width: 10 })).toHaveLength(4);
  expect(strokesOf(insight.sections, rows, 0, 4, { ...viewport, width: 2 })).toHaveLength(2);
});

test("the minimap shows the path on the lines of its spans", () => {
  const insight = insightOf(TRACE, TREE, analysis());
  const runs = minimapPath(insight.sections, 4, 100, 10, 4);
  expect(runs.map(({ x, y, width }) => [x, y, width])).toEqual([[0, 0, 1], [1, 1, 1], [2, 2, 3], [5, 1, 1], [6, 0, 4]]);
});

test("correction moves spans and their events, and the start of the trace when one is moved before it", () => {
  const withEvent = TRACE.spans.map((s): Span => (s.name === "serve" ? { ...s, events: [{ name: "e", at: offset(25), attributes: [], droppedAttributes: 0 }] } : s));
  const moved = corrected({ ...TRACE, spans: withEvent }, analysis({ shift: [0, 0, -30] }));
  const named = (name: string) => moved.spans.find((s) => s.name === name);
  expect(moved.start).toBe(TRACE.start - 10n);
  expect([named("root")?.start, named("serve")?.start, named("serve")?.events[0]?.at]).toEqual([10, 0, 5]);
  expect(moved.duration).toBe(110);
  expect(corrected(TRACE, analysis())).toBe(TRACE);
});

test("findings keep their names when others are found, and of one name are numbered", () => {
  const insight = insightOf(TRACE, TREE, analysis({}, { findings: [finding("retries", [2, 1]), finding("retries", [1]), finding("largeTrace", [])] }));
  const names = findingNames(TREE, insight.findings);
  expect(names).toEqual([`retries.${id("call")}`, `retries.${id("call")}.2`, "largeTrace"]);
  expect([...(findingNamed(TREE, insight, names[0] ?? null)?.positions ?? [])]).toEqual([1, 2]);
  expect(findingNamed(TREE, insight, "gone")).toBeNull();
});

test("patterns are words, also those that are not known yet", () => {
  expect(patternWords("repeatedCalls")).toBe("N+1 calls");
  expect(patternWords("someNewPattern")).toBe("some new pattern");
});

test("spans that the page does not have are left out", () => {
  const ids = ["root", "gone", "serve", "tail"].map((name): SpanId => id(name));
  const other = analysis({}, { findings: [finding("retries", [1, 2])] });
  const insight = insightOf(TRACE, TREE, { ...other, columns: { ...other.columns, id: ids } });
  expect([...(insight.findings[0]?.positions ?? [])]).toEqual([2]);
  expect(insight.path.from.length).toBe(3);
});
