/** Numbers and times as words. Three significant digits for durations: more is noise in a list, the details show all. */
import {
  type Duration,
  millisOf,
  NS_PER_DAY,
  NS_PER_H,
  NS_PER_MIN,
  NS_PER_MS,
  NS_PER_S,
  NS_PER_US,
  type Offset,
  type UnixNanos,
} from "./time.ts";

/** `870 ns`, `12.4 µs`, `305 ms`, `1.25 s`, `2 min 5 s`, `3 h 20 min`, `4 d 6 h`. */
export function formatDuration(ns: Duration): string {
  if (ns < 0) return `−${formatDuration(-ns as Duration)}`;
  if (ns < NS_PER_US) return `${Math.round(ns)} ns`;
  // Thresholds lie where three digits would round up to a thousand of the smaller unit.
  if (ns < 999.5 * NS_PER_US) return `${significant(ns / NS_PER_US)} µs`;
  if (ns < 999.5 * NS_PER_MS) return `${significant(ns / NS_PER_MS)} ms`;
  if (ns < 59.95 * NS_PER_S) return `${significant(ns / NS_PER_S)} s`;
  if (ns < NS_PER_H - NS_PER_S / 2) return twoUnits(ns, NS_PER_MIN, "min", NS_PER_S, "s");
  if (ns < NS_PER_DAY - NS_PER_MIN / 2) return twoUnits(ns, NS_PER_H, "h", NS_PER_MIN, "min");
  return twoUnits(ns, NS_PER_DAY, "d", NS_PER_H, "h");
}

/** A mark on a scale of durations, where minutes have no room: `100 µs`, `10 s`, `1,000 s`. */
export function formatScaleMark(ns: Duration): string {
  return ns >= NS_PER_MIN && ns % NS_PER_S === 0 ? `${formatCount(ns / NS_PER_S)} s` : formatDuration(ns);
}

/** The duration in its written form for a query: `1.5s`. Exact, because a filter must find what it shows. */
export function durationForQuery(ns: Duration): string {
  if (ns % NS_PER_MS === 0 && ns < NS_PER_S) return `${ns / NS_PER_MS}ms`;
  if (ns % NS_PER_MS === 0) return `${ns / NS_PER_S}s`;
  return `${ns}ns`;
}

/** A mark of a ruler whose marks are `step` apart: as many digits as tell it from its neighbours. */
export function formatMark(ns: Offset, step: Duration): string {
  if (ns === 0) return "0";
  const isClockLike = ns >= NS_PER_MIN && step >= (ns >= NS_PER_H ? NS_PER_MIN : NS_PER_S);
  if (isClockLike) return formatDuration(ns as number as Duration);
  const [unit, name] =
    ns < NS_PER_US ? [1, "ns"] : ns < NS_PER_MS ? [NS_PER_US, "µs"] : ns < NS_PER_S ? [NS_PER_MS, "ms"] : [NS_PER_S, "s"];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
  return `${(ns / unit).toFixed(digits)} ${name}`;
}

function significant(x: number): string {
  const digits = x < 9.995 ? 2 : x < 99.95 ? 1 : 0;
  const text = x.toFixed(digits);
  return digits === 0 ? text : text.replace(/\.?0+$/, "");
}

function twoUnits(ns: number, large: number, largeName: string, small: number, smallName: string): string {
  const smalls = Math.round(ns / small);
  const perLarge = large / small;
  const rest = smalls % perLarge;
  const head = `${formatCount(Math.floor(smalls / perLarge))} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** `1,234,567`, the same for every reader, so that links and screenshots agree. */
export function formatCount(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `1 span`, `3 spans`. */
export function plural(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** How long ago, coarsely: `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`; `in 5 s` for clocks ahead of ours. */
export function formatAgo(t: UnixNanos, nowMs: number): string {
  const seconds = Math.round((nowMs - millisOf(t)) / 1000);
  const size = Math.abs(seconds);
  const words =
    size < 60
      ? `${size} s`
      : size < 3600
        ? `${Math.floor(size / 60)} min`
        : size < 86_400
          ? `${Math.floor(size / 3600)} h`
          : `${formatCount(Math.floor(size / 86_400))} d`;
  if (size < 1) return "now";
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

const pad = (n: number, width: number): string => n.toString().padStart(width, "0");

/** `2026-11-21 09:30:05.123` in the reader's zone, to the millisecond. */
export function formatInstant(t: UnixNanos): string {
  const d = new Date(millisOf(t));
  if (Number.isNaN(d.getTime())) return `${t} ns after 1970`;
  const date = `${d.getFullYear()}-${pad(d.getMonth() + 1, 2)}-${pad(d.getDate(), 2)}`;
  return `${date} ${pad(d.getHours(), 2)}:${pad(d.getMinutes(), 2)}:${pad(d.getSeconds(), 2)}.${pad(d.getMilliseconds(), 3)}`;
}

/** `2026-11-21T08:30:05.123456789Z`: every digit that was sent. */
export function formatIsoNanos(t: UnixNanos): string {
  const d = new Date(millisOf(t));
  if (Number.isNaN(d.getTime())) return `${t}`;
  const nanos = ((t % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return `${d.toISOString().slice(0, 19)}.${nanos.toString().padStart(9, "0")}Z`;
}

/** The reader's time zone as an offset: `UTC+01:00`. */
export function zoneName(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

/** A mark on an axis of absolute time, in the reader's zone: `14:05`, `14:05:30` for small steps, `11-21` at midnight. */
export function formatClockMark(ms: number, stepMs: number): string {
  const d = new Date(ms);
  const isMidnight = d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0;
  if (isMidnight) return `${pad(d.getMonth() + 1, 2)}-${pad(d.getDate(), 2)}`;
  const minutes = `${pad(d.getHours(), 2)}:${pad(d.getMinutes(), 2)}`;
  return stepMs < 60_000 ? `${minutes}:${pad(d.getSeconds(), 2)}` : minutes;
}
