/** How many pixels of the screen a CSS pixel has across. */
import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  addEventListener("resize", listener);
  return () => removeEventListener("resize", listener);
}

export const usePixelRatio = (): number => useSyncExternalStore(subscribe, () => devicePixelRatio);
