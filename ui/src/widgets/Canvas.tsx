/** A canvas that is sharp on every screen and painted in the same frame as the elements around it. */
import { type CSSProperties, useLayoutEffect, useRef } from "react";
import { usePixelRatio } from "./usePixelRatio.ts";

interface CanvasProps {
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Paints on a cleared canvas in CSS pixels; called again whenever it is a new function or the size changes. */
  readonly paint: (context: CanvasRenderingContext2D) => void;
  readonly className?: string | undefined;
  readonly style?: CSSProperties;
}

/** What a canvas shows must also be said elsewhere: it is hidden from screen readers. */
export function Canvas({ width, height, paint, className, style }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = usePixelRatio();
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    // Setting a size, even the same one, throws the bitmap away: costly while scrolling.
    if (canvas.current.width !== w) canvas.current.width = w;
    if (canvas.current.height !== h) canvas.current.height = h;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context);
  }, [width, height, ratio, paint]);
  return <canvas ref={canvas} aria-hidden="true" className={className} style={{ width, height, ...style }} />;
}
