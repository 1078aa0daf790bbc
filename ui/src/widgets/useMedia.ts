/** Whether a media query holds, for what CSS alone cannot decide (such as the height of virtual rows). */
import { useCallback, useSyncExternalStore } from "react";

/** Below this width the page stacks what it otherwise sets side by side. The same number stands in the style sheets. */
export const NARROW = "(max-width: 760px)";

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
