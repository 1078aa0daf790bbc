/** The line between names and time: dragged, or moved with the arrow keys. */
import { clamp } from "../../base/arrays.ts";
import styles from "./Waterfall.module.css";

interface ColumnGripProps {
  /** The width of the column left of the grip, from the edge of the grip's parent. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly onChange: (value: number) => void;
}

const KEY_STEP_PX = 20;

export function ColumnGrip({ value, min, max, onChange }: ColumnGripProps) {
  return (
    <div
      role="separator"
      aria-label="width of the name column"
      aria-orientation="vertical"
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      tabIndex={0}
      className={styles.grip}
      style={{ left: value }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        const parent = event.currentTarget.parentElement?.getBoundingClientRect();
        onChange(clamp(event.clientX - (parent?.left ?? 0), min, max));
      }}
      onKeyDown={(event) => {
        const step = event.key === "ArrowLeft" ? -KEY_STEP_PX : event.key === "ArrowRight" ? KEY_STEP_PX : 0;
        if (step !== 0) onChange(clamp(value + step, min, max));
      }}
    />
  );
}
