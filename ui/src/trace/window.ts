/** The stretch of time that the waterfall shows, and what zooming and panning do to it. */
import { clamp } from "../base/arrays.ts";
import { type Duration, type Offset, offset, type Window } from "../base/time.ts";

/** No zoom below this: under 100 ns a double's rounding at the end of a day-long trace would show on the ruler. */
export const WINDOW_MIN_NS = 100;

/** The whole trace; at least `WINDOW_MIN_NS` wide, so that a trace of no duration has a scale too. */
export function wholeWindow(duration: Duration): Window {
  return { from: offset(0), to: offset(Math.max(duration, WINDOW_MIN_NS)) };
}

/** `from..to` in either order, made to lie within `whole` and to be wide enough. */
export function windowWithin(whole: Window, from: number, to: number): Window {
  const width = clamp(Math.abs(to - from), Math.min(WINDOW_MIN_NS, whole.to - whole.from), whole.to - whole.from);
  const low = clamp(Math.min(from, to), whole.from, whole.to - width);
  return { from: offset(low), to: offset(low + width) };
}

/** Zooms by `factor` (below 1: closer) keeping `around` where it is on the screen. */
export function zoomed(whole: Window, window: Window, around: Offset, factor: number): Window {
  const width = window.to - window.from;
  const share = width > 0 ? (around - window.from) / width : 0.5;
  const next = clamp(width * factor, WINDOW_MIN_NS, whole.to - whole.from);
  const from = around - share * next;
  return windowWithin(whole, from, from + next);
}

/** Moves by a share of the window's own width, stopping at the ends. */
export function panned(whole: Window, window: Window, share: number): Window {
  const width = window.to - window.from;
  const from = clamp(window.from + share * width, whole.from, whole.to - width);
  return { from: offset(from), to: offset(from + width) };
}

export const isWhole = (whole: Window, window: Window): boolean => window.from <= whole.from && window.to >= whole.to;

/** Moves `window`, if need be, so that `from..to` is in view; closer zoom is kept where the span does not fit. */
export function showing(whole: Window, window: Window, from: Offset, to: Offset): Window {
  const inView = from < window.to && to > window.from;
  if (inView || isWhole(whole, window)) return window;
  const width = window.to - window.from;
  return panned(whole, window, ((from + to) / 2 - (window.from + window.to) / 2) / width);
}
