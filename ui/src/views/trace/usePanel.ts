/** Whether the list of findings is open; remembered in this browser. */
import { useStoredNumber } from "../../state/stored.ts";

export interface Panel {
  readonly isOpen: boolean;
  readonly toggle: () => void;
}

export function usePanel(): Panel {
  const [open, setOpen] = useStoredNumber("findings-open", 0);
  return { isOpen: open === 1, toggle: () => setOpen(open === 1 ? 0 : 1) };
}
