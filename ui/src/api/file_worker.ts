/** Reads a file of traces beside the page, which goes on drawing. One worker for each file: it keeps what it has parsed. */
import type { Asked, Told } from "./file_messages.ts";
import { FileError, openFile, type ParsedFile } from "./files.ts";
import { partsOf } from "./parts.ts";

/** Said no more often: the page draws the bar anew each time. */
const TOLD_BYTES = 1 << 20;

let parsed: ParsedFile | null = null;

const tell = (told: Told): void => postMessage(told);

addEventListener("message", ({ data }: MessageEvent<Asked>) => void answer(data));

async function answer(asked: Asked): Promise<void> {
  const words = "file" in asked ? `${asked.file.name} could not be read` : "the trace could not be read";
  try {
    if ("file" in asked) {
      const content = await textOf(asked.file);
      tell({ parsing: true });
      parsed = openFile(asked.file.name, content);
      tell({ traces: parsed.traces });
    } else {
      const trace = parsed?.read(asked.trace);
      tell(trace ? { trace: asked.trace, parts: partsOf(trace) } : { failed: words });
    }
  } catch (error) {
    tell({ failed: error instanceof FileError ? error.message : words });
  }
}

async function textOf(file: File): Promise<string> {
  const reader = file.stream().getReader();
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let bytes = 0;
  let toldBytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return pieces.join("") + decoder.decode();
    pieces.push(decoder.decode(value, { stream: true }));
    bytes += value.byteLength;
    if (bytes - toldBytes < TOLD_BYTES) continue;
    toldBytes = bytes;
    tell({ readBytes: bytes });
  }
}
