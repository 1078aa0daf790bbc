/**
 * All spans of a trace in a strip: lines of the strip are spans in tree order, several to a line when there are more spans
 * than lines. Given as runs of one colour, so that 50,000 spans cost some thousand rectangles and not 50,000.
 */
import { at } from "../base/arrays.ts";
import { isError } from "../model/span.ts";
import type { Insight } from "./insight.ts";
import type { TraceTree } from "./tree.ts";

export interface Run {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** A colour slot of a service, `ERROR_RUN` or `PATH_RUN`. */
  readonly slot: number;
}

export const ERROR_RUN = -1;
export const PATH_RUN = -2;
const PATH_HEIGHT = 1;
/** A trace with few spans does not fill the strip with fat bars. */
const LINE_HEIGHT_MAX = 4;
/** Errors underline what is beneath them, as bars of the waterfall do; a line of one pixel they take whole. */
const ERROR_HEIGHT = 1.5;

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
  // One line at a time: for each pixel 0 when empty, else what to paint plus one. Errors lie above, so that one
  // failure among a thousand healthy spans of its line is seen.
  const healthy = new Int32Array(width);
  const failed = new Int32Array(width);
  let position = 0;
  for (let line = 0; line < lines; line++) {
    healthy.fill(0);
    failed.fill(0);
    for (const end = Math.floor(((line + 1) * count) / lines); position < end; position++) {
      const span = at(tree.spans, position);
      const left = Math.min(width - 1, Math.max(0, Math.floor(span.start * scale)));
      const right = Math.max(left + 1, Math.min(width, Math.ceil((span.start + span.duration) * scale)));
      healthy.fill(slotAt(position) + 1, left, right);
      if (isError(span)) failed.fill(1, left, right);
    }
    const y = line * lineHeight;
    const errorHeight = Math.min(ERROR_HEIGHT, lineHeight);
    pushRuns(runs, healthy, y, lineHeight, (mark) => mark - 1);
    pushRuns(runs, failed, y + lineHeight - errorHeight, errorHeight, () => ERROR_RUN);
  }
  return runs;
}

/**
 * The critical path on the lines of its spans. As many runs as there are pixels to be seen, however many sections there are.
 */
export function minimapPath(sections: Insight["sections"], count: number, durationNs: number, width: number, height: number): readonly Run[] {
  if (count === 0 || width < 1 || height < 1) return [];
  const lines = Math.min(count, height);
  const lineHeight = Math.min(LINE_HEIGHT_MAX, height / lines);
  const scale = width / Math.max(1, durationNs);
  const ends = new Map<number, number>();
  for (const { position, from, to } of sections) {
    if (position < 0) continue;
    const line = Math.floor((position * lines) / count);
    const left = Math.min(width - 1, Math.max(0, Math.floor(from * scale)));
    const key = line * width + left;
    ends.set(key, Math.max(ends.get(key) ?? 0, left + 1, Math.min(width, Math.round(to * scale))));
  }
  return [...ends].map(([key, end]) => {
    const x = key % width;
    return { x, y: ((key - x) / width) * lineHeight, width: end - x, height: Math.min(lineHeight, PATH_HEIGHT), slot: PATH_RUN };
  });
}

function pushRuns(runs: Run[], line: Int32Array, y: number, height: number, slotOf: (mark: number) => number): void {
  for (let x = 0; x < line.length; ) {
    const mark = at(line, x);
    let end = x + 1;
    while (end < line.length && line[end] === mark) end++;
    if (mark !== 0) runs.push({ x, y, width: end - x, height, slot: slotOf(mark) });
    x = end;
  }
}
