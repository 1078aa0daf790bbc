/** Giving way: long work in pieces, between which the page draws and answers. */

/**
 * Resolves after the page had its turn. By a message: a timer that follows on others comes 4 ms late, and what follows on
 * `scheduler.yield` goes before the frames of the page, of which then one in 100 ms is drawn.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A frame has 16 ms; what is computed between two of them takes half. */
export const STRETCH_MS = 8;

/** Work that pauses now and then, so that whoever runs it may give way. */
export type Steps<Result> = Generator<undefined, Result>;

/** What `steps` come to; the page has its turn whenever they have kept it busy for a while, and before they begin. */
export async function inTurns<Result>(steps: Steps<Result>): Promise<Result> {
  await turn();
  for (let began = performance.now(); ; ) {
    const { done, value } = steps.next();
    if (done) return value;
    if (performance.now() - began < STRETCH_MS) continue;
    await turn();
    began = performance.now();
  }
}

/** The same without pauses. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
