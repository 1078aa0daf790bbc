/** Reading answers that come in pieces: lines of text as they arrive, and pauses in which the page draws. */
import { STRETCH_MS, turn } from "../base/turns.ts";

/** The lines of a body, without those that are empty. Gives way to the page whenever it has kept it busy for a while. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  // Pieces of a line that has not ended; joined once, since a line can be as long as a hundred pieces.
  let pieces: string[] = [];
  let worked = performance.now();
  try {
    for (;;) {
      const { value = "", done } = await reader.read();
      const [first = "", ...rest] = value.split("\n");
      pieces.push(first);
      for (const next of done ? [""] : rest) {
        const line = pieces.join("");
        pieces = [next];
        if (line === "") continue;
        yield line;
        if (performance.now() - worked < STRETCH_MS) continue;
        await turn();
        worked = performance.now();
      }
      if (done) return;
    }
  } finally {
    // Whoever stops reading ends the request.
    void reader.cancel().catch(() => undefined);
  }
}
