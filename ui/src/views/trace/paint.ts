/** Fills what `layout` and `minimap` computed. No decisions beyond colours. */
import { at } from "../../base/arrays.ts";
import { type Bar, BAR_MIN_PX } from "../../trace/layout.ts";
import { ERROR_RUN, type Run } from "../../trace/minimap.ts";
import type { Palette } from "../../widgets/palette.ts";

const BAR_INSET_PX = 5;
const LABEL_PX = 11;

export const labelFont = (palette: Palette): string => `${LABEL_PX}px ${palette.font}`;

export interface BarsPicture {
  readonly bars: readonly Bar[];
  readonly rowHeight: number;
  readonly height: number;
  /** Where the ruler's marks are. */
  readonly marks: readonly number[];
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
}

export function paintBars(context: CanvasRenderingContext2D, picture: BarsPicture): void {
  const { bars, rowHeight, marks, height, palette } = picture;
  context.fillStyle = palette.line;
  for (const x of marks) context.fillRect(Math.round(x), 0, 1, height);
  context.font = labelFont(palette);
  context.textBaseline = "middle";
  for (const bar of bars) paintBar(context, bar, rowHeight, at(palette.services, picture.slotAt(bar.position)), palette);
}

function paintBar(context: CanvasRenderingContext2D, bar: Bar, rowHeight: number, colour: string, palette: Palette): void {
  const top = bar.y + BAR_INSET_PX;
  const height = rowHeight - 2 * BAR_INSET_PX;
  if (bar.envelope) {
    context.globalAlpha = 0.28;
    context.fillStyle = colour;
    context.fillRect(bar.envelope.x, top + 2, bar.envelope.width, height - 4);
    context.globalAlpha = 1;
  }
  if (!bar.extent) return;
  const { x, width } = bar.extent;
  context.fillStyle = colour;
  fillRounded(context, x, top, width, height);
  if (bar.error || bar.errorHidden) paintError(context, x, top, width, height, bar.error, palette);
  context.fillStyle = palette.ink;
  for (const tick of bar.ticks) context.fillRect(Math.round(tick), top - 2, 1, height + 4);
  if (bar.label) paintLabel(context, bar.label, bar.y, rowHeight, palette);
}

/** Inside a bar the words get ground of their own: no one ink can be read on all colours. */
function paintLabel(
  context: CanvasRenderingContext2D,
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

function fillRounded(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
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
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  own: boolean,
  palette: Palette,
): void {
  context.fillStyle = palette.error;
  context.fillRect(x, y + height - 2, width, own ? 3 : 2);
  if (own) context.fillRect(x, y - 1, Math.min(width, 3), height + 2);
}

export function paintRuns(context: CanvasRenderingContext2D, runs: readonly Run[], palette: Palette): void {
  for (const run of runs) {
    context.fillStyle = run.slot === ERROR_RUN ? palette.error : at(palette.services, run.slot);
    context.fillRect(run.x, run.y, run.width, Math.max(1, run.height));
  }
}

/** Where matches lie in the minimap, as a band at its foot. */
export function paintMatches(context: CanvasRenderingContext2D, xs: Iterable<number>, height: number, palette: Palette): void {
  context.fillStyle = palette.accent;
  for (const x of xs) context.fillRect(x, height - 4, 2, 4);
}
