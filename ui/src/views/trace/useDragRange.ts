/** Dragging over a stretch of time: the draft while the pointer is down, the result when it is let go. */
import { type PointerEvent, useState } from "react";
import type { Extent } from "../../trace/layout.ts";

/** Less than this is a click. */
const DRAG_MIN_PX = 4;

export interface DragRange {
  /** In pixels of the element; null while nothing is dragged. */
  readonly draft: Extent | null;
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void;
    readonly onPointerMove: (event: PointerEvent<HTMLElement>) => void;
    readonly onPointerUp: (event: PointerEvent<HTMLElement>) => void;
    readonly onPointerCancel: () => void;
  };
}

export function useDragRange(onRange: (fromPx: number, toPx: number) => void): DragRange {
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const xIn = (event: PointerEvent<HTMLElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, 0), box.width);
  };
  const isWide = drag !== null && Math.abs(drag.to - drag.from) >= DRAG_MIN_PX;
  return {
    draft: drag && isWide ? { x: Math.min(drag.from, drag.to), width: Math.abs(drag.to - drag.from) } : null,
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: xIn(event), to: xIn(event) });
      },
      onPointerMove: (event) => {
        if (drag) setDrag({ ...drag, to: xIn(event) });
      },
      onPointerUp: () => {
        if (drag && isWide) onRange(drag.from, drag.to);
        setDrag(null);
      },
      onPointerCancel: () => setDrag(null),
    },
  };
}
