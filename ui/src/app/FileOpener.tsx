/** Opens a file of traces: by the button, by `U`, or dropped anywhere on the page. */
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { useKeys } from "../state/keys.ts";
import { fileAddress, readTraceFile } from "../state/opened_file.ts";
import { IconButton } from "../widgets/controls.tsx";
import { OpenIcon } from "../widgets/icons.tsx";

type Navigate = ReturnType<typeof useLocation>[1];

export function FileOpener() {
  const field = useRef<HTMLInputElement>(null);
  const [, navigate] = useLocation();
  const latest = useRef(navigate);
  useEffect(() => {
    latest.current = navigate;
  });
  useKeys({ U: () => field.current?.click() });
  useEffect(() => {
    const isFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const over = (event: DragEvent): void => {
      if (isFile(event)) event.preventDefault();
    };
    const drop = (event: DragEvent): void => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      void open(file, latest.current);
    };
    addEventListener("dragover", over);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("drop", drop);
    };
  }, []);
  return (
    <>
      <IconButton look="bare" label="open a file of traces: OTLP or Jaeger JSON" onClick={() => field.current?.click()}>
        <OpenIcon />
      </IconButton>
      <input
        ref={field}
        type="file"
        hidden
        aria-label="file of traces"
        accept=".json,.jsonl,.ndjson,application/json"
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file again is a change too.
          event.target.value = "";
          if (file) void open(file, navigate);
        }}
      />
    </>
  );
}

/** How far it is stands where the trace will. */
async function open(file: File, navigate: Navigate): Promise<void> {
  const read = readTraceFile(file);
  navigate(fileAddress(null));
  navigate(fileAddress(await read), { replace: true });
}
