/** The file of traces that is looked at. It stays in this page: nothing of it is sent or stored anywhere. */
import { useSyncExternalStore } from "react";
import type { TraceFile } from "../api/files.ts";
import type { TraceId } from "../base/ids.ts";

export type Opened = { readonly file: TraceFile } | { readonly error: string } | null;

let opened: Opened = null;
const listeners = new Set<() => void>();

function tell(next: Opened): void {
  opened = next;
  for (const listener of listeners) listener();
}

/** Reads `file`; the answer is the trace in it that has most spans, null when there is none to show. */
export async function readTraceFile(file: File): Promise<TraceId | null> {
  // Few ever open a file: what reads them is not part of the first load.
  const { FILE_BYTES_MAX, FileError, openFile } = await import("../api/files.ts");
  try {
    if (file.size > FILE_BYTES_MAX) throw new FileError(`${file.name} is larger than ${FILE_BYTES_MAX / 1e6} MB, which no browser shows well`);
    const read = openFile(file.name, await file.text());
    tell({ file: read });
    return read.traces[0]?.id ?? null;
  } catch (error) {
    tell({ error: error instanceof FileError ? error.message : `${file.name} could not be read` });
    return null;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useOpenedFile = (): Opened => useSyncExternalStore(subscribe, () => opened);

export const fileAddress = (id: TraceId | null): string => (id === null ? "/file" : `/file/${id}`);
