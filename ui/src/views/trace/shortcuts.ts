/** What the keyboard does in a trace; the help sheet shows this. */
import type { Shortcut } from "../../state/keys.ts";

export const TRACE_SHORTCUTS: readonly Shortcut[] = [
  { keys: ["j", "↓"], words: "next span" },
  { keys: ["k", "↑"], words: "previous span" },
  { keys: ["←", "→"], words: "collapse or to the parent; expand or to the first child" },
  { keys: ["Enter"], words: "details of the span" },
  { keys: ["Esc"], words: "close the details, then the search, then the zoom" },
  { keys: ["/"], words: "find text in this trace" },
  { keys: ["n", "N"], words: "next, previous match" },
  { keys: ["e", "E"], words: "next, previous span with an error" },
  { keys: ["[", "]"], words: "collapse all, expand all" },
  { keys: ["1", "…", "9"], words: "show so many levels" },
  { keys: ["+", "−", "0"], words: "zoom in, out, whole trace" },
  { keys: ["a", "d"], words: "pan left, right" },
  { keys: ["f"], words: "zoom to the span" },
  { keys: ["r"], words: "read the trace again" },
  { keys: ["Ctrl + wheel"], words: "zoom at the pointer" },
];
