/** Which view of the trace, and what of it is shown. */
import { formatCount, plural } from "../../base/format.ts";
import type { TraceLook, ViewName } from "../../state/trace_url.ts";
import { Button, Segments } from "../../widgets/controls.tsx";
import { ClockIcon, FoldIcon, PathIcon } from "../../widgets/icons.tsx";
import { ServicesMenu } from "./ServicesMenu.tsx";
import styles from "./ToolBar.module.css";
import type { TraceModel } from "./useTraceModel.ts";
import type { TraceState } from "./useTraceState.ts";

const VIEW_OPTIONS: readonly { readonly value: ViewName; readonly words: string }[] = [
  { value: "timeline", words: "Timeline" },
  { value: "flame", words: "Flame graph" },
  { value: "table", words: "Table" },
  { value: "graph", words: "Services" },
  { value: "events", words: "Events" },
  { value: "compare", words: "Compare" },
];

interface ToolBarProps {
  readonly model: TraceModel;
  readonly state: TraceState;
  readonly look: TraceLook;
  readonly changeLook: (patch: Partial<TraceLook>) => void;
}

export function ToolBar({ model, state, look, changeLook }: ToolBarProps) {
  return (
    <div className={styles.bar}>
      <Segments label="view of the trace" value={look.view} options={VIEW_OPTIONS} onChange={(view) => changeLook({ view })} />
      {look.view === "timeline" && <TimelineTools model={model} state={state} look={look} changeLook={changeLook} />}
    </div>
  );
}

function TimelineTools({ model, state, look, changeLook }: ToolBarProps) {
  const { insight, folds, tree } = model;
  const folded = state.rows.folded.size;
  return (
    <>
      <Button
        look="bare"
        className={styles.tool}
        aria-pressed={look.onlyPath}
        disabled={!insight}
        title="only spans of the critical path: the line through the bars (c)"
        onClick={() => changeLook({ onlyPath: !look.onlyPath })}
      >
        <PathIcon /> critical path
      </Button>
      <ServicesMenu model={model} hidden={look.hidden} onHidden={(hidden) => changeLook({ hidden })} />
      {folds.list.length > 0 && (
        <Button
          look="bare"
          className={styles.tool}
          aria-pressed={folded > 0}
          title={`${plural(folds.list.length, "group")} of repeated calls: each in one row, or every call in its own (X)`}
          onClick={() => state.foldAll(folded === 0)}
        >
          <FoldIcon /> fold repeats
        </Button>
      )}
      {insight && (insight.shifted > 0 || !look.skew) && (
        <Button
          look="bare"
          className={styles.tool}
          aria-pressed={look.skew}
          title={look.skew ? `clocks disagree: ${plural(insight.shifted, "span")} moved; press for times as recorded (s)` : "times as recorded; press to correct clocks (s)"}
          onClick={() => changeLook({ skew: !look.skew })}
        >
          <ClockIcon /> clocks corrected
        </Button>
      )}
      {state.isFiltered && (
        <span className={styles.filtered} role="status">
          {formatCount(state.rows.length)} rows of {plural(tree.spans.length, "span")}
          <Button look="bare" className={styles.tool} onClick={state.showAll}>
            show all
          </Button>
        </span>
      )}
    </>
  );
}
