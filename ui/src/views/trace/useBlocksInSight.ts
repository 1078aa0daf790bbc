/** Which blocks of rows are in sight of an element that scrolls; it draws again when that changes, and not at every scroll. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { BLOCK_ROWS, blockAt, type Blocks, blocksInSight } from "../../trace/blocks.ts";

interface BlocksInSight {
  readonly blocks: Blocks;
  /** The rows of them, `lastRow` exclusive. */
  readonly firstRow: number;
  readonly lastRow: number;
  /** Scrolls to what `next` makes of the place of now, and has the rows there at once. */
  readonly scrollTo: (next: (top: number) => number) => void;
}

/** `height`: of what is in sight of the rows. */
export function useBlocksInSight(scroller: RefObject<HTMLElement | null>, height: number, rowHeight: number, rows: number): BlocksInSight {
  const [edge, setEdge] = useState(0);
  const known = useRef(0);
  useEffect(() => {
    const element = scroller.current;
    const follow = (): void => {
      const next = blockAt(element?.scrollTop ?? 0, rowHeight);
      if (next === known.current) return;
      known.current = next;
      // In the frame of the scrolling: later, rows would be missing where they come into sight.
      flushSync(() => setEdge(next));
    };
    element?.addEventListener("scroll", follow, { passive: true });
    return () => element?.removeEventListener("scroll", follow);
  }, [scroller, rowHeight]);
  const scrollTo = useCallback(
    (next: (top: number) => number) => {
      const element = scroller.current;
      if (!element) return;
      const before = element.scrollTop;
      const after = next(before);
      if (after !== before) element.scrollTop = after;
      known.current = blockAt(element.scrollTop, rowHeight);
      setEdge(known.current);
    },
    [scroller, rowHeight],
  );
  const blocks = blocksInSight(edge, height, rowHeight, rows);
  return { blocks, firstRow: blocks.first * BLOCK_ROWS, lastRow: Math.min(rows, blocks.last * BLOCK_ROWS), scrollTo };
}
