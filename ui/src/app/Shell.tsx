/** The frame of every view: name, trace-id box, theme, help. */
import { type ReactNode, useRef } from "react";
import { Link } from "wouter";
import { type Shortcut, useKeys } from "../state/keys.ts";
import { setTheme, type Theme, themeAfter, useTheme } from "../state/theme.ts";
import { IconButton } from "../widgets/controls.tsx";
import { MoonIcon, SunIcon, SystemIcon } from "../widgets/icons.tsx";
import { KeySheet } from "../widgets/KeySheet.tsx";
import { FileOpener } from "./FileOpener.tsx";
import styles from "./Shell.module.css";
import { TraceIdBox } from "./TraceIdBox.tsx";

const THEME_WORDS: Readonly<Record<Theme, string>> = {
  system: "theme: as the system",
  light: "theme: light",
  dark: "theme: dark",
};

const COMMON_SHORTCUTS: readonly Shortcut[] = [
  { keys: ["t"], words: "to the trace-id box" },
  { keys: ["U"], words: "open a file of traces (or drop it on the page); it is not stored" },
  { keys: ["?"], words: "this sheet" },
];

interface ShellProps {
  readonly shortcuts: readonly Shortcut[];
  readonly legend?: ReactNode;
  readonly children: ReactNode;
}

export function Shell({ shortcuts, legend, children }: ShellProps) {
  const sheet = useRef<HTMLDialogElement>(null);
  const idBox = useRef<HTMLInputElement>(null);
  const theme = useTheme();
  useKeys({
    "?": () => sheet.current?.showModal(),
    t: () => idBox.current?.focus(),
  });
  return (
    <>
      <header className={styles.shell}>
        <Link href="/" className={styles.name}>
          <img src="/icon.svg" width={18} height={18} alt="" />
          <span>Throughline</span>
        </Link>
        <span className={styles.gap} />
        <TraceIdBox ref={idBox} />
        <FileOpener />
        <IconButton look="bare" label={THEME_WORDS[theme]} onClick={() => setTheme(themeAfter(theme))}>
          {theme === "light" ? <SunIcon /> : theme === "dark" ? <MoonIcon /> : <SystemIcon />}
        </IconButton>
        <IconButton look="bare" label="keyboard shortcuts" onClick={() => sheet.current?.showModal()}>
          ?
        </IconButton>
      </header>
      {children}
      <KeySheet ref={sheet} shortcuts={[...shortcuts, ...COMMON_SHORTCUTS]} legend={legend} />
    </>
  );
}
