/** What the keyboard does in the list; the help sheet shows this. */
import type { Shortcut } from "../../state/keys.ts";

export const LIST_SHORTCUTS: readonly Shortcut[] = [
  { keys: ["j", "↓"], words: "next trace" },
  { keys: ["k", "↑"], words: "previous trace" },
  { keys: ["Home", "End"], words: "first, last loaded trace" },
  { keys: ["Enter"], words: "open the trace" },
  { keys: ["r"], words: "refresh" },
  { keys: ["l"], words: "live: refresh by itself" },
  { keys: ["o"], words: "order: newest or slowest" },
  { keys: ["e"], words: "only traces with errors, or all" },
  { keys: ["/"], words: "to the filters" },
];
