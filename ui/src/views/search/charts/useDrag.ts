/** A rectangle that is being drawn with the pointer over an element. */
import { type PointerEvent, useState } from "react";

export interface Place {
  readonly x: number;
  readonly y: number;
}

export interface Drag {
  readonly from: Place;
  readonly to: Place;
}

/** Less is a click. */
const MOVED_PX = 4;

interface DragHandlers {
  readonly onPointerDown: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerMove: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerUp: (event: PointerEvent<HTMLElement>) => void;
  readonly onPointerCancel: () => void;
  readonly onPointerLeave: () => void;
}

/** `onDrawn` gets the finished rectangle; `pointer` is where the pointer is while it only looks. */
export function useDrag(onDrawn: (drag: Drag) => void, onClick: () => void): { readonly drag: Drag | null; readonly pointer: Place | null; readonly handlers: DragHandlers } {
  const [drag, setDrag] = useState<Drag | null>(null);
  const [pointer, setPointer] = useState<Place | null>(null);
  const placeOf = (event: PointerEvent<HTMLElement>): Place => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  return {
    drag: drag && isMoved(drag) ? drag : null,
    pointer,
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: placeOf(event), to: placeOf(event) });
      },
      onPointerMove: (event) => {
        const place = placeOf(event);
        setPointer(place);
        if (drag) setDrag({ from: drag.from, to: place });
      },
      onPointerUp: (event) => {
        if (!drag) return;
        const done = { from: drag.from, to: placeOf(event) };
        setDrag(null);
        if (isMoved(done)) onDrawn(done);
        else onClick();
      },
      onPointerCancel: () => setDrag(null),
      onPointerLeave: () => setPointer(null),
    },
  };
}

const isMoved = ({ from, to }: Drag): boolean => Math.abs(to.x - from.x) > MOVED_PX || Math.abs(to.y - from.y) > MOVED_PX;
