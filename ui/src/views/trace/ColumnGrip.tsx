/** The line between names and time: dragged, or moved with the arrow keys. */
import { clamp } from "../../base/arrays.ts";
import styles from "./Waterfall.module.css";

interface ColumnGripProps {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Of the view; a taller grip would make the content scroll. */
  readonly height: number;
  readonly onChange: (value: number) => void;
}

const KEY_STEP_PX = 20;

export function ColumnGrip({ value, min, max, height, onChange }: ColumnGripProps) {
  return (
    <div className={styles.gripRail}>
      <div
        role="separator"
        aria-label="width of the name column"
        aria-orientation="vertical"
        aria-valuenow={value}
        aria-valuemin={min}
        aria-valuemax={max}
        tabIndex={0}
        className={styles.grip}
        style={{ left: value - 3, height }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          const rail = event.currentTarget.parentElement?.getBoundingClientRect();
          onChange(clamp(event.clientX - (rail?.left ?? 0), min, max));
        }}
        onKeyDown={(event) => {
          const step = event.key === "ArrowLeft" ? -KEY_STEP_PX : event.key === "ArrowRight" ? KEY_STEP_PX : 0;
          if (step !== 0) onChange(clamp(value + step, min, max));
        }}
      />
    </div>
  );
}
