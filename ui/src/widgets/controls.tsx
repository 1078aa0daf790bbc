/** Buttons, fields and notices in the one look of the page. */
import { type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, useState } from "react";
import styles from "./controls.module.css";
import { CheckIcon, CopyIcon, ErrorIcon } from "./icons.tsx";

/** Class names that are there, joined. */
export function classes(...names: readonly (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { readonly look?: "framed" | "bare" };

export function Button({ look = "framed", className, ...rest }: ButtonProps) {
  return <button type="button" className={classes(styles.button, look === "bare" && styles.bare, className)} {...rest} />;
}

type IconButtonProps = ButtonProps & { readonly label: string; readonly small?: boolean };

/** A button that shows an icon only; `label` is its name for screen readers and its tooltip. */
export function IconButton({ label, small = false, className, ...rest }: IconButtonProps) {
  return <Button aria-label={label} title={label} className={classes(styles.icon, small && styles.small, className)} {...rest} />;
}

export function Field({ className, ...rest }: InputHTMLAttributes<HTMLInputElement> & { readonly ref?: Ref<HTMLInputElement> }) {
  return <input className={classes(styles.field, className)} autoComplete="off" spellCheck={false} {...rest} />;
}

export function Select({ className, ...rest }: SelectHTMLAttributes<HTMLSelectElement> & { readonly ref?: Ref<HTMLSelectElement> }) {
  return <select className={classes(styles.field, className)} {...rest} />;
}

interface SegmentsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly words: string }[];
  readonly onChange: (value: T) => void;
}

/** A choice of a few, all visible. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  return (
    <div role="group" aria-label={label} className={styles.segments}>
      {options.map((option) => (
        <Button key={option.value} aria-pressed={option.value === value} onClick={() => onChange(option.value)}>
          {option.words}
        </Button>
      ))}
    </div>
  );
}

const COPIED_MS = 1_200;

/** Copies what `text` gives when pressed, and says so for a moment. */
export function CopyButton({ text, label }: { readonly text: () => string; readonly label: string }) {
  const [state, setState] = useState<"idle" | "copied" | "refused">("idle");
  const copy = async (): Promise<void> => {
    const copied = await copyText(text());
    setState(copied ? "copied" : "refused");
    setTimeout(() => setState("idle"), COPIED_MS);
  };
  const words = state === "copied" ? "copied" : state === "refused" ? "the browser refused to copy" : label;
  return (
    <IconButton look="bare" small label={words} onClick={() => void copy()}>
      {state === "copied" ? <CheckIcon size={12} /> : state === "refused" ? <ErrorIcon size={12} /> : <CopyIcon size={12} />}
    </IconButton>
  );
}

/** The clipboard is there on https and localhost only; elsewhere the old way through a selection still works. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

interface NoticeProps {
  readonly look?: "warning" | "failed";
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

/** A sentence in the place it is about: something is missing, or something failed. */
export function Notice({ look = "warning", children, action }: NoticeProps) {
  return (
    <div role={look === "failed" ? "alert" : "status"} className={classes(styles.notice, look === "failed" && styles.failed)}>
      <ErrorIcon />
      <span className={styles.words}>{children}</span>
      {action}
    </div>
  );
}
