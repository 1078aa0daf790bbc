/** A trace that is here: composes head, summary, one of the views and the panel beside it around one look. */
import { Suspense, useEffect, useRef } from "react";
import type { TraceSource } from "../../api/source.ts";
import type { Trace } from "../../model/trace.ts";
import { useAnalysis } from "../../state/traces.ts";
import { Button, IconButton, Notice } from "../../widgets/controls.tsx";
import { RefreshIcon } from "../../widgets/icons.tsx";
import { later } from "../../widgets/later.tsx";
import { usePalette } from "../../widgets/palette.ts";
import { StoredContext } from "./details/stored.ts";
import { FindBox } from "./FindBox.tsx";
import { FindingsPanel } from "./insight/FindingsPanel.tsx";
import { SummaryLine } from "./insight/SummaryLine.tsx";
import { SaveMenu } from "./SaveMenu.tsx";
import { saveTrace } from "./saving.ts";
import { ToolBar } from "./ToolBar.tsx";
import { TimelineView } from "./TimelineView.tsx";
import { TraceHead } from "./TraceHead.tsx";
import styles from "./TracePage.module.css";
import { useLook } from "./useLook.ts";
import { usePanel } from "./usePanel.ts";
import { useTraceKeys } from "./useTraceKeys.ts";
import { useTraceModel } from "./useTraceModel.ts";
import { useTraceState } from "./useTraceState.ts";

const Details = later(() => import("./details/Details.tsx").then((m) => m.Details));
/** Details are there before anybody clicks, and after the rows. */
const DETAILS_MS = 300;

// Whoever opens a trace sees the timeline first; the other views come when they are asked for.
const FlameView = later(() => import("./flame/FlameView.tsx").then((m) => m.FlameView));
const TableView = later(() => import("./table/TableView.tsx").then((m) => m.TableView));
const GraphView = later(() => import("./graph/GraphView.tsx").then((m) => m.GraphView));
const EventsView = later(() => import("./events/EventsView.tsx").then((m) => m.EventsView));
const CompareView = later(() => import("./compare/CompareView.tsx").then((m) => m.CompareView));

interface TracePageProps {
  readonly source: TraceSource;
  /** Enough to draw. */
  readonly trace: Trace;
  /** With all that its spans say; null until it is here. */
  readonly whole: Trace | null;
  /** Absent for a trace of a file, which never changes. */
  readonly onRefresh?: () => void;
}

export function TracePage({ source, trace: recorded, whole, onRefresh }: TracePageProps) {
  const [look, changeLook] = useLook();
  const analysis = useAnalysis(source, look.skew);
  const model = useTraceModel(recorded, whole, analysis.data ?? null, source);
  const state = useTraceState(model, look, changeLook);
  const panel = usePanel();
  const palette = usePalette();
  const findField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => void Details.load(), DETAILS_MS);
    return () => clearTimeout(timer);
  }, []);
  const { trace, tree, insight } = model;
  const { selected, current, matches } = state;

  const refresh = (): void => {
    if (!onRefresh) return;
    onRefresh();
    void analysis.refetch();
  };
  const download = (): void => {
    if (whole) void saveTrace(whole, "otlp");
  };
  useTraceKeys({ model, state, look, changeLook, find: () => findField.current?.select(), findings: panel.toggle, refresh, download });

  const goTo = (position: number): void => state.goTo(position, true);
  return (
    <>
      <TraceHead trace={trace} tree={tree} facts={model.facts}>
        <FindBox
          ref={findField}
          query={look.find}
          count={matches.length}
          which={current === null ? 0 : matches.indexOf(current) + 1}
          refused={state.finding ? null : state.refused}
          isReading={whole === null}
          among={state.finding ? "spans of the finding" : null}
          onQuery={(find) => changeLook({ find, finding: null })}
          onStep={(direction) => state.step(matches, direction)}
        />
        <SaveMenu whole={whole} />
        {onRefresh && (
          <IconButton look="bare" label="read the trace again" onClick={refresh}>
            <RefreshIcon />
          </IconButton>
        )}
      </TraceHead>
      {look.span !== null && selected === null && (
        <Notice action={<Button onClick={() => changeLook({ span: null })}>dismiss</Button>}>
          span {look.span} is not in this trace, or not here yet
        </Notice>
      )}
      <SummaryLine
        insight={insight}
        error={analysis.error}
        slotAt={model.slotAt}
        isOpen={panel.isOpen && selected === null}
        onFindings={() => {
          if (selected !== null) changeLook({ span: null });
          if (selected === null || !panel.isOpen) panel.toggle();
        }}
        onGoTo={goTo}
      />
      <ToolBar model={model} state={state} look={look} changeLook={changeLook} />
      <div className={styles.split}>
        {look.view === "timeline" ? (
          <TimelineView model={model} state={state} palette={palette} />
        ) : (
          <Suspense fallback={<div className={styles.fallback} />}>
            {look.view === "flame" && <FlameView model={model} current={current} onGoTo={goTo} />}
            {look.view === "table" && <TableView model={model} by={look.by} onBy={(by) => changeLook({ by })} onGoTo={goTo} />}
            {look.view === "graph" && <GraphView model={model} onGoTo={goTo} />}
            {look.view === "events" && <EventsView model={model} current={current} onGoTo={goTo} />}
            {look.view === "compare" && <CompareView model={model} other={look.other} onOther={(other) => changeLook({ other })} />}
          </Suspense>
        )}
        {selected !== null ? (
          <StoredContext value={source.sent === null}>
            <Suspense fallback={<aside className={styles.detailsComing} aria-busy="true" aria-label="span details" />}>
              <Details
                model={model}
                position={selected}
                isAnalysing={insight === null && analysis.error === null}
                onGoTo={goTo}
                onFind={(find) => changeLook({ find, finding: null })}
                onHide={state.hideService}
                onOnly={state.onlyService}
                onSubtree={state.onlySubtree}
                onClose={() => changeLook({ span: null })}
              />
            </Suspense>
          </StoredContext>
        ) : (
          panel.isOpen &&
          insight && (
            <FindingsPanel tree={tree} insight={insight} name={look.finding} onShow={state.showFinding} onGoTo={goTo} onClose={panel.toggle} />
          )
        )}
      </div>
    </>
  );
}
