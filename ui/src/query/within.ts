/** Whether what is sought within one trace is words or TraceQL. */
import { tokens } from "./tokens.ts";

/** `words`: text. `query`: TraceQL that may run. `unfinished`: TraceQL in which braces are still open. */
export type Sought = "words" | "query" | "unfinished";

/** TraceQL begins with a brace or a parenthesis; while it is typed, its braces are open. */
export function soughtIn(text: string): Sought {
  if (!/^\s*[{(]/.test(text)) return "words";
  const marks = tokens(text).map((token) => token.text);
  const open = (mark: string): number => marks.filter((one) => one === mark).length;
  return open("{") === open("}") && open("(") === open(")") && open("{") > 0 ? "query" : "unfinished";
}
