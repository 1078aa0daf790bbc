/** What the page and the worker that reads a file say to each other. */
import type { TraceId } from "../base/ids.ts";
import type { TraceParts } from "./parts.ts";

export interface TraceCount {
  readonly id: TraceId;
  readonly spans: number;
}

/** To the worker: first the file, then traces of it. */
export type Asked = { readonly file: File } | { readonly trace: TraceId };

/** From the worker. `failed` says why what was asked for does not come, for the reader. */
export type Told =
  | { readonly readBytes: number }
  | { readonly parsing: true }
  /** Most spans first. */
  | { readonly traces: readonly TraceCount[] }
  | { readonly trace: TraceId; readonly parts: TraceParts }
  | { readonly failed: string };
