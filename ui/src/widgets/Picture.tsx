/**
 * A picture that is painted once and then only moved: sharp on every screen, there in the same frame as the elements around it.
 *
 * A canvas that can be painted on is copied for the screen in each frame in which anything moves, painted or not; one that
 * was given a bitmap is not. For what changes all the time `Canvas` is simpler.
 */
import { type CSSProperties, useLayoutEffect, useRef } from "react";
import { usePixelRatio } from "./usePixelRatio.ts";

interface PictureProps {
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Paints on an empty canvas in CSS pixels; called again whenever it is a new function or the size changes. */
  readonly paint: (context: OffscreenCanvasRenderingContext2D) => void;
  readonly className?: string | undefined;
  readonly style?: CSSProperties;
}

/** What all pictures are painted on, one after the other. */
let easel: { readonly canvas: OffscreenCanvas; readonly context: OffscreenCanvasRenderingContext2D | null } | null = null;

function painted(width: number, height: number, ratio: number, paint: PictureProps["paint"]): ImageBitmap {
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (easel === null) {
    const canvas = new OffscreenCanvas(w, h);
    easel = { canvas, context: canvas.getContext("2d") };
  }
  const { canvas, context } = easel;
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  if (context) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context);
  }
  return canvas.transferToImageBitmap();
}

/** What a picture shows must also be said elsewhere: it is hidden from screen readers. */
export function Picture({ width, height, paint, className, style }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = usePixelRatio();
  useLayoutEffect(() => {
    canvas.current?.getContext("bitmaprenderer")?.transferFromImageBitmap(painted(width, height, ratio, paint));
  }, [width, height, ratio, paint]);
  return <canvas ref={canvas} aria-hidden="true" className={className} style={{ width, height, ...style }} />;
}
