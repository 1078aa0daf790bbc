import { expect, test } from "vitest";
import { duration, offset, type Window } from "../base/time.ts";
import { type Bar, layoutBars, timeAt, type Viewport, xOf } from "./layout.ts";
import { minimapRuns } from "./minimap.ts";
import { findFolds } from "./folds.ts";
import { type Rows, visibleRows, WHOLE_SHAPE } from "./rows.ts";
import { drawn, id, span } from "./testing.ts";
import { buildTree, type TraceTree } from "./tree.ts";
import { panned, showing, WINDOW_MIN_NS, wholeWindow, windowWithin, zoomed } from "./window.ts";

const WIDTH = 60;

/** A viewport in which a pixel is a character. */
const viewport = (from: number, to: number): Viewport => ({
  window: { from: offset(from), to: offset(to) },
  width: WIDTH,
  rowHeight: 1,
  measure: (label) => label.length,
});

const allRows = (tree: TraceTree): Rows => visibleRows(tree, findFolds(tree), WHOLE_SHAPE);

/** Bars as text: `█` bar, `░` envelope, `!` for an error, labels as they are. */
function picture(tree: TraceTree, view: Viewport, collapsed: readonly string[] = []): string {
  const ids = new Set(collapsed.map(id));
  const rows = visibleRows(tree, findFolds(tree), { ...WHOLE_SHAPE, collapsed: ids });
  const bars = layoutBars(tree, rows, 0, rows.length, (p) => ids.has(tree.spans[p]?.id ?? id("none")), view);
  return bars.map((bar) => line(bar)).join("\n");
}

function line(bar: Bar): string {
  const cells = Array.from({ length: WIDTH }, () => " ");
  const put = (x: number, text: string): void => [...text].forEach((c, i) => (cells[Math.round(x) + i] = c));
  if (bar.envelope) put(bar.envelope.x, "░".repeat(Math.round(bar.envelope.width)));
  if (bar.extent) put(bar.extent.x, "█".repeat(Math.round(bar.extent.width)));
  if (bar.extent && (bar.error || bar.errorHidden)) put(bar.extent.x, bar.error ? "!" : "?");
  if (bar.label) put(bar.label.x, bar.label.text);
  return `|${cells.join("")}|`;
}

const SHOP = buildTree(
  drawn(`
root 0-600
  cart 20-180
    redis 100-101 !
  pay 200-580 !
`),
);

test("bars lie where their times are, labels where they fit", () => {
  expect(picture(SHOP, viewport(0, 600))).toMatchInlineSnapshot(`
    "|██████████████████████████████████████████████████600 ns████|
    |  ████████████████    160 ns                                |
    |          !█    1 ns                                        |
    |          380 ns    !█████████████████████████████████████  |"
  `);
});

test("a collapsed span shows the reach and the errors of what it hides", () => {
  const late = buildTree(drawn("root 0-300\n  publish 10-50\n    consume 200-600 !"));
  expect(picture(late, viewport(0, 600), ["publish"])).toMatchInlineSnapshot(`
    "|██████████████████████████████    300 ns                    |
    | ?███░░░░40 ns░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░|"
  `);
});

test("zoomed in, bars are clipped and what is outside has none", () => {
  expect(picture(SHOP, viewport(90, 210))).toMatchInlineSnapshot(`
    "|██████████████████████████████████████████████████600 ns████|
    |█████████████████████████████████████████████    160 ns     |
    |     !█    1 ns                                             |
    |                                             380 ns    !████|"
  `);
});

test("a span without duration, or with a negative one, can be seen at any zoom", () => {
  const tree = buildTree([span("a", null, 0, 1000), span("b", "a", 1000, 1000), span("c", "a", 500, 400)]);
  for (const bar of layoutBars(tree, allRows(tree), 1, 3, () => false, viewport(0, 1000))) {
    expect(bar.extent?.width).toBe(2);
    expect((bar.extent?.x ?? 0) + 2).toBeLessThanOrEqual(WIDTH);
  }
});

test("only the rows asked for are laid out, counted from the first", () => {
  const bars = layoutBars(SHOP, allRows(SHOP), 1, 3, () => false, viewport(0, 600));
  expect(bars.map((bar) => [bar.position, bar.y])).toEqual([
    [1, 0],
    [2, 1],
  ]);
});

test("x and time are each other's inverse", () => {
  const view = viewport(100, 700);
  for (const t of [100, 250, 700]) expect(timeAt(view, xOf(view, t))).toBeCloseTo(t);
});

test("events in view are ticks, others not", () => {
  const event = (at: number) => ({ name: "e", at: offset(at), attributes: [], droppedAttributes: 0 });
  const tree = buildTree([span("a", null, 0, 600, { events: [event(60), event(300), event(900)] })]);
  const [bar] = layoutBars(tree, allRows(tree), 0, 1, () => false, viewport(0, 600));
  expect(bar?.ticks).toEqual([6, 30]);
});

// === window ===

const whole = wholeWindow(duration(10_000));
const w = (from: number, to: number): Window => ({ from: offset(from), to: offset(to) });

test("a window stays within the trace and is never too narrow", () => {
  expect(windowWithin(whole, 900, 300)).toEqual(w(300, 900));
  expect(windowWithin(whole, -50, 20_000)).toEqual(whole);
  expect(windowWithin(whole, 5_000, 5_001)).toEqual(w(5_000, 5_000 + WINDOW_MIN_NS));
  expect(windowWithin(whole, 9_999, 10_000)).toEqual(w(10_000 - WINDOW_MIN_NS, 10_000));
  expect(wholeWindow(duration(0))).toEqual(w(0, WINDOW_MIN_NS));
});

test("zooming keeps the time under the pointer in place", () => {
  expect(zoomed(whole, w(2_000, 6_000), offset(3_000), 0.5)).toEqual(w(2_500, 4_500));
  expect(zoomed(whole, w(2_000, 6_000), offset(3_000), 100)).toEqual(whole);
});

test("panning stops at the ends", () => {
  expect(panned(whole, w(2_000, 4_000), 0.5)).toEqual(w(3_000, 5_000));
  expect(panned(whole, w(2_000, 4_000), -5)).toEqual(w(0, 2_000));
  expect(panned(whole, w(7_000, 9_000), 5)).toEqual(w(8_000, 10_000));
});

test("showing moves only when the span is out of view", () => {
  const window = w(2_000, 4_000);
  expect(showing(whole, window, offset(3_900), offset(9_000))).toBe(window);
  expect(showing(whole, window, offset(7_000), offset(8_000))).toEqual(w(6_500, 8_500));
});

// === minimap ===

test("the minimap keeps one error among many spans of a line", () => {
  const spans = Array.from({ length: 400 }, (_, i) => span((i + 1).toString(16), null, i, i + 1, i === 250 ? { status: { code: "error", message: "" } } : {}));
  const runs = minimapRuns(buildTree(spans), 400, 100, 4, () => 3);
  expect(new Set(runs.map((run) => run.slot))).toEqual(new Set([3, -1]));
  const [error] = runs.filter((run) => run.slot === -1);
  expect(error).toMatchObject({ x: 62, width: 1 });
  expect(runs.every((run) => run.x >= 0 && run.x + run.width <= 100 && run.y + run.height <= 4)).toBe(true);
});

test("neighbours of one colour are one run", () => {
  const spans = Array.from({ length: 50 }, (_, i) => span((i + 1).toString(16), null, i * 2, i * 2 + 2));
  expect(minimapRuns(buildTree(spans), 100, 100, 1, () => 0)).toEqual([{ x: 0, y: 0, width: 100, height: 1, slot: 0 }]);
});
