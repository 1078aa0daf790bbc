/** The time axis of the waterfall: marks with words; drag over it to zoom. */
import { memo } from "react";
import { formatDuration, formatMark } from "../../base/format.ts";
import type { Marks } from "../../base/marks.ts";
import { duration, type Window } from "../../base/time.ts";
import { timeAt, xOf } from "../../trace/layout.ts";
import styles from "./Ruler.module.css";
import { useDragRange } from "./useDragRange.ts";

interface RulerProps {
  readonly window: Window;
  readonly width: number;
  readonly marks: Marks;
  readonly onZoom: (range: { readonly from: number; readonly to: number } | null) => void;
}

/** What a label needs before the end of the ruler: for each letter, and before the first. */
const LETTER_PX = 6.5;
const LABEL_PAD_PX = 8;

export const Ruler = memo(function Ruler({ window, width, marks, onZoom }: RulerProps) {
  const scale = { window, width };
  const { draft, handlers } = useDragRange((from, to) => onZoom({ from: timeAt(scale, from), to: timeAt(scale, to) }));
  return (
    <div
      className={styles.ruler}
      style={{ width }}
      title="drag to zoom, double-click for the whole trace"
      onDoubleClick={() => onZoom(null)}
      {...handlers}
    >
      {marks.at.map((mark) => {
        const x = xOf(scale, mark);
        const label = formatMark(mark, marks.step);
        return (
          <span key={mark} className={styles.mark} style={{ left: Math.round(x) }}>
            {x + LABEL_PAD_PX + label.length * LETTER_PX <= width && label}
          </span>
        );
      })}
      {draft && (
        <span className={styles.draft} style={{ left: draft.x, width: draft.width }}>
          {formatDuration(duration(timeAt(scale, draft.width) - timeAt(scale, 0)))}
        </span>
      )}
    </div>
  );
});
