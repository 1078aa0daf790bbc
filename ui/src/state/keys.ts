/** Keyboard shortcuts of a view. Typing in a field is never a shortcut, and neither is anything with Ctrl, Alt or Meta. */
import { useLayoutEffect, useRef } from "react";

/** From `KeyboardEvent.key` to what it does; a handler that returns false leaves the key to the browser. */
export type KeyMap = Readonly<Record<string, (event: KeyboardEvent) => boolean | void>>;

/** One line of the help sheet. */
export interface Shortcut {
  readonly keys: readonly string[];
  readonly words: string;
}

export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys);
  // In the same commit as what is seen: a key that is pressed at the sight of it does what it says.
  useLayoutEffect(() => {
    latest.current = keys;
  });
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
      const action = latest.current[event.key];
      if (action && action(event) !== false) event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}

function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  // A key that a focused button, link or separator understands itself belongs to it.
  if ((event.key === "Enter" || event.key === " ") && target.closest("button, a, summary")) return true;
  if (event.key.startsWith("Arrow") && target.closest("[role=separator], [role=slider]")) return true;
  return target.isContentEditable || target.closest("input, select, textarea") !== null;
}
