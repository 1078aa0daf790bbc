/** Fills what `layout` and `minimap` computed. No decisions beyond colours. */
import { at } from "../../base/arrays.ts";
import { type Bar, BAR_MIN_PX, type Extent } from "../../trace/layout.ts";
import { ERROR_RUN, PATH_RUN, type Run } from "../../trace/minimap.ts";
import type { Stroke } from "../../trace/through.ts";
import type { Palette } from "../../widgets/palette.ts";

/** Of a canvas, in the page or not. */
export type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

const BAR_INSET_PX = 5;
const LABEL_PX = 11;

export const labelFont = (palette: Palette): string => `${LABEL_PX}px ${palette.font}`;

export interface BarsPicture {
  readonly bars: readonly Bar[];
  /** Where the critical path goes from row to row. */
  readonly strokes: readonly Stroke[];
  readonly rowHeight: number;
  readonly height: number;
  /** Where the ruler's marks are. */
  readonly marks: readonly number[];
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
}

export function paintBars(context: Context, picture: BarsPicture): void {
  const { bars, rowHeight, marks, height, palette } = picture;
  context.fillStyle = palette.line;
  for (const x of marks) context.fillRect(Math.round(x), 0, 1, height);
  context.font = labelFont(palette);
  context.textBaseline = "middle";
  paintStrokes(context, picture.strokes, palette);
  for (const bar of bars) paintBar(context, bar, rowHeight, at(palette.services, picture.slotAt(bar.position)), palette);
}

/** Below the bars, so that a long stroke does not cut what it only passes. */
function paintStrokes(context: Context, strokes: readonly Stroke[], palette: Palette): void {
  context.fillStyle = palette.ink;
  context.globalAlpha = 0.45;
  for (const { x, top, bottom } of strokes) context.fillRect(x, top, 1, bottom - top);
  context.globalAlpha = 1;
}

function paintBar(context: Context, bar: Bar, rowHeight: number, colour: string, palette: Palette): void {
  const top = bar.y + BAR_INSET_PX;
  const height = rowHeight - 2 * BAR_INSET_PX;
  context.fillStyle = colour;
  if (bar.envelope) {
    context.globalAlpha = 0.28;
    context.fillRect(bar.envelope.x, top + 2, bar.envelope.width, height - 4);
    context.globalAlpha = 1;
  }
  if (bar.recorded) paintRecorded(context, bar.recorded, top, height, palette);
  context.fillStyle = colour;
  // A pixel less, so that neighbours are told apart that follow each other at once.
  for (const sibling of bar.siblings) fillRounded(context, sibling.x, top, Math.max(1, sibling.width - 1), height);
  if (bar.extent) paintBody(context, bar, bar.extent, top, height, palette);
  for (const { x, width } of bar.dark) paintHatch(context, x, top, width, height, palette);
  if (bar.extent && (bar.error || bar.errorHidden)) paintError(context, bar.extent, top, height, bar.error, palette);
  for (const sibling of bar.siblings) if (sibling.error) paintError(context, sibling, top, height, true, palette);
  for (const { x, width } of bar.path) paintPath(context, x, top + height / 2, width, palette);
  context.fillStyle = palette.ink;
  for (const tick of bar.ticks) context.fillRect(Math.round(tick), top - 2, 1, height + 4);
  if (bar.label) paintLabel(context, bar.label, bar.y, rowHeight, palette);
}

/** What nobody waits for is an outline; time to and from a server is paler than time in it. */
function paintBody(context: Context, bar: Bar, { x, width }: Extent, top: number, height: number, palette: Palette): void {
  if (bar.detached) context.globalAlpha = 0.45;
  fillRounded(context, x, top, width, height);
  context.globalAlpha = 1;
  context.fillStyle = palette.surface;
  context.globalAlpha = 0.62;
  for (const gap of bar.gap) context.fillRect(gap.x, top + 1, gap.width, height - 2);
  context.globalAlpha = 1;
}

/** Where the span's own clock put it. */
function paintRecorded(context: Context, { x, width }: Extent, top: number, height: number, palette: Palette): void {
  context.strokeStyle = palette.inkSoft;
  context.lineWidth = 1;
  context.setLineDash([2, 2]);
  context.strokeRect(x + 0.5, top + 0.5, Math.max(1, width - 1), height - 1);
  context.setLineDash([]);
}

const HATCH_STEP_PX = 5;

/** Time about which nothing is recorded. */
function paintHatch(context: Context, x: number, top: number, width: number, height: number, palette: Palette): void {
  context.save();
  context.beginPath();
  context.rect(x, top, width, height);
  context.clip();
  context.strokeStyle = palette.surface;
  context.globalAlpha = 0.75;
  context.lineWidth = 1.5;
  context.beginPath();
  // From a fixed origin, so that the hatching stands still while a stretch moves.
  for (let left = Math.floor((x - height) / HATCH_STEP_PX) * HATCH_STEP_PX; left < x + width; left += HATCH_STEP_PX) {
    context.moveTo(left, top + height);
    context.lineTo(left + height, top);
  }
  context.stroke();
  context.restore();
}

/** A line in the ink of the page, on a ground that parts it from the bar whatever the bar's colour is. */
function paintPath(context: Context, x: number, middle: number, width: number, palette: Palette): void {
  const wide = Math.max(1, width);
  context.fillStyle = palette.surface;
  context.globalAlpha = 0.7;
  context.fillRect(x, middle - 2, wide, 4);
  context.globalAlpha = 1;
  context.fillStyle = palette.ink;
  context.fillRect(x, middle - 1, wide, 2);
}

/** Inside a bar the words get ground of their own: no one ink can be read on all colours. */
function paintLabel(
  context: Context,
  label: NonNullable<Bar["label"]>,
  y: number,
  rowHeight: number,
  palette: Palette,
): void {
  if (label.place === "inside") {
    const { width } = context.measureText(label.text);
    context.fillStyle = palette.surface;
    context.globalAlpha = 0.82;
    fillRounded(context, label.x - 3, y + BAR_INSET_PX + 1, width + 6, rowHeight - 2 * BAR_INSET_PX - 2);
    context.globalAlpha = 1;
  }
  context.fillStyle = label.place === "inside" ? palette.ink : palette.inkSoft;
  context.fillText(label.text, label.x, y + rowHeight / 2 + 0.5);
}

function fillRounded(context: Context, x: number, y: number, width: number, height: number): void {
  if (width <= 2 * BAR_MIN_PX) {
    context.fillRect(x, y, width, height);
    return;
  }
  context.beginPath();
  context.roundRect(x, y, width, height, 2);
  context.fill();
}

/** The span's own error frames its bar; one that a collapsed span hides is a line under it. */
function paintError(
  context: Context,
  { x, width }: Extent,
  y: number,
  height: number,
  own: boolean,
  palette: Palette,
): void {
  context.fillStyle = palette.error;
  context.fillRect(x, y + height - 2, width, own ? 3 : 2);
  if (own) context.fillRect(x, y - 1, Math.min(width, 3), height + 2);
}

export function paintRuns(context: Context, runs: readonly Run[], palette: Palette): void {
  for (const run of runs) {
    context.fillStyle = run.slot === ERROR_RUN ? palette.error : run.slot === PATH_RUN ? palette.ink : at(palette.services, run.slot);
    context.fillRect(run.x, run.y, run.width, Math.max(1, run.height));
  }
}

/** Where matches lie in the minimap, as a band at its foot. */
export function paintMatches(context: Context, xs: Iterable<number>, height: number, palette: Palette): void {
  context.fillStyle = palette.accent;
  for (const x of xs) context.fillRect(x, height - 4, 2, 4);
}
