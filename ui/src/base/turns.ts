/** Giving way: long work in pieces, between which the page draws and answers. */

/** Resolves after the page had its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
