/** No trace fits the filters: say which ones are set, and offer the ways out. */
import type { TraceFilter } from "../../model/summary.ts";
import { ANY_TIME, DEFAULT_FILTER } from "../../state/list_url.ts";
import { Button } from "../../widgets/controls.tsx";
import styles from "./Empty.module.css";

interface NoMatchProps {
  readonly filter: TraceFilter;
  readonly onChange: (patch: Partial<TraceFilter>) => void;
}

export function NoMatch({ filter, onChange }: NoMatchProps) {
  const { service, operation, minDuration, maxDuration, error, range } = filter;
  const isAnyTime = range.type === "between" && range.start === null && range.end === null;
  const isFiltered = [service, operation, minDuration, maxDuration, error].some((value) => value !== null);
  return (
    <section className={styles.empty}>
      <h2>No traces here</h2>
      <p>
        {isFiltered ? "None fits these filters" : "None has arrived"} {isAnyTime ? "at any time." : "in this time."}
      </p>
      <p className={styles.actions}>
        {!isAnyTime && <Button onClick={() => onChange({ range: ANY_TIME })}>look at any time</Button>}
        {isFiltered && <Button onClick={() => onChange({ ...DEFAULT_FILTER, range })}>remove the filters</Button>}
      </p>
    </section>
  );
}
