/** Find in the trace, words or TraceQL: what is sought, how many spans have them, and the way from one to the next. */
import { type Ref, useEffect, useLayoutEffect, useRef, useState } from "react";
import { formatCount } from "../../base/format.ts";
import { soughtIn } from "../../query/within.ts";
import { classes, Field, IconButton } from "../../widgets/controls.tsx";
import { DownIcon, UpIcon } from "../../widgets/icons.tsx";
import styles from "./FindBox.module.css";

interface FindBoxProps {
  readonly ref: Ref<HTMLInputElement>;
  readonly query: string;
  /** How many spans match. */
  readonly count: number;
  /** Which of them is the current one, from 1; 0 when the current span is none of them. */
  readonly which: number;
  /** What the matches are when they are not those of the query; null when they are. */
  readonly among: string | null;
  /** What the server says to a query that it cannot answer. */
  readonly refused: string | null;
  /** Whether what the spans say is not here yet: then there may be more matches. */
  readonly isReading: boolean;
  readonly onQuery: (query: string) => void;
  readonly onStep: (step: 1 | -1) => void;
}

/** Searching 50,000 spans takes some milliseconds; not at every letter of a fast typist. */
const REST_MS = 120;

export function FindBox({ ref, query, count, which, among, refused, isReading, onQuery, onStep }: FindBoxProps) {
  const [text, setText] = useState(query);
  const told = useRef(query);
  const tell = (words: string): void => {
    told.current = words;
    onQuery(words);
  };
  // What was told comes back while one types on; only what comes from elsewhere is taken over, and at once.
  useLayoutEffect(() => {
    if (query === told.current) return;
    told.current = query;
    setText(query);
  }, [query]);
  useEffect(() => {
    if (text === query) return;
    const timer = setTimeout(() => tell(text), REST_MS);
    return () => clearTimeout(timer);
  });
  const isIdle = query === "" && among === null;
  const sought = soughtIn(query);
  const isNone = query !== "" && count === 0 && sought !== "unfinished" && !(sought === "words" && isReading);
  return (
    <div role="search" aria-label="within this trace" className={styles.box}>
      <Field
        ref={ref}
        type="text"
        className={styles.field}
        aria-label="find in this trace"
        placeholder={among ?? "find or { TraceQL }"}
        aria-invalid={isNone}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") onStep(event.shiftKey ? -1 : 1);
          if (event.key === "Escape") {
            setText("");
            tell("");
            event.currentTarget.blur();
          }
        }}
      />
      <span role="status" className={classes(styles.count, isNone && styles.none)}>
        {isIdle || sought === "unfinished" || refused !== null ? "" : isNone ? "none" : count === 0 ? "reading…" : which > 0 ? `${formatCount(which)} of ${formatCount(count)}` : formatCount(count)}
      </span>
      {refused !== null && (
        <pre role="alert" className={styles.refused}>
          {refused}
        </pre>
      )}
      <IconButton look="bare" label="previous match" disabled={count === 0} onClick={() => onStep(-1)}>
        <UpIcon />
      </IconButton>
      <IconButton look="bare" label="next match" disabled={count === 0} onClick={() => onStep(1)}>
        <DownIcon />
      </IconButton>
    </div>
  );
}
