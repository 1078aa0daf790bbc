/** Nothing fits the query: say so, and offer the ways out, each condition one by one. */
import { readQuery, writeQuery } from "../../query/chips.ts";
import { without } from "../../query/edit.ts";
import { ANY_TIME, isAnyTime, type Search } from "../../state/search_url.ts";
import { Button } from "../../widgets/controls.tsx";
import { QueryText } from "./editor/QueryText.tsx";
import styles from "./Empty.module.css";

interface NoMatchProps {
  readonly search: Search;
  readonly onChange: (patch: Partial<Search>) => void;
  readonly onQuery: (query: string) => void;
}

export function NoMatch({ search, onChange, onQuery }: NoMatchProps) {
  const { query, range, selection } = search;
  const isAny = isAnyTime(range);
  const isFiltered = query !== "";
  const read = readQuery(query);
  return (
    <section className={styles.empty}>
      <h2>No traces here</h2>
      <p>
        {selection ? "None is within what is selected over the charts," : isFiltered ? "None fits this query" : "None has arrived"} {isAny ? "at any time." : "in this time."}
      </p>
      <p className={styles.actions}>
        {selection && <Button onClick={() => onChange({ selection: null })}>select nothing</Button>}
        {!isAny && <Button onClick={() => onChange({ range: ANY_TIME })}>look at any time</Button>}
        {isFiltered && <Button onClick={() => onQuery("")}>remove the filters</Button>}
      </p>
      {read.type === "simple" && read.parts.length > 1 && (
        <div className={styles.snippet}>
          <h3>Or ask for less: all conditions must hold in one span</h3>
          <ul className={styles.less}>
            {read.parts.map((part, i) => (
              <li key={`${part.source} ${i}`}>
                <Button look="bare" onClick={() => onQuery(writeQuery(without(read, i)))}>
                  without <QueryText query={part.source} />
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
      {isFiltered && (
        <ul className={styles.hints}>
          <li>
            A span without an attribute fits no condition on it, not even <code>!=</code>.
          </li>
          <li>
            <code>=~</code> must fit the whole value: <code>=~ "pay.*"</code>, not <code>=~ "pay"</code>.
          </li>
          <li>
            Conditions on different spans of a trace go side by side: <code>{'{ name = "a" } && { name = "b" }'}</code>.
          </li>
        </ul>
      )}
    </section>
  );
}
