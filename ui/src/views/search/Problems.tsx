/** What is wrong with a query that was run: each mistake under its place in the text, with what would mend it. */
import type { Diagnosis } from "../../model/diagnosis.ts";
import { applied, fixWords, underlined } from "../../query/problems.ts";
import { Button } from "../../widgets/controls.tsx";
import { ErrorIcon } from "../../widgets/icons.tsx";
import styles from "./Problems.module.css";

/** The first mistake often makes the others. */
const SHOWN_MAX = 3;

export function Problems({ diagnosis, onFix }: { readonly diagnosis: Diagnosis; readonly onFix: (query: string) => void }) {
  const { query, diagnostics } = diagnosis;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return (
    <section role="alert" aria-label="problems of the query" className={styles.problems}>
      {errors.slice(0, SHOWN_MAX).map((diagnostic, i) => (
        <div key={i} className={styles.problem}>
          <pre tabIndex={0}>{underlined(query, diagnostic)}</pre>
          <p>
            <ErrorIcon size={12} /> {diagnostic.message}
            {/* A button says the same in fewer words. */}
            {diagnostic.hint && diagnostic.fixes.length === 0 && <span className={styles.hint}>: {diagnostic.hint}</span>}
          </p>
          {diagnostic.fixes.map((fix) => (
            <Button key={`${fix.from} ${fix.text}`} onClick={() => onFix(applied(query, fix))}>
              {fixWords(query, fix)}
            </Button>
          ))}
        </div>
      ))}
      {errors.length === 0 && <p>the server cannot run this query</p>}
      {errors.length > SHOWN_MAX && <p className={styles.hint}>and {errors.length - SHOWN_MAX} more</p>}
    </section>
  );
}
