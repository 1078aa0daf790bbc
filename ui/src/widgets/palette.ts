/** The colour tokens as a canvas needs them: resolved, for the theme that is shown. */
import { useMemo } from "react";
import { useShownTheme } from "../state/theme.ts";
import { SERVICE_SLOTS } from "../trace/colours.ts";

export interface Palette {
  readonly ink: string;
  readonly inkSoft: string;
  readonly line: string;
  readonly surface: string;
  readonly error: string;
  readonly match: string;
  readonly accent: string;
  readonly services: readonly string[];
  readonly font: string;
}

export function usePalette(): Palette {
  const theme = useShownTheme();
  return useMemo(() => readPalette(theme), [theme]);
}

/** `light-dark()` and `var()` are resolved by styling an element with them and reading what came of it. */
function readPalette(theme: "light" | "dark"): Palette {
  const probe = document.createElement("span");
  probe.style.display = "none";
  probe.style.colorScheme = theme;
  document.body.append(probe);
  const colour = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    ink: colour("ink"),
    inkSoft: colour("ink-3"),
    line: colour("line"),
    surface: colour("surface-0"),
    error: colour("error"),
    match: colour("match"),
    accent: colour("accent"),
    services: Array.from({ length: SERVICE_SLOTS }, (_, slot) => colour(`service-${slot}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return palette;
}
