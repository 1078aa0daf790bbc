/** From an id in any spelling to its trace. */
import { type FormEvent, type Ref, useId, useState } from "react";
import { useLocation } from "wouter";
import { parsePastedId } from "../base/ids.ts";
import { traceAddress } from "../state/trace_url.ts";
import { Field } from "../widgets/controls.tsx";
import styles from "./TraceIdBox.module.css";

export function TraceIdBox({ ref }: { readonly ref: Ref<HTMLInputElement> }) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  const [, navigate] = useLocation();
  const hint = useId();

  const open = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() === "") return;
    const id = parsePastedId(text);
    setRefused(id === null);
    if (id === null) return;
    setText("");
    navigate(traceAddress(id.trace, id.span));
  };

  return (
    <form role="search" aria-label="trace by id" className={styles.box} onSubmit={open}>
      <Field
        ref={ref}
        className={styles.field}
        aria-label="trace id"
        placeholder="trace id"
        value={text}
        aria-invalid={refused}
        aria-describedby={refused ? hint : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setRefused(false);
        }}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
      {refused && (
        <p id={hint} role="alert" className={styles.hint}>
          not a trace id: up to 32 hexadecimal digits, with or without dashes or 0x; a traceparent or b3 value works too
        </p>
      )}
    </form>
  );
}
