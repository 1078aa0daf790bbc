/** Which time to list: a stretch before now, any time, or between two instants in the reader's zone. */
import { formatInstant, zoneName } from "../../base/format.ts";
import { type UnixNanos, unixNanosOfMillis } from "../../base/time.ts";
import type { TimeRange } from "../../model/summary.ts";
import { widened } from "../../query/chart.ts";
import { timeOf } from "../../state/charts.ts";
import { ANY_TIME, isAnyTime, rangeName, RANGES } from "../../state/search_url.ts";
import { Field, IconButton, Select } from "../../widgets/controls.tsx";
import { WidenIcon } from "../../widgets/icons.tsx";
import styles from "./TimePicker.module.css";

interface TimePickerProps {
  readonly range: TimeRange;
  readonly onChange: (range: TimeRange) => void;
}

const ANY = "any";
const BETWEEN = "between";
const HOUR_MS = 3_600_000;

export function TimePicker({ range, onChange }: TimePickerProps) {
  const isAny = isAnyTime(range);
  const isPreset = range.type === "last" && RANGES.some((preset) => preset.ms === range.ms);
  return (
    <span className={styles.picker}>
      <Select
        aria-label="time"
        value={range.type === "last" ? rangeName(range.ms) : isAny ? ANY : BETWEEN}
        onChange={(event) => onChange(chosen(event.target.value, range))}
      >
        {range.type === "last" && !isPreset && <option value={rangeName(range.ms)}>last {rangeName(range.ms)}</option>}
        {RANGES.map(({ name, words }) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
        <option value={ANY}>any time</option>
        <option value={BETWEEN}>between…</option>
      </Select>
      {range.type === "between" && !isAny && (
        <>
          <InstantField label="from" value={range.start} onChange={(start) => onChange({ ...range, start })} />
          <span aria-hidden="true">–</span>
          <InstantField label="to" value={range.end} onChange={(end) => onChange({ ...range, end })} />
          <span className={styles.zone}>{zoneName(new Date())}</span>
          {range.start !== null && (
            <IconButton look="bare" label="twice the time" onClick={() => onChange(wider(range))}>
              <WidenIcon />
            </IconButton>
          )}
        </>
      )}
    </span>
  );
}

/** Choosing "between" starts from what was shown, so that the list does not change before a bound does. */
function chosen(name: string, before: TimeRange): TimeRange {
  if (name === ANY) return ANY_TIME;
  const preset = RANGES.find((candidate) => candidate.name === name);
  if (preset) return { type: "last", ms: preset.ms };
  const now = Date.now();
  const length = before.type === "last" ? before.ms : HOUR_MS;
  return { type: "between", start: unixNanosOfMillis(now - length), end: unixNanosOfMillis(now) };
}

/** Twice as long; what has no beginning is as long as it can be. */
export function wider(range: TimeRange): TimeRange {
  const now = Date.now();
  const time = timeOf(range, now);
  if (time === null) return range;
  const { from, to } = widened(time, now);
  return { type: "between", start: unixNanosOfMillis(from), end: unixNanosOfMillis(to) };
}

interface InstantFieldProps {
  readonly label: string;
  readonly value: UnixNanos | null;
  readonly onChange: (value: UnixNanos | null) => void;
}

/** An instant in the reader's zone. */
export function InstantField({ label, value, onChange }: InstantFieldProps) {
  return (
    <Field
      type="datetime-local"
      step={1}
      aria-label={label}
      title={value === null ? label : formatInstant(value)}
      value={value === null ? "" : formatInstant(value).slice(0, 19).replace(" ", "T")}
      onChange={(event) => {
        const date = new Date(event.target.value);
        onChange(Number.isNaN(date.getTime()) ? null : unixNanosOfMillis(date.getTime()));
      }}
    />
  );
}
