/** The trace over time: the strip of the whole above, the waterfall below. */
import { Button } from "../../widgets/controls.tsx";
import type { Palette } from "../../widgets/palette.ts";
import { Minimap } from "./Minimap.tsx";
import styles from "./TracePage.module.css";
import type { TraceModel } from "./useTraceModel.ts";
import type { TraceState } from "./useTraceState.ts";
import { Waterfall } from "./Waterfall.tsx";

interface TimelineViewProps {
  readonly model: TraceModel;
  readonly state: TraceState;
  readonly palette: Palette;
}

export function TimelineView({ model, state, palette }: TimelineViewProps) {
  const { tree, slotAt } = model;
  const { whole, window, matches } = state;
  return (
    <div className={styles.timeline}>
      <Minimap tree={model.bare} insight={model.insight} whole={whole} window={window} matches={matches} slotAt={slotAt} palette={palette} onZoom={state.zoomTo} />
      {state.rows.length === 0 ? (
        <p className={styles.empty}>
          every span is hidden <Button onClick={state.showAll}>show all</Button>
        </p>
      ) : (
        <Waterfall
          tree={tree}
          folds={model.folds}
          rows={state.rows}
          shape={state.shape}
          overlay={model.overlay}
          window={window}
          current={state.current}
          matches={matches}
          slotAt={slotAt}
          palette={palette}
          controls={
            <>
              <Button look="bare" className={styles.treeControl} onClick={() => state.collapseFrom(0)}>
                collapse all
              </Button>
              <Button look="bare" className={styles.treeControl} onClick={() => state.collapseFrom(null)}>
                expand all
              </Button>
            </>
          }
          onSelect={(position) => state.goToRow(position, true)}
          onToggle={state.toggle}
          onFold={state.fold}
          onFocusSpan={state.zoomToSpan}
          onZoom={state.zoomTo}
          onZoomAt={(around, factor) => state.zoomBy(factor, around)}
          onPan={state.pan}
        />
      )}
    </div>
  );
}
