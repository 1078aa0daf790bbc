/** The query as fields and chips, for those who do not write TraceQL: what they do is written into it. */
import { useId, useMemo } from "react";
import { durationForQuery, formatCount } from "../../base/format.ts";
import { type Duration, parseDuration } from "../../base/time.ts";
import type { Hit } from "../../model/hit.ts";
import type { OperationEntry, Order, ServiceEntry } from "../../model/summary.ts";
import { type Condition, readQuery, type ReadQuery, type SimpleQuery, writeQuery } from "../../query/chips.ts";
import { bare, condition, fieldOf, isField, type KnownField, replaced, text, without } from "../../query/edit.ts";
import { useOperations } from "../../state/queries.ts";
import { Button, Segments, Select } from "../../widgets/controls.tsx";
import styles from "./ChipBar.module.css";
import { Chip } from "./Chip.tsx";
import { ConditionMenu } from "./ConditionMenu.tsx";
import { DurationField } from "./DurationField.tsx";
import { TextField } from "./TextField.tsx";

interface ChipBarProps {
  /** The search. */
  readonly query: string;
  /** What the editor shows. */
  readonly draft: string;
  readonly services: readonly ServiceEntry[];
  /** The rows shown; their root names are suggested as operations. */
  readonly hits: readonly Hit[];
  readonly order: Order;
  readonly onQuery: (query: string) => void;
  readonly onOrder: (order: Order) => void;
}

const ORDERS: readonly { readonly value: Order; readonly words: string }[] = [
  { value: "newest", words: "newest" },
  { value: "slowest", words: "slowest" },
];
const ERRORS = [
  { value: "all", words: "all" },
  { value: "only", words: "errors" },
  { value: "none", words: "no errors" },
] as const;
const SPANS = [
  { value: "all", words: "any span" },
  { value: "roots", words: "roots" },
] as const;

export function ChipBar({ query, draft, services, hits, order, onQuery, onOrder }: ChipBarProps) {
  const read = useMemo(() => readSettled(query, draft), [query, draft]);
  return (
    <form className={styles.bar} aria-label="filters" onSubmit={(event) => event.preventDefault()}>
      {read.type === "simple" ? (
        <Fields query={read} services={services} hits={hits} onQuery={(next) => onQuery(writeQuery(next))} />
      ) : (
        <p className={styles.rich}>
          more than chips can show: {read.why}
          <Button look="bare" onClick={() => onQuery("")}>
            start over
          </Button>
        </p>
      )}
      <span className={styles.order}>
        <Segments label="order" value={order} options={ORDERS} onChange={onOrder} />
      </span>
    </form>
  );
}

/** What is being typed, once every part of it is understood; until then the search, so that chips do not come and go at each letter. */
function readSettled(query: string, draft: string): ReadQuery {
  const typed = readQuery(draft);
  const isWhole = typed.type === "simple" && typed.parts.every(({ condition: one }) => one !== null);
  return isWhole || draft.trim() === query ? typed : readQuery(query);
}

interface FieldsProps {
  readonly query: SimpleQuery;
  readonly services: readonly ServiceEntry[];
  readonly hits: readonly Hit[];
  readonly onQuery: (query: SimpleQuery) => void;
}

