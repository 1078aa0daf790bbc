/** Saving a trace as a file in a form that other tools read: in turns with the page, since 50,000 spans take a second. */
import { useSyncExternalStore } from "react";
import { inTurns } from "../../base/turns.ts";
import type { Trace } from "../../model/trace.ts";
import { saveText } from "../../widgets/save.ts";

export type Form = "otlp" | "jaeger";

/** The share that is written, from 0 to 1; null while nothing is saved, and until saving takes longer than one's patience. */
type Saving = number | null;

/** What is done by then needs no words. */
const PATIENCE_MS = 150;

const listeners = new Set<() => void>();
let saving: Saving = null;
let isBusy = false;

function tell(next: Saving): void {
  saving = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useSaving = (): Saving => useSyncExternalStore(subscribe, () => saving);

/** One at a time: while one is saved, nothing happens. */
export async function saveTrace(trace: Trace, form: Form): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  const began = performance.now();
  const onDone = (spans: number): void => {
    if (performance.now() - began > PATIENCE_MS) tell(spans / trace.spans.length);
  };
  try {
    saveText(...(await written(trace, form, onDone)));
  } finally {
    isBusy = false;
    tell(null);
  }
}

/** Few save a trace: what writes it comes when it is asked for. */
async function written(trace: Trace, form: Form, onDone: (spans: number) => void): Promise<readonly [name: string, text: readonly string[]]> {
  if (form === "otlp") {
    const { otlpText } = await import("../../api/otlp_encode.ts");
    return [`trace-${trace.id}.json`, await inTurns(otlpText(trace, onDone))];
  }
  const { jaegerText } = await import("../../api/jaeger_encode.ts");
  return [`trace-${trace.id}.jaeger.json`, await inTurns(jaegerText(trace, onDone))];
}
