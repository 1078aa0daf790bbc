/** The query as text, what was asked before, the time, and when to ask again. */
import { type RefObject, useId } from "react";
import type { Diagnosis } from "../../model/diagnosis.ts";
import { forgetQueries, useRecentQueries } from "../../state/recent.ts";
import { Button, IconButton } from "../../widgets/controls.tsx";
import { RefreshIcon } from "../../widgets/icons.tsx";
import { QueryField } from "./editor/QueryField.tsx";
import { QueryText } from "./editor/QueryText.tsx";
import styles from "./QueryBar.module.css";
import { TimePicker } from "./TimePicker.tsx";
import type { SearchState } from "./useSearchState.ts";

interface QueryBarProps {
  readonly state: SearchState;
  readonly diagnosis: Diagnosis | null;
  readonly isLive: boolean;
  readonly onLive: (live: boolean) => void;
  readonly onRun: (query: string) => void;
  readonly onRefresh: () => void;
  readonly focusEditor: RefObject<() => void>;
}

export function QueryBar({ state, diagnosis, isLive, onLive, onRun, onRefresh, focusEditor }: QueryBarProps) {
  const { search, draft, setDraft, change, run } = state;
  const isTyped = draft.trim() !== search.query;
  return (
    <div className={styles.bar}>
      <div className={styles.query}>
        <QueryField
          value={draft}
          range={search.range}
          diagnosis={diagnosis}
          onChange={setDraft}
          onRun={onRun}
          onLeave={() => setDraft(search.query)}
          focusEditor={focusEditor}
        />
        <Button className={styles.run} aria-pressed={isTyped} disabled={!isTyped} title="Enter" onClick={() => onRun(draft)}>
          run
        </Button>
      </div>
      <Recent onRun={run} />
      <TimePicker range={search.range} onChange={(range) => change({ range })} />
      <span className={styles.again}>
        <IconButton label="refresh" onClick={onRefresh}>
          <RefreshIcon />
        </IconButton>
        <Button aria-pressed={isLive} title="new matches by themselves" onClick={() => onLive(!isLive)}>
          live
        </Button>
      </span>
    </div>
  );
}

/** What to try when nothing was asked yet. */
const EXAMPLES: readonly (readonly [query: string, words: string])[] = [
  ["{ status = error }", "spans that failed"],
  ["{ duration > 1s }", "spans that took long"],
  ["{ nestedSetParent < 0 && duration > 500ms }", "slow requests as a whole"],
  ["{ status = error } >> { status = error }", "errors below errors"],
  ["{ span:kind = client } | count() > 10", "many calls in one trace"],
  ["{ status = error } | rate() by (resource.service.name)", "failures of each service over time"],
];

function Recent({ onRun }: { readonly onRun: (query: string) => void }) {
  const id = useId();
  const recent = useRecentQueries();
  const close = (): void => document.getElementById(id)?.hidePopover();
  const pick = (query: string): void => {
    close();
    onRun(query);
  };
  return (
    <>
      <Button popoverTarget={id} style={{ anchorName: `--${id}` }} title="recent queries and examples">
        recent ▾
      </Button>
      <div id={id} popover="auto" className={styles.menu} style={{ positionAnchor: `--${id}` }} role="group" aria-label="recent queries and examples">
        {recent.length > 0 && (
          <>
            <h2>
              Recent
              <Button look="bare" className={styles.forget} onClick={forgetQueries}>
                forget them
              </Button>
            </h2>
            <ul>
              {recent.map((query) => (
                <li key={query}>
                  <button type="button" onClick={() => pick(query)}>
                    <QueryText query={query} />
                  </button>
                </li>
              ))}
            </ul>
          </>
        )}
        <h2>Examples</h2>
        <ul>
          {EXAMPLES.map(([query, words]) => (
            <li key={query}>
              <button type="button" onClick={() => pick(query)}>
                <QueryText query={query} />
                <span className={styles.words}>{words}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
