/** The flame graph: where time was spent, spans of one path as one frame. */
import { type KeyboardEvent, useMemo, useState } from "react";
import { at } from "../../../base/arrays.ts";
import { formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import { buildFlame, type Flame, type FrameBox, layoutFlame } from "../../../trace/flame.ts";
import { Button, classes, Segments } from "../../../widgets/controls.tsx";
import { useSize } from "../../../widgets/useSize.ts";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./FlameView.module.css";

interface FlameViewProps {
  readonly model: TraceModel;
  readonly current: number | null;
  readonly onGoTo: (position: number) => void;
}

type Measure = "critical" | "self";
const MEASURES: readonly { readonly value: Measure; readonly words: string }[] = [
  { value: "critical", words: "critical path" },
  { value: "self", words: "self time" },
];
const FRAME_PX = 22;
/** Narrower frames can neither be read nor hit. */
const FRAME_MIN_PX = 2;
const WORDS_MIN_PX = 28;

export function FlameView({ model, current, onGoTo }: FlameViewProps) {
  const { tree, insight, slotOf } = model;
  const [measure, setMeasure] = useState<Measure>("critical");
  const [focus, setFocus] = useState<number | null>(null);
  const [ref, { width }] = useSize<HTMLDivElement>();
  const flame = useMemo(() => insight && buildFlame(tree, measure === "self" ? insight.self : insight.critical), [tree, insight, measure]);
  const boxes = useMemo(() => (flame && width > 0 ? layoutFlame(flame, focus, FRAME_MIN_PX / width) : []), [flame, focus, width]);
  const choose = (next: Measure): void => {
    setMeasure(next);
    setFocus(null);
  };
  return (
    <section className={styles.view} aria-label="flame graph">
      <header className={styles.head}>
        <span className={styles.soft}>as wide as</span>
        <Segments label="what widths show" value={measure} options={MEASURES} onChange={choose} />
        {flame && <span className={styles.soft}>{formatDuration(duration(flame.total))} in all</span>}
        {focus !== null && <Button onClick={() => setFocus(null)}>whole trace</Button>}
        <span className={styles.hint}>click or Enter to zoom, double-click to the span</span>
      </header>
      <div className={styles.scroller} tabIndex={0} role="region" aria-label="frames">
        <div ref={ref} className={styles.frames} style={{ height: flame ? (flame.depthMax + 1) * FRAME_PX : 0 }} onKeyDown={moveFocus}>
          {!insight && <p className={styles.empty}>waiting for the analysis of the trace</p>}
          {flame &&
            boxes.map((box) => (
              <FrameButton
                key={box.frame}
                flame={flame}
                box={box}
                width={width}
                slot={slotOf(at(flame.frames, box.frame).service)}
                isCurrent={at(flame.frames, box.frame).position === current}
                onZoom={() => setFocus(box.frame === focus || at(flame.frames, box.frame).parent < 0 ? null : box.frame)}
                onGoTo={onGoTo}
              />
            ))}
        </div>
      </div>
    </section>
  );
}

interface FrameButtonProps {
  readonly flame: Flame;
  readonly box: FrameBox;
  readonly width: number;
  readonly slot: number;
  readonly isCurrent: boolean;
  readonly onZoom: () => void;
  readonly onGoTo: (position: number) => void;
}

function FrameButton({ flame, box, width, slot, isCurrent, onZoom, onGoTo }: FrameButtonProps) {
  const frame = at(flame.frames, box.frame);
  const share = Math.round((frame.within / flame.total) * 100);
  const times = frame.count > 1 ? ` ×${frame.count}` : "";
  const failed = frame.errors > 0 ? `, ${plural(frame.errors, "error")}` : "";
  // Begins with what is written on the frame.
  const words = `${frame.service} ${frame.name}${times} ${share} %: ${formatDuration(duration(frame.within))}, own ${formatDuration(duration(frame.own))}${failed}`;
  return (
    <button
      type="button"
      className={classes(styles.frame, isCurrent && styles.current, frame.errors > 0 && styles.failed)}
      style={{
        left: box.x * width,
        width: Math.max(1, box.width * width - 1),
        top: box.depth * FRAME_PX,
        height: FRAME_PX - 1,
        "--service": `var(--service-${slot})`,
      }}
      title={words}
      aria-label={words}
      data-depth={box.depth}
      onClick={onZoom}
      onDoubleClick={() => onGoTo(frame.position)}
    >
      {box.width * width >= WORDS_MIN_PX && (
        <>
          <b>{frame.service}</b> {frame.name}
          {times} <span className={styles.soft}>{share} %</span>
        </>
      )}
    </button>
  );
}

/** Up and down go to the nearest frame of the level above or below, left and right along the level. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const steps: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const step = steps[event.key];
  const from = document.activeElement;
  if (!step || !(from instanceof HTMLElement) || from.dataset["depth"] === undefined) return;
  event.preventDefault();
  const [down, along] = step;
  const level = [...event.currentTarget.querySelectorAll<HTMLElement>(`[data-depth="${Number(from.dataset["depth"]) + down}"]`)];
  level.sort((a, b) => a.offsetLeft - b.offsetLeft);
  if (along !== 0) level[level.indexOf(from) + along]?.focus();
  else level.find((frame) => frame.offsetLeft + frame.offsetWidth > from.offsetLeft)?.focus();
}
