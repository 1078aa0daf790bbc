/** The time of day for "12 s ago": one timer for all who look at it, and none when nobody does. */
import { useSyncExternalStore } from "react";

/** Coarse on purpose: rows are not worth painting every second. */
const STEP_MS = 5_000;

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => tell(Date.now()), STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tell(ms: number): void {
  now = ms;
  for (const listener of listeners) listener();
}

/** For so long what is asked is what was asked early. */
const EARLY_MS = 5_000;

/**
 * The time of day that relative times are asked for. While the page loads it is that of the navigation: `public/early.js`
 * asked then, and only the same address finds its answer.
 */
export const askedAt = (): number => (performance.now() < EARLY_MS ? Math.round(performance.timeOrigin) : Date.now());

/** Milliseconds since 1970, renewed every few seconds. */
export function useNow(): number {
  // A clock that stood still while nobody looked is put right by whoever looks first.
  if (Date.now() - now > STEP_MS * 2) now = Date.now();
  return useSyncExternalStore(subscribe, () => now);
}
