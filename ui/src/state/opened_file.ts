/**
 * The files of traces that are open. They stay in this page: a trace is sent to the server only to be asked about, and
 * nothing is stored anywhere.
 */
import { useSyncExternalStore } from "react";
import type { OpenedFile, Progress } from "../api/opened.ts";
import { held, type TraceSource } from "../api/source.ts";
import type { TraceId } from "../base/ids.ts";

export interface Opened {
  /** The newest first; those before it are there to be compared with. */
  readonly files: readonly OpenedFile[];
  /** What is being read. */
  readonly opening: { readonly name: string; readonly progress: Progress } | null;
  /** Why the last one could not be read; null when it was. */
  readonly error: string | null;
}

/** Each keeps what it has parsed, some times the size of the file. */
const FILES_MAX = 4;

let opened: Opened = { files: [], opening: null, error: null };
const listeners = new Set<() => void>();

function tell(change: Partial<Opened>): void {
  opened = { ...opened, ...change };
  for (const listener of listeners) listener();
}

/** Reads `file`; the answer is the trace in it that has most spans, null when there is none to show. */
export async function readTraceFile(file: File): Promise<TraceId | null> {
  const { name } = file;
  tell({ opening: { name, progress: null }, error: null });
  // Few ever open a file: what reads them is not part of the first load.
  const { OpenedFile } = await import("../api/opened.ts");
  try {
    const read = await OpenedFile.open(file, (progress) => tell({ opening: { name, progress } }));
    const files = [read, ...opened.files];
    for (const old of files.slice(FILES_MAX)) old.close();
    tell({ files: files.slice(0, FILES_MAX), opening: null });
    return read.traces[0]?.id ?? null;
  } catch (error) {
    tell({ opening: null, error: error instanceof Error ? error.message : `${name} could not be read` });
    return null;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useOpened = (): Opened => useSyncExternalStore(subscribe, () => opened);

/** The newest file that has a trace. */
export const fileWith = ({ files }: Opened, id: TraceId | null): OpenedFile | null => files.find((file) => id !== null && file.has(id)) ?? null;

/** Where the server finds a trace that somebody names: what is open was opened to be looked at. */
export const sourceOf = (from: Opened, id: TraceId): TraceSource => fileWith(from, id)?.source(id) ?? held(id);

export const fileAddress = (id: TraceId | null): string => (id === null ? "/file" : `/file/${id}`);
