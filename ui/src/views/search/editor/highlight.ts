/** Which class of `Editor.module.css` a token has. */
import type { Token } from "../../../query/tokens.ts";
import { VALUE_WORDS } from "../../../query/tokens.ts";
import styles from "./Editor.module.css";

export function classOf({ kind, text }: Token): string | undefined {
  if (kind === "word") return VALUE_WORDS.has(text) ? styles.value : text.includes(":") ? styles.attribute : styles.word;
  return styles[kind];
}
