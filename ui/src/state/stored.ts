/** Small preferences that outlive a visit, such as the width of a column. Not for anything a link should restore. */
import { useState } from "react";

/** A number kept in this browser under `throughline.<name>`. */
export function useStoredNumber(name: string, initial: number): readonly [number, (value: number) => void] {
  const key = `throughline.${name}`;
  const [value, setValue] = useState(() => read(key) ?? initial);
  const store = (next: number): void => {
    setValue(next);
    try {
      localStorage.setItem(key, `${next}`);
    } catch {
      // Storage may be forbidden; the value then lasts as long as the page.
    }
  };
  return [value, store];
}

function read(key: string): number | null {
  try {
    const text = localStorage.getItem(key);
    const n = text === null ? Number.NaN : Number(text);
    return Number.isFinite(n) ? n : null;
  } catch {
    return null;
  }
}

/** Where lists were scrolled to, by address, so that going back lands at the same row. Lasts as long as the page. */
export const scrollMemory = new Map<string, number>();
