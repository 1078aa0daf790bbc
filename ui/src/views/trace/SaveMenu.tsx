/** Saving the trace as a file: the forms that other tools read. */
import { useId, useRef } from "react";
import type { Trace } from "../../model/trace.ts";
import { Button, IconButton } from "../../widgets/controls.tsx";
import { DownloadIcon } from "../../widgets/icons.tsx";
import { type Form, saveTrace, useSaving } from "./saving.ts";
import styles from "./ToolBar.module.css";

/** `whole` is null until all that the spans say is here. */
export function SaveMenu({ whole }: { readonly whole: Trace | null }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const saving = useSaving();
  const save = (form: Form) => (): void => {
    menu.current?.hidePopover();
    if (whole) void saveTrace(whole, form);
  };
  return (
    <>
      {saving !== null && (
        <span role="status" className={styles.saving}>
          saving {Math.floor(saving * 100)} %
        </span>
      )}
      <IconButton look="bare" label="download the trace" disabled={whole === null} popoverTarget={id} style={{ anchorName: `--${id}` }}>
        <DownloadIcon />
      </IconButton>
      <div ref={menu} id={id} popover="auto" className={styles.saveMenu} style={{ positionAnchor: `--${id}` }} role="group" aria-label="download as">
        <Button look="bare" className={styles.tool} onClick={save("otlp")}>
          OTLP JSON
        </Button>
        <Button look="bare" className={styles.tool} title="times to the microsecond, as Jaeger keeps them" onClick={save("jaeger")}>
          Jaeger JSON
        </Button>
      </div>
    </>
  );
}
