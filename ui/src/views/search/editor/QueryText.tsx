/** A query to be read: coloured as in the editor. */
import { tokens } from "../../../query/tokens.ts";
import styles from "./Editor.module.css";
import { classOf } from "./highlight.ts";

export function QueryText({ query }: { readonly query: string }) {
  const all = tokens(query);
  return (
    <code className={styles.text}>
      {all.map((token, i) => (
        <span key={token.from}>
          {query.slice(all[i - 1]?.to ?? 0, token.from)}
          <span className={classOf(token)}>{token.text}</span>
        </span>
      ))}
    </code>
  );
}