function Fields({ query, services, hits, onQuery }: FieldsProps) {
  const service = textOf(query, "service");
  const operation = textOf(query, "operation");
  const operations = useOperations(service);
  const suggestions = useMemo(() => operationNames(operations.data ?? [], service === null ? hits : []), [operations.data, service, hits]);
  const listId = useId();
  const isKnown = service === null || services.some(({ name }) => name === service);
  const put = (known: KnownField, ops: readonly Condition["op"][], next: Condition | null): void =>
    onQuery(replaced(query, ({ field, op, values }) => isField(known, field) && ops.includes(op) && values.length === 1, next));
  const equal = (known: KnownField, value: string): void => put(known, ["="], value === "" ? null : condition(fieldOf(known), "=", text(value)));
  const bound = (op: ">=" | "<=", value: Duration | null): void =>
    put("duration", op === ">=" ? LEAST : MOST, value === null ? null : condition(fieldOf("duration"), op, bare(durationForQuery(value))));
  return (
    <>
      <Select className={styles.service} aria-label="service" value={service ?? ""} onChange={(event) => equal("service", event.target.value)}>
        <option value="">any service</option>
        {!isKnown && <option value={service ?? ""}>{service}</option>}
        {services.map(({ name, spans }) => (
          <option key={name} value={name}>
            {name} ({formatCount(spans)})
          </option>
        ))}
      </Select>
      <TextField className={styles.operation} label="operation" value={operation ?? ""} suggestionsId={listId} onCommit={(value) => equal("operation", value)} />
      <datalist id={listId}>
        {suggestions.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <span className={styles.durations}>
        <DurationField label="shortest" placeholder="min 200ms" value={boundOf(query, LEAST)} onCommit={(value) => bound(">=", value)} />
        <span aria-hidden="true">–</span>
        <DurationField label="longest" placeholder="max 1.5s" value={boundOf(query, MOST)} onCommit={(value) => bound("<=", value)} />
      </span>
      <Segments
        label="status"
        value={errorsOf(query)}
        options={ERRORS}
        onChange={(value) => put("status", ["=", "!="], value === "all" ? null : condition(fieldOf("status"), value === "only" ? "=" : "!=", bare("error")))}
      />
      <Segments
        label="spans"
        value={hasRoots(query) ? "roots" : "all"}
        options={SPANS}
        onChange={(value) => put("root", ["<"], value === "all" ? null : ROOT)}
      />
      {query.parts.map((part, i) =>
        isInField(query, i) ? null : (
          <Chip
            // A condition may come twice; both are shown.
            key={`${part.source} ${i}`}
            part={part}
            onRemove={() => onQuery(without(query, i))}
            onReplace={(next) => onQuery(replaced(query, (old) => old === part.condition, next))}
          />
        ),
      )}
      {query.tail !== "" && <Chip part={{ source: query.tail, condition: null }} onRemove={() => onQuery({ ...query, tail: "" })} />}
      <ConditionMenu label="+ attribute" initial={null} onDone={(next) => onQuery(replaced(query, () => false, next))} />
    </>
  );
}

const LEAST: readonly Condition["op"][] = [">", ">="];
const MOST: readonly Condition["op"][] = ["<", "<="];
const ROOT = condition(fieldOf("root"), "<", bare("0"));

/** The condition that a field shows: the first of its kind with one value. */
function shown(query: SimpleQuery, known: KnownField, ops: readonly Condition["op"][]): Condition | null {
  return query.parts.find(({ condition: one }) => one && isField(known, one.field) && ops.includes(one.op) && one.values.length === 1)?.condition ?? null;
}

function textOf(query: SimpleQuery, known: KnownField): string | null {
  const value = shown(query, known, ["="])?.values[0];
  return value?.type === "string" ? value.text : null;
}

function boundOf(query: SimpleQuery, ops: readonly Condition["op"][]): Duration | null {
  return parseDuration(shown(query, "duration", ops)?.values[0]?.text ?? "");
}

function errorsOf(query: SimpleQuery): (typeof ERRORS)[number]["value"] {
  const status = shown(query, "status", ["=", "!="]);
  return status?.values[0]?.text !== "error" ? "all" : status.op === "=" ? "only" : "none";
}

const hasRoots = (query: SimpleQuery): boolean => shown(query, "root", ["<"])?.values[0]?.text === "0";

/** Whether one of the fields shows part `i` in full, so that it needs no chip. */
function isInField(query: SimpleQuery, i: number): boolean {
  const one = query.parts[i]?.condition;
  if (!one) return false;
  const isShown = (known: KnownField, ops: readonly Condition["op"][]): boolean => shown(query, known, ops) === one;
  return (
    (textOf(query, "service") !== null && isShown("service", ["="])) ||
    (textOf(query, "operation") !== null && isShown("operation", ["="])) ||
    // `>` and `>=` are told apart by a chip.
    (boundOf(query, LEAST) !== null && isShown("duration", LEAST) && one.op === ">=") ||
    (boundOf(query, MOST) !== null && isShown("duration", MOST) && one.op === "<=") ||
    (errorsOf(query) !== "all" && isShown("status", ["=", "!="])) ||
    (hasRoots(query) && isShown("root", ["<"]))
  );
}

/** More suggestions than this do not help choosing. */
const SUGGESTIONS_MAX = 200;

function operationNames(operations: readonly OperationEntry[], hits: readonly Hit[]): readonly string[] {
  const seen = hits.flatMap((hit) => (hit.root ? [hit.root.name] : []));
  return [...new Set([...operations.map(({ name }) => name), ...seen])].slice(0, SUGGESTIONS_MAX);
}
