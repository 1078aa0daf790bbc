/** The field of the query: plain at once, an editor as soon as that is loaded. */
import { type ComponentType, type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Diagnosis } from "../../../model/diagnosis.ts";
import type { TimeRange } from "../../../model/summary.ts";
import styles from "./Editor.module.css";

export interface QueryFieldProps {
  readonly value: string;
  /** Values are offered from this time. */
  readonly range: TimeRange;
  readonly diagnosis: Diagnosis | null;
  readonly onChange: (text: string) => void;
  readonly onRun: (text: string) => void;
  /** Escape: what was typed is given up. */
  readonly onLeave: () => void;
  /** Set to what puts the caret into the field. */
  readonly focusEditor: RefObject<() => void>;
}

/** Within the braces that end a query: that is where one adds to it. */
export const placeToGoOn = (text: string): number => /\s*\}\s*$/.exec(text)?.index ?? text.length;

export const PLACEHOLDER = "every trace · TraceQL such as { status = error }";
export const LABEL = "query (TraceQL)";

/** When nothing else is to be done; a second is late enough for the first rows to be there. */
const IDLE_MS = 1_000;

export function QueryField(props: QueryFieldProps) {
  // Not by Suspense: its fallback would be another field than the one before it, and the caret would be lost on the way.
  const [Editor, setEditor] = useState<ComponentType<EditorProps> | null>(null);
  const [isWanted, setWanted] = useState(false);
  const caret = useRef<number | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(true), IDLE_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (!isWanted) return;
    let isHere = true;
    import("./CodeEditor.tsx").then(
      ({ CodeEditor }) => isHere && setEditor(() => CodeEditor),
      // Without it the plain field goes on: it asks as well.
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [isWanted]);
  return Editor ? <Editor {...props} caret={caret} /> : <PlainField {...props} caret={caret} onFocus={() => setWanted(true)} />;
}

export interface EditorProps extends QueryFieldProps {
  /** Where the caret stands while the plain field has the focus; the editor goes on from there. */
  readonly caret: RefObject<number | null>;
}

interface PlainFieldProps extends EditorProps {
  readonly onFocus: () => void;
}

function PlainField({ value, onChange, onRun, onLeave, focusEditor, caret, onFocus }: PlainFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    focusEditor.current = () => {
      const element = field.current;
      const place = placeToGoOn(element?.value ?? "");
      element?.focus();
      element?.setSelectionRange(place, place);
    };
  }, [focusEditor]);
  const remember = (): void => {
    caret.current = field.current?.selectionStart ?? null;
  };
  return (
    <textarea
      ref={field}
      className={styles.plain}
      aria-label={LABEL}
      placeholder={PLACEHOLDER}
      rows={value.split("\n").length}
      spellCheck={false}
      autoComplete="off"
      value={value}
      onChange={(event) => {
        remember();
        onChange(event.target.value);
      }}
      onSelect={remember}
      onFocus={() => {
        remember();
        onFocus();
      }}
      // Not heard when the field is taken away for the editor: then the caret is still wanted.
      onBlur={() => {
        caret.current = null;
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && !event.shiftKey) {
          event.preventDefault();
          onRun(event.currentTarget.value);
        }
        if (event.key === "Escape") {
          onLeave();
          event.currentTarget.blur();
        }
      }}
    />
  );
}
