/**
 * The line of the critical path from row to row: where the path goes over from one span to the next, a stroke joins
 * their rows. With the lines along the bars they are one line from the start of the trace to its end.
 *
 *     root    ━━━┓              ┏━━━
 *       call     ┗━━━┓      ┏━━━┛
 *         query      ┗━━━━━━┛
 */
import { at } from "../base/arrays.ts";
import type { Insight } from "./insight.ts";
import { type Viewport, xOf } from "./layout.ts";
import type { Rows } from "./rows.ts";

/** Between the middles of two rows, `top` above `bottom`. */
export interface Stroke {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where strokes lie closer than this they say nothing any more and only hide the bars: then there are none. */
const STROKE_EVERY_PX = 6;
/** So few are drawn however close they lie. */
const STROKES_ANYWAY = 24;

/** The strokes that are in sight of rows `first` to `last` (exclusive), `y` counting from the top of row `first`. O(sections). */
export function strokesOf(
  sections: Insight["sections"],
  rows: Rows,
  first: number,
  last: number,
  viewport: Pick<Viewport, "window" | "width" | "rowHeight">,
): readonly Stroke[] {
  const { window, width, rowHeight } = viewport;
  // Strokes on one pixel are one stroke: a thousand short calls are a band, not a thousand lines.
  const byX = new Map<number, { low: number; high: number }>();
  for (let i = 1; i < sections.length; i++) {
    const before = at(sections, i - 1);
    const after = at(sections, i);
    if (after.from < window.from || after.from > window.to || before.to !== after.from) continue;
    if (before.position < 0 || after.position < 0) continue;
    const [a, b] = [at(rows.rowAt, before.position), at(rows.rowAt, after.position)];
    const [low, high] = a < b ? [a, b] : [b, a];
    if (low === high || low < 0 || high < first || low >= last) continue;
    const x = Math.min(width - 1, Math.round(xOf(viewport, after.from)));
    const known = byX.get(x);
    if (known) {
      known.low = Math.min(known.low, low);
      known.high = Math.max(known.high, high);
    } else byX.set(x, { low, high });
  }
  if (byX.size > Math.max(STROKES_ANYWAY, width / STROKE_EVERY_PX)) return [];
  const middle = (row: number): number => (Math.min(Math.max(row, first - 1), last) - first + 0.5) * rowHeight;
  return [...byX].map(([x, { low, high }]) => ({ x, top: middle(low), bottom: middle(high) }));
}
