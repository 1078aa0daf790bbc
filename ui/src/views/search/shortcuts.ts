/** What the keyboard does on the search page; the help sheet shows this. */
import type { Shortcut } from "../../state/keys.ts";

export const SEARCH_SHORTCUTS: readonly Shortcut[] = [
  { keys: ["/"], words: "to the query; Enter runs it, Esc leaves it" },
  { keys: ["j", "↓"], words: "next trace" },
  { keys: ["k", "↑"], words: "previous trace" },
  { keys: ["→", "←"], words: "show, hide the spans that matched" },
  { keys: ["Home", "End"], words: "first, last loaded trace" },
  { keys: ["Enter"], words: "open the trace at its first match" },
  { keys: ["c"], words: "compare: on one trace, then on another" },
  { keys: ["o"], words: "order: newest or slowest" },
  { keys: ["e"], words: "only errors, or all" },
  { keys: ["r"], words: "refresh" },
  { keys: ["l"], words: "live: new matches by themselves" },
  { keys: ["z"], words: "twice the time" },
  { keys: ["h"], words: "hide or show the charts" },
  { keys: ["d"], words: "what is different about the slowest" },
  { keys: ["E"], words: "what is different about the failed" },
  { keys: ["b"], words: "keep only what is selected" },
  { keys: ["x"], words: "select nothing" },
];
