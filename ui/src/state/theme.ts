/** Light, dark, or as the system has it; remembered in this browser. `public/early.js` applies it before the first paint. */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "throughline.theme";
const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const listeners = new Set<() => void>();

function current(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function setTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

export const themeAfter = (theme: Theme): Theme => NEXT[theme];

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, current);

function systemIsDark(): MediaQueryList {
  return matchMedia("(prefers-color-scheme: dark)");
}

function subscribeShown(listener: () => void): () => void {
  const unsubscribe = subscribe(listener);
  const system = systemIsDark();
  system.addEventListener("change", listener);
  return () => {
    unsubscribe();
    system.removeEventListener("change", listener);
  };
}

function shown(): "light" | "dark" {
  const theme = current();
  return theme === "system" ? (systemIsDark().matches ? "dark" : "light") : theme;
}

/** What the reader sees now; changes with the choice and with the system. */
export const useShownTheme = (): "light" | "dark" => useSyncExternalStore(subscribeShown, shown);
