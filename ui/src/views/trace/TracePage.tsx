/** A trace that is here: composes head, summary, one of the views and the panel beside it around one look. */
import { lazy, Suspense, useRef } from "react";
import { encodeTrace } from "../../api/otlp_encode.ts";
import type { Trace } from "../../model/trace.ts";
import { useAnalysis } from "../../state/queries.ts";
import { Button, IconButton, Notice } from "../../widgets/controls.tsx";
import { DownloadIcon, RefreshIcon } from "../../widgets/icons.tsx";
import { saveText } from "../../widgets/save.ts";
import { usePalette } from "../../widgets/palette.ts";
import { Details } from "./details/Details.tsx";
import { FindBox } from "./FindBox.tsx";
import { FindingsPanel } from "./insight/FindingsPanel.tsx";
import { SummaryLine } from "./insight/SummaryLine.tsx";
import { ToolBar } from "./ToolBar.tsx";
import { TimelineView } from "./TimelineView.tsx";
import { TraceHead } from "./TraceHead.tsx";
import styles from "./TracePage.module.css";
import { useLook } from "./useLook.ts";
import { usePanel } from "./usePanel.ts";
import { useTraceKeys } from "./useTraceKeys.ts";
import { useTraceModel } from "./useTraceModel.ts";
import { useTraceState } from "./useTraceState.ts";

// Whoever opens a trace sees the timeline first; the other views come when they are asked for.
const FlameView = lazy(() => import("./flame/FlameView.tsx").then((m) => ({ default: m.FlameView })));
const TableView = lazy(() => import("./table/TableView.tsx").then((m) => ({ default: m.TableView })));
const EventsView = lazy(() => import("./events/EventsView.tsx").then((m) => ({ default: m.EventsView })));
const CompareView = lazy(() => import("./compare/CompareView.tsx").then((m) => ({ default: m.CompareView })));

export function TracePage({ trace: recorded, onRefresh }: { readonly trace: Trace; readonly onRefresh: () => void }) {
  const [look, changeLook] = useLook();
  const analysis = useAnalysis(recorded.id, look.skew);
  const model = useTraceModel(recorded, analysis.data ?? null);
  const state = useTraceState(model, look, changeLook);
  const panel = usePanel();
  const palette = usePalette();
  const findField = useRef<HTMLInputElement>(null);
  const { trace, tree, insight } = model;
  const { selected, current, matches } = state;

  const refresh = (): void => {
    onRefresh();
    void analysis.refetch();
  };
  const download = (): void => saveText(`trace-${trace.id}.json`, JSON.stringify(encodeTrace(recorded)));
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
          among={state.finding ? "spans of the finding" : null}
          onQuery={(find) => changeLook({ find, finding: null })}
          onStep={(direction) => state.step(matches, direction)}
        />
        <IconButton look="bare" label="download as OTLP JSON" onClick={download}>
          <DownloadIcon />
        </IconButton>
        <IconButton look="bare" label="read the trace again" onClick={refresh}>
          <RefreshIcon />
        </IconButton>
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
            {look.view === "events" && <EventsView model={model} current={current} onGoTo={goTo} />}
            {look.view === "compare" && <CompareView model={model} other={look.other} onOther={(other) => changeLook({ other })} />}
          </Suspense>
        )}
        {selected !== null ? (
          <Details
            model={model}
            position={selected}
            onGoTo={goTo}
            onFind={(find) => changeLook({ find, finding: null })}
            onHide={state.hideService}
            onOnly={state.onlyService}
            onSubtree={state.onlySubtree}
            onClose={() => changeLook({ span: null })}
          />
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
