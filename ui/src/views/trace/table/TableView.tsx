/** Spans in groups: how often, how long, how much of the critical path. */
import { useMemo, useState } from "react";
import { formatCount, formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import { attributeKeys, type Column, type Group, groupSpans, sortedGroups, valueOf } from "../../../trace/statistics.ts";
import { Button, classes, Select } from "../../../widgets/controls.tsx";
import { DownIcon, UpIcon } from "../../../widgets/icons.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./TableView.module.css";

interface TableViewProps {
  readonly model: TraceModel;
  readonly by: string;
  readonly onBy: (by: string) => void;
  readonly onGoTo: (position: number) => void;
}

const COLUMNS: readonly { readonly column: Column; readonly words: string; readonly title: string }[] = [
  { column: "critical", words: "critical", title: "own time on the critical path, and its share of the trace" },
  { column: "self", words: "self", title: "time in which no child ran that was waited for" },
  { column: "count", words: "spans", title: "how many spans" },
  { column: "errors", words: "errors", title: "spans with an error" },
  { column: "total", words: "total", title: "summed durations; spans inside each other count twice" },
  { column: "mean", words: "mean", title: "mean duration" },
  { column: "longest", words: "longest", title: "the longest duration; a row leads to that span" },
];
/** An attribute with a value of its own for each span makes a table nobody reads to its end. */
const ROWS_MAX = 500;

export function TableView({ model, by, onBy, onGoTo }: TableViewProps) {
  const { tree, insight } = model;
  const [order, setOrder] = useState<{ readonly column: Column; readonly ascending: boolean }>({ column: "critical", ascending: false });
  const groups = useMemo(() => groupSpans(tree, insight, by), [tree, insight, by]);
  const keys = useMemo(() => attributeKeys(tree), [tree]);
  const sorted = useMemo(() => sortedGroups(groups, order.column, order.ascending), [groups, order]);
  const sort = (column: Column): void => setOrder((old) => ({ column, ascending: old.column === column && !old.ascending }));
  return (
    <section className={styles.view} aria-label="table of spans">
      <header className={styles.head}>
        <label>
          <span className={styles.soft}>by</span>{" "}
          <Select aria-label="group by" value={by} onChange={(event) => onBy(event.target.value)}>
            <option value="operation">operation</option>
            <option value="service">service</option>
            <optgroup label="attributes">
              {keys.map((key) => (
                <option key={key} value={`@${key}`}>
                  {key}
                </option>
              ))}
              {by.startsWith("@") && !keys.includes(by.slice(1)) && <option value={by}>{by.slice(1)}</option>}
            </optgroup>
          </Select>
        </label>
        <span className={styles.soft} role="status">
          {plural(groups.length, "group")}
          {groups.length > ROWS_MAX && `, the first ${formatCount(ROWS_MAX)} shown`}
        </span>
      </header>
      <div className={styles.scroller} tabIndex={0} role="region" aria-label="groups">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{by.startsWith("@") ? by.slice(1) : by}</th>
              {COLUMNS.map(({ column, words, title }) => (
                <th
                  key={column}
                  scope="col"
                  className={styles.number}
                  aria-sort={order.column === column ? (order.ascending ? "ascending" : "descending") : "none"}
                >
                  <Button look="bare" className={styles.sort} title={title} onClick={() => sort(column)}>
                    {words} {order.column === column && (order.ascending ? <UpIcon size={11} /> : <DownIcon size={11} />)}
                  </Button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, ROWS_MAX).map((group) => (
              <GroupRow key={`${group.key ?? "\u0000"} ${group.name ?? ""}`} model={model} by={by} group={group} onGoTo={onGoTo} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface GroupRowProps {
  readonly model: TraceModel;
  readonly by: string;
  readonly group: Group;
  readonly onGoTo: (position: number) => void;
}

function GroupRow({ model, by, group, onGoTo }: GroupRowProps) {
  const { insight, slotOf } = model;
  const share = insight && insight.total > 0 ? group.critical / insight.total : 0;
  const isService = !by.startsWith("@");
  return (
    <tr>
      <th scope="row">
        <button type="button" className={styles.name} title="to the longest of them" onClick={() => onGoTo(group.position)}>
          {isService && <span className={styles.colour} style={{ background: `var(--service-${slotOf(group.key ?? "")})` }} />}
          {group.key === null ? <i className={styles.soft}>without it</i> : isService ? <b>{group.key}</b> : group.key || <i className={styles.soft}>empty</i>}
          {group.name !== null && ` ${group.name || "(no name)"}`}
        </button>
      </th>
      {COLUMNS.map(({ column }) => (
        <td key={column} className={classes(styles.number, column === "errors" && group.errors > 0 && styles.errors)}>
          {column === "critical" ? (
            <Critical time={group.critical} share={share} known={insight !== null} />
          ) : (
            <Cell column={column} group={group} known={insight !== null} />
          )}
        </td>
      ))}
    </tr>
  );
}

function Cell({ column, group, known }: { readonly column: Column; readonly group: Group; readonly known: boolean }) {
  if (column === "count" || column === "errors") return formatCount(valueOf(group, column));
  if (column === "self" && !known) return "–";
  return formatDuration(duration(valueOf(group, column)));
}

function Critical({ time, share, known }: { readonly time: number; readonly share: number; readonly known: boolean }) {
  if (!known) return "–";
  if (time === 0) return <span className={styles.soft}>0</span>;
  return (
    <span className={styles.critical}>
      <span className={styles.bar}>
        <span style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
      <span>{formatDuration(duration(time))}</span>
      <span className={styles.soft}>{share >= 0.005 ? `${Math.round(share * 100)} %` : "<1 %"}</span>
    </span>
  );
}
