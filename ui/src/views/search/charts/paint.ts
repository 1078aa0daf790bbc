/** Bars and cells onto a canvas. Positions are decided elsewhere; here is only colour. */
import type { Bar } from "../../../query/chart.ts";
import { type Heatmap, type Plot, rectOf, shade, type Span, xOf } from "../../../query/heatmap.ts";
import type { Palette } from "../../../widgets/palette.ts";

/** The palest cell is still seen on both themes. */
const ALPHA_MIN = 0.14;

export function paintHeatmap(context: CanvasRenderingContext2D, map: Heatmap, plot: Plot, palette: Palette): void {
  context.fillStyle = palette.accent;
  for (const cell of map.cells) {
    const { x, y, width, height } = rectOf(map, plot, cell);
    context.globalAlpha = ALPHA_MIN + (1 - ALPHA_MIN) * shade(map, cell.count);
    // A hair between columns and rows: cells are counted, not blurred.
    context.fillRect(x, y, Math.max(1, width - 0.5), Math.max(1, height - 0.5));
  }
  context.globalAlpha = 1;
}

/** All spans behind, those that failed in front, from the bottom up. */
export function paintBars(context: CanvasRenderingContext2D, bars: readonly Bar[], time: Span, stepMs: number, plot: Plot, palette: Palette): void {
  const most = bars.reduce((max, bar) => Math.max(max, bar.rate), 0);
  if (most === 0) return;
  for (const { at, rate, errors } of bars) {
    const left = Math.max(0, xOf(time, plot, at - stepMs));
    const width = Math.max(1, Math.min(plot.width, xOf(time, plot, at)) - left - 0.5);
    const bar = (value: number, colour: string, alpha: number, least: number): void => {
      const height = value <= 0 ? 0 : Math.max(least, (value / most) * plot.height);
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fillRect(left, plot.height - height, width, height);
    };
    bar(rate, palette.accent, 0.45, 1);
    // Few errors among many spans must be seen too.
    bar(errors, palette.error, 1, 2);
  }
  context.globalAlpha = 1;
}
