/** The filters of the list. Every change goes to the address at once; fields of text when they are left or Enter is pressed. */
import { type Ref, useId, useMemo } from "react";
import { formatCount } from "../../base/format.ts";
import type { OperationEntry, Order, ServiceEntry, TraceFilter, TraceSummary } from "../../model/summary.ts";
import { useOperations } from "../../state/queries.ts";
import { Button, IconButton, Segments, Select } from "../../widgets/controls.tsx";
import { RefreshIcon } from "../../widgets/icons.tsx";
import { DurationField } from "./DurationField.tsx";
import styles from "./FilterBar.module.css";
import { TextField } from "./TextField.tsx";
import { TimePicker } from "./TimePicker.tsx";

interface FilterBarProps {
  readonly filter: TraceFilter;
  readonly services: readonly ServiceEntry[];
  /** The rows shown; their root names are suggested as operations. */
  readonly traces: readonly TraceSummary[];
  readonly live: boolean;
  readonly serviceField: Ref<HTMLSelectElement>;
  readonly onChange: (patch: Partial<TraceFilter>) => void;
  readonly onLive: (live: boolean) => void;
  readonly onRefresh: () => void;
}

const ORDERS: readonly { readonly value: Order; readonly words: string }[] = [
  { value: "newest", words: "newest" },
  { value: "slowest", words: "slowest" },
];
const ERRORS = [
  { value: "all", words: "all" },
  { value: "true", words: "errors" },
  { value: "false", words: "no errors" },
] as const;
/** More suggestions than this do not help choosing. */
const SUGGESTIONS_MAX = 200;

export function FilterBar({ filter, services, traces, live, serviceField, onChange, onLive, onRefresh }: FilterBarProps) {
  const operations = useOperations(filter.service);
  const suggestions = useMemo(() => rootNames(operations.data ?? [], traces), [operations.data, traces]);
  const listId = useId();
  const isKnown = filter.service === null || services.some((service) => service.name === filter.service);
  return (
    <form className={styles.bar} aria-label="filters" onSubmit={(event) => event.preventDefault()}>
      <Select
        ref={serviceField}
        className={styles.service}
        aria-label="service"
        value={filter.service ?? ""}
        onChange={(event) => onChange({ service: event.target.value || null, operation: null })}
      >
        <option value="">any service</option>
        {!isKnown && <option value={filter.service ?? ""}>{filter.service}</option>}
        {services.map(({ name, spans }) => (
          <option key={name} value={name}>
            {name} ({formatCount(spans)})
          </option>
        ))}
      </Select>
      <TextField
        className={styles.operation}
        label="root operation"
        value={filter.operation ?? ""}
        suggestionsId={listId}
        onCommit={(text) => onChange({ operation: text || null })}
      />
      <datalist id={listId}>
        {suggestions.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <span className={styles.durations}>
        <DurationField label="shortest" placeholder="min 200ms" value={filter.minDuration} onCommit={(minDuration) => onChange({ minDuration })} />
        <span aria-hidden="true">–</span>
        <DurationField label="longest" placeholder="max 1.5s" value={filter.maxDuration} onCommit={(maxDuration) => onChange({ maxDuration })} />
      </span>
      <Segments
        label="errors"
        value={filter.error === null ? "all" : filter.error ? "true" : "false"}
        options={ERRORS}
        onChange={(value) => onChange({ error: value === "all" ? null : value === "true" })}
      />
      <TimePicker range={filter.range} onChange={(range) => onChange({ range })} />
      <Segments label="order" value={filter.order} options={ORDERS} onChange={(order) => onChange({ order })} />
      <span className={styles.refresh}>
        <IconButton label="refresh" onClick={onRefresh}>
          <RefreshIcon />
        </IconButton>
        <Button aria-pressed={live} title="refresh every few seconds" onClick={() => onLive(!live)}>
          live
        </Button>
      </span>
    </form>
  );
}

/** Names that a root span has: those of the service first, then those in sight. */
function rootNames(operations: readonly OperationEntry[], traces: readonly TraceSummary[]): readonly string[] {
  const own = operations.filter((operation) => operation.roots > 0).map((operation) => operation.name);
  const seen = traces.flatMap((trace) => (trace.root ? [trace.root.name] : []));
  return [...new Set([...own, ...seen])].slice(0, SUGGESTIONS_MAX);
}
