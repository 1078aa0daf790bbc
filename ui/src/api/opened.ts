/** A file of traces that is open in this page: a worker reads it, and hands over what is asked for. */
import type { TraceId } from "../base/ids.ts";
import { duration } from "../base/time.ts";
import type { Span } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import type { Asked, Told, TraceCount } from "./file_messages.ts";
import { FILE_BYTES_MAX, FileError } from "./files.ts";
import { linesOf } from "./lines.ts";
import { decodePart, nothingShared } from "./otlp.ts";
import type { TraceParts } from "./parts.ts";
import type { TraceSource } from "./source.ts";

/** How far something is; null for a part of which nobody knows how long it takes. */
export type Progress = { readonly done: number; readonly total: number } | null;

let opened = 0;

export class OpenedFile {
  readonly name: string;
  /** Most spans first. */
  readonly traces: readonly TraceCount[];
  readonly #number = ++opened;
  readonly #worker: Worker;
  readonly #parts = new Map<TraceId, Promise<TraceParts>>();

  private constructor(name: string, traces: readonly TraceCount[], worker: Worker) {
    this.name = name;
    this.traces = traces;
    this.#worker = worker;
  }

  /** Fails with a `FileError`. */
  static async open(file: File, onProgress: (progress: Progress) => void): Promise<OpenedFile> {
    if (file.size > FILE_BYTES_MAX) throw new FileError(`${file.name} is larger than ${FILE_BYTES_MAX / 1e6} MB, which no browser shows well`);
    const worker = new Worker(new URL("./file_worker.ts", import.meta.url), { type: "module" });
    const traces = answered(worker, (told) => {
      if ("readBytes" in told) onProgress({ done: told.readBytes, total: file.size });
      if ("parsing" in told) onProgress(null);
      return "traces" in told ? told.traces : null;
    });
    ask(worker, { file });
    try {
      return new OpenedFile(file.name, await traces, worker);
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  has(id: TraceId): boolean {
    return this.traces.some((trace) => trace.id === id);
  }

  /** Reads a trace that the file has, in pieces between which the page draws. */
  async read(id: TraceId, onProgress: (progress: Progress) => void): Promise<Trace> {
    onProgress(null);
    const { start, duration: length, spans: total, missing, lines } = await this.#partsOf(id);
    const shared = nothingShared();
    const spans: Span[] = [];
    for await (const line of linesOf(lines.stream())) {
      spans.push(...decodePart(id, JSON.parse(line), start, shared));
      onProgress({ done: spans.length, total });
    }
    return { id, start, duration: duration(length), spans, isSkeleton: false, missing };
  }

  /** For questions to the server about a trace of the file. */
  source(id: TraceId): TraceSource {
    return { id, key: `${id} of file ${this.#number}`, sent: async () => (await this.#partsOf(id)).members };
  }

  /** Forgets what was read. */
  close(): void {
    this.#worker.terminate();
  }

  #partsOf(id: TraceId): Promise<TraceParts> {
    const known = this.#parts.get(id);
    if (known) return known;
    const parts = answered(this.#worker, (told) => ("trace" in told && told.trace === id ? told.parts : null));
    this.#parts.set(id, parts);
    // What failed is tried again.
    parts.catch(() => this.#parts.delete(id));
    ask(this.#worker, { trace: id });
    return parts;
  }
}

const ask = (worker: Worker, asked: Asked): void => worker.postMessage(asked);

/** What `read` makes of the first message from which it makes something. */
function answered<T>(worker: Worker, read: (told: Told) => T | null): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (message: string): void => {
      forget();
      reject(new FileError(message));
    };
    const onMessage = ({ data }: MessageEvent<Told>): void => {
      if ("failed" in data) return fail(data.failed);
      const answer = read(data);
      if (answer === null) return;
      forget();
      resolve(answer);
    };
    // Out of memory, mostly.
    const onError = (): void => fail("the browser gave up reading the file; it may be too large for it");
    const forget = (): void => {
      worker.removeEventListener("message", onMessage);
      worker.removeEventListener("error", onError);
    };
    worker.addEventListener("message", onMessage);
    worker.addEventListener("error", onError);
  });
}
