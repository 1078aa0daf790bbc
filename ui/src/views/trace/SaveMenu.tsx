/** Saving the trace as a file: the forms that other tools read. */
import { useId, useRef } from "react";
import type { Trace } from "../../model/trace.ts";
import { Button, IconButton } from "../../widgets/controls.tsx";
import { DownloadIcon } from "../../widgets/icons.tsx";
import { saveText } from "../../widgets/save.ts";
import styles from "./ToolBar.module.css";

type Form = "otlp" | "jaeger";

/** Few save a trace: what writes it comes when it is asked for. */
export async function saveTrace(trace: Trace, form: Form): Promise<void> {
  if (form === "otlp") {
    const { encodeTrace } = await import("../../api/otlp_encode.ts");
    saveText(`trace-${trace.id}.json`, JSON.stringify(encodeTrace(trace)));
  } else {
    const { jaegerFromTrace } = await import("../../api/jaeger_encode.ts");
    saveText(`trace-${trace.id}.jaeger.json`, JSON.stringify(jaegerFromTrace(trace)));
  }
}

/** `whole` is null until all that the spans say is here. */
export function SaveMenu({ whole }: { readonly whole: Trace | null }) {
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const save = (form: Form) => (): void => {
    menu.current?.hidePopover();
    if (whole) void saveTrace(whole, form);
  };
  return (
    <>
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
