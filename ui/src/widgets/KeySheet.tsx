/** The sheet of keyboard shortcuts. */
import type { ReactNode, Ref } from "react";
import type { Shortcut } from "../state/keys.ts";
import { IconButton } from "./controls.tsx";
import { CloseIcon } from "./icons.tsx";
import styles from "./KeySheet.module.css";

interface KeySheetProps {
  readonly ref: Ref<HTMLDialogElement>;
  readonly shortcuts: readonly Shortcut[];
  /** What drawn marks mean; beside the keys, when there are any. */
  readonly legend?: ReactNode;
}

export function KeySheet({ ref, shortcuts, legend }: KeySheetProps) {
  return (
    <dialog
      ref={ref}
      className={styles.sheet}
      aria-label="keyboard shortcuts"
      onClick={(event) => {
        // A click on the veil meets the dialog itself, one on its content does not.
        if (event.target === event.currentTarget) event.currentTarget.close();
      }}
    >
      <div className={styles.head}>
        <h2>Keyboard</h2>
        <form method="dialog">
          <IconButton look="bare" type="submit" label="close">
            <CloseIcon />
          </IconButton>
        </form>
      </div>
      <div className={styles.content}>
        <dl className={styles.keys}>
          {shortcuts.map(({ keys, words }) => (
            <div key={words}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
        {legend}
      </div>
    </dialog>
  );
}
