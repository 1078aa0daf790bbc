/**
 * All spans of a trace in a strip: lines of the strip are spans in tree order, several to a line when there are more spans
 * than lines. Given as runs of one colour, so that 50,000 spans cost some thousand rectangles and not 50,000.
 */
import { at } from "../base/arrays.ts";
import { isError } from "../model/span.ts";
import type { TraceTree } from "./tree.ts";

export interface Run {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** A colour slot of a service, or `ERROR_RUN`. */
  readonly slot: number;
}

export const ERROR_RUN = -1;
/** A trace with few spans does not fill the strip with fat bars. */
const LINE_HEIGHT_MAX = 4;

/** `slotAt` gives the colour slot of the span at a position. O(spans + pixels drawn). */
export function minimapRuns(
  tree: TraceTree,
  durationNs: number,
  width: number,
  height: number,
  slotAt: (position: number) => number,
): readonly Run[] {
  const count = tree.spans.length;
  if (count === 0 || width < 1 || height < 1) return [];
  const lines = Math.min(count, height);
  const lineHeight = Math.min(LINE_HEIGHT_MAX, height / lines);
  const scale = width / Math.max(1, durationNs);
  const runs: Run[] = [];
  // 0 is empty; otherwise slot + 2, so that an error is 1.
  const line = new Int32Array(width);
  let position = 0;
  for (let y = 0; y < lines; y++) {
    line.fill(0);
    for (const end = Math.floor(((y + 1) * count) / lines); position < end; position++) {
      const span = at(tree.spans, position);
      const left = Math.min(width - 1, Math.max(0, Math.floor(span.start * scale)));
      const right = Math.max(left + 1, Math.min(width, Math.ceil((span.start + span.duration) * scale)));
      fillKeepingErrors(line, left, right, isError(span) ? 1 : slotAt(position) + 2);
    }
    pushRuns(runs, line, y * lineHeight, lineHeight);
  }
  return runs;
}

/** An error that shares its line with a thousand healthy spans stays to be seen. */
function fillKeepingErrors(line: Int32Array, left: number, right: number, mark: number): void {
  for (let x = left; x < right; x++) if (line[x] !== 1) line[x] = mark;
}

function pushRuns(runs: Run[], line: Int32Array, y: number, height: number): void {
  for (let x = 0; x < line.length; ) {
    const mark = at(line, x);
    let end = x + 1;
    while (end < line.length && line[end] === mark) end++;
    if (mark !== 0) runs.push({ x, y, width: end - x, height, slot: mark === 1 ? ERROR_RUN : mark - 2 });
    x = end;
  }
}
