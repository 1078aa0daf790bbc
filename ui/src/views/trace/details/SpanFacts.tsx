/** What a span is and where its time went, in a list of facts. */
import { type ReactNode, useContext } from "react";
import { Link } from "wouter";
import { at } from "../../../base/arrays.ts";
import { formatCount, formatDuration, formatInstant, formatIsoNanos, plural } from "../../../base/format.ts";
import { duration, instantAt, offset, type UnixNanos } from "../../../base/time.ts";
import { condition, fieldOf, text } from "../../../query/edit.ts";
import { useRank } from "../../../state/charts.ts";
import { searchFor } from "../../../state/search_links.ts";
import { peersOf } from "../../../trace/statistics.ts";
import { Button, CopyButton } from "../../../widgets/controls.tsx";
import { LinkIcon } from "../../../widgets/icons.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./Details.module.css";
import { StoredContext } from "./stored.ts";

interface RecentProps {
  readonly service: string;
  readonly operation: string;
  readonly start: UnixNanos;
  readonly duration: number;
}

/** Fewer say nothing about where a span lies among them. */
const RECENT_MIN = 10;

/** Whether the span is slow for its kind: its place among the same operation within the hour around it. */
function Recent({ service, operation, start, duration: length }: RecentProps) {
  const isKnowable = useContext(StoredContext) && length > 0;
  const { rank, isPending } = useRank(service, operation, start, length, isKnowable);
  if (!isKnowable || (!rank && !isPending)) return null;
  // The line is there before its words are, so that what is below does not move.
  if (!rank || rank.count < RECENT_MIN) {
    return (
      <Fact name="in this hour">
        <span className={styles.soft}>{rank ? "too few of its operation to compare" : "…"}</span>
      </Fact>
    );
  }
  const most = Math.max(...rank.counts, 1);
  return (
    <Fact name="in this hour">
      slower than <b>{percentile(rank.below)}</b> <span className={styles.soft}>of {formatCount(rank.count)} of its operation</span>
      <span className={styles.histogram} aria-hidden="true">
        {rank.counts.map((count, i) => (
          <span key={i} className={i === rank.bucket ? styles.here : undefined} style={{ blockSize: `${(count / most) * 100}%` }} />
        ))}
      </span>
    </Fact>
  );
}

function percentile(share: number): string {
  const percents = share * 100;
  return `${percents > 99 && percents < 100 ? percents.toFixed(1) : Math.round(percents)} %`;
}

interface SpanFactsProps {
  readonly model: TraceModel;
  readonly position: number;
  /** Whether it is not known yet where the time went. */
  readonly isAnalysing: boolean;
  readonly onGoTo: (position: number) => void;
}

export function SpanFacts({ model, position, isAnalysing, onGoTo }: SpanFactsProps) {
  const { trace, tree, insight } = model;
  const span = at(tree.spans, position);
  const parent = at(tree.parent, position);
  const start = instantAt(trace.start, span.start);
  const end = instantAt(trace.start, offset(span.start + span.duration));
  const peers = peersOf(tree, position);
  const alike = searchFor(condition(fieldOf("service"), "=", text(span.resource.service)), condition(fieldOf("operation"), "=", text(span.name)));
  return (
    <dl className={styles.facts}>
      <Fact name="duration">
        <b>{formatDuration(span.duration)}</b> <span className={styles.soft}>{percent(Math.max(0, span.duration), trace.duration)} of the trace</span>
        {span.duration < 0 && <span className={styles.warn}> it ends before it starts</span>}
      </Fact>
      {insight ? <OwnTimes model={model} position={position} /> : isAnalysing && <OwnTimesComing />}
      <Recent service={span.resource.service} operation={span.name} start={start} duration={span.duration} />
      {peers && (
        <Fact name="in this trace">
          slower than {peers.slowerThan} <span className={styles.soft}>of {plural(peers.count, "other")} of its operation</span>
        </Fact>
      )}
      <Fact name="start" title={`${formatIsoNanos(start)} to ${formatIsoNanos(end)}`}>
        +{formatDuration(duration(span.start))} <span className={styles.soft}>{formatInstant(start)}</span>
      </Fact>
      <Fact name="kind">{span.kind}</Fact>
      <Fact name="status">
        {span.status.code}
        {span.status.code !== "error" && span.status.message !== "" && `: ${span.status.message}`}
      </Fact>
      <Fact name="operation">
        <Link href={alike}>traces with this operation</Link>
      </Fact>
      <Fact name="span id">
        <code>{span.id}</code> <CopyButton label="copy the span id" text={() => span.id} />
      </Fact>
      <Fact name="parent">
        {span.parentId === null ? (
          "none: a root"
        ) : parent < 0 ? (
          <>
            <code>{span.parentId}</code> <span className={styles.warn}>not in this trace</span>
          </>
        ) : (
          <Button look="bare" className={styles.jump} onClick={() => onGoTo(parent)}>
            <LinkIcon size={12} /> {at(tree.spans, parent).name}
          </Button>
        )}
      </Fact>
      {span.traceState !== "" && (
        <Fact name="trace state">
          <code>{span.traceState}</code>
        </Fact>
      )}
    </dl>
  );
}

/** The lines are there before their words are: what one is about to click does not move away. */
function OwnTimesComing() {
  return ["self time", "critical path"].map((name) => (
    <Fact key={name} name={name}>
      <span className={styles.soft}>…</span>
    </Fact>
  ));
}

function OwnTimes({ model: { tree, insight }, position }: { readonly model: TraceModel; readonly position: number }) {
  if (!insight) return null;
  const span = at(tree.spans, position);
  const [self, critical, gap, dark, shift] = [insight.self, insight.critical, insight.gap, insight.dark, insight.shift].map((column) => at(column, position));
  const isDetached = at(insight.detached, position) === 1;
  return (
    <>
      <Fact name="self time">
        {words(self)} <span className={styles.soft}>{percent(self, Math.max(0, span.duration))} of the span</span>
      </Fact>
      <Fact name="critical path">
        {isDetached ? (
          "nobody waits for it"
        ) : (critical ?? 0) <= 0 ? (
          at(insight.criticalWithin, position) > 0 ? "only through what is below it" : "not on it"
        ) : (
          <>
            {words(critical)} <span className={styles.soft}>{percent(critical, insight.total)} of the trace</span>
          </>
        )}
      </Fact>
      {(gap ?? 0) > 0 && <Fact name="to the server">{words(gap)} on the way to it and back, queues included</Fact>}
      {(dark ?? 0) > 0 && <Fact name="dark time">{words(dark)} about which nothing is recorded</Fact>}
      {shift !== undefined && shift !== 0 && (
        <Fact name="clock">
          moved by {shift > 0 ? "+" : ""}
          {words(shift)} <span className={styles.soft}>since its clock disagrees with its parent's</span>
        </Fact>
      )}
    </>
  );
}

const words = (ns = 0): string => formatDuration(duration(ns));

function percent(part = 0, whole: number): string {
  const share = whole > 0 ? (part / whole) * 100 : 100;
  return `${share.toFixed(share > 0 && share < 10 ? 1 : 0)} %`;
}

function Fact({ name, title, children }: { readonly name: string; readonly title?: string; readonly children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </>
  );
}
