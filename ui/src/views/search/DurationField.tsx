/** A bound on the duration: `200ms`, `1.5s`, `1m30s`; a bare number is milliseconds. */
import { useEffect, useState } from "react";
import { durationForQuery } from "../../base/format.ts";
import { type Duration, parseDuration } from "../../base/time.ts";
import { TextField } from "./TextField.tsx";

interface DurationFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: Duration | null;
  readonly onCommit: (value: Duration | null) => void;
}

export function DurationField({ label, placeholder, value, onCommit }: DurationFieldProps) {
  const [refused, setRefused] = useState(false);
  useEffect(() => setRefused(false), [value]);
  return (
    <TextField
      label={`${label} duration`}
      placeholder={placeholder}
      value={value === null ? "" : durationForQuery(value)}
      invalid={refused}
      problem="a duration such as 200ms, 1.5s or 2m"
      onType={() => setRefused(false)}
      onCommit={(text) => {
        const parsed = text === "" ? null : parseDuration(text);
        const isRefused = text !== "" && parsed === null;
        setRefused(isRefused);
        if (!isRefused) onCommit(parsed);
      }}
    />
  );
}
