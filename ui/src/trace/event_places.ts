/** Where the events of a span lie on a strip as long as the span; those too close to be told apart share a mark. */
import { clamp } from "../base/arrays.ts";
import type { Span } from "../model/span.ts";

export interface EventMark {
  /** From the start of the span to its end, 0 to 1; events outside lie at the ends. */
  readonly share: number;
  /** Indices of events, in order of time. */
  readonly events: readonly number[];
  readonly isOutside: boolean;
}

/** Marks closer than this are one. */
const APART = 0.02;

/** Events of a span are in order of time. */
export function eventMarks(span: Span): readonly EventMark[] {
  const marks: { share: number; events: number[]; isOutside: boolean }[] = [];
  span.events.forEach((event, i) => {
    const place = span.duration > 0 ? (event.at - span.start) / span.duration : 0;
    const share = clamp(place, 0, 1);
    const before = marks.at(-1);
    if (before && share - before.share < APART) {
      before.events.push(i);
      before.isOutside ||= share !== place;
    } else {
      marks.push({ share, events: [i], isOutside: share !== place });
    }
  });
  return marks;
}
