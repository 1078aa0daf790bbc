/** The service graph of one trace: who called whom, how often, how long, and where the critical path went. */
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { at } from "../../../base/arrays.ts";
import { formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import { type GraphLayout, layoutGraph, NODE_HEIGHT, NODE_WIDTH, type ServiceCall, serviceGraph, type ServiceNode } from "../../../trace/service_graph.ts";
import { classes } from "../../../widgets/controls.tsx";
import { ErrorIcon } from "../../../widgets/icons.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./GraphView.module.css";

interface GraphViewProps {
  readonly model: TraceModel;
  readonly onGoTo: (position: number) => void;
}

export function GraphView({ model, onGoTo }: GraphViewProps) {
  const { tree, insight, slotOf } = model;
  const graph = useMemo(() => serviceGraph(tree, insight), [tree, insight]);
  const layout = useMemo(() => layoutGraph(graph), [graph]);
  const scroller = useRef<HTMLDivElement>(null);
  // Where there is no room for all of it, it begins with who was called first.
  useLayoutEffect(() => {
    const [element, first] = [scroller.current, layout.nodes[0]];
    if (element && first) element.scrollTop = first.y + (NODE_HEIGHT - element.clientHeight) / 2;
  }, [layout]);
  const [pointed, setPointed] = useState<number | null>(null);
  const total = insight?.total ?? 0;
  const isPale = (...nodes: readonly number[]): boolean => pointed !== null && !nodes.includes(pointed);
  const touches = (index: number): boolean => index === pointed || graph.calls.some(({ from, to }) => (from === pointed && to === index) || (to === pointed && from === index));
  return (
    <section className={styles.view} aria-label="service graph">
      <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label="services and calls">
        <div className={styles.graph} style={{ width: layout.width, height: layout.height }}>
          <svg width={layout.width} height={layout.height} aria-hidden="true">
            <defs>
              <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="9" orient="auto-start-reverse">
                <path d="M0 0L8 4L0 8z" />
              </marker>
            </defs>
            {graph.calls.map((call, i) => (
              <Curve key={i} call={call} curve={at(layout.curves, i)} isPale={isPale(call.from, call.to)} />
            ))}
          </svg>
          {graph.calls.map((call, i) => (
            <CallWords key={i} call={call} curve={at(layout.curves, i)} isPale={isPale(call.from, call.to)} />
          ))}
          {graph.nodes.map((node, i) => (
            <button
              key={`${node.isPeer} ${node.name}`}
              type="button"
              className={classes(styles.node, node.isPeer && styles.peer, pointed !== null && !touches(i) && styles.pale)}
              style={{ left: at(layout.nodes, i).x, top: at(layout.nodes, i).y, width: NODE_WIDTH, height: NODE_HEIGHT, "--service": `var(--service-${slotOf(node.name)})` }}
              title={`${nodeWords(node, total)}\nto its longest span`}
              onPointerEnter={() => setPointed(i)}
              onPointerLeave={() => setPointed(null)}
              onFocus={() => setPointed(i)}
              onBlur={() => setPointed(null)}
              onClick={() => onGoTo(node.position)}
            >
              <NodeContent node={node} total={total} />
            </button>
          ))}
        </div>
      </div>
      <div className="aside">
        <CallTable nodes={graph.nodes} calls={graph.calls} />
      </div>
    </section>
  );
}

function nodeWords({ name, isPeer, spans, errors, critical }: ServiceNode, total: number): string {
  const parts = [isPeer ? plural(spans, "call") : plural(spans, "span")];
  if (errors > 0) parts.push(plural(errors, "error"));
  if (total > 0 && critical > 0) parts.push(`${formatDuration(duration(critical))} on the critical path`);
  return `${name}: ${parts.join(", ")}${isPeer ? "; sends no spans itself" : ""}`;
}

function NodeContent({ node, total }: { readonly node: ServiceNode; readonly total: number }) {
  const share = total > 0 ? node.critical / total : 0;
  return (
    <>
      <span className={styles.name}>{node.name}</span>
      <span className={styles.facts}>
        {node.isPeer ? plural(node.spans, "call") : plural(node.spans, "span")}
        {node.errors > 0 && (
          <span className={styles.errors}>
            <ErrorIcon size={11} /> {node.errors}
            <span className="aside"> with errors</span>
          </span>
        )}
        {share >= 0.005 && <span className={styles.share}>{Math.round(share * 100)} %</span>}
      </span>
      {share > 0 && <span className={styles.path} style={{ inlineSize: `${share * 100}%` }} />}
    </>
  );
}

interface CurveProps {
  readonly call: ServiceCall;
  readonly curve: GraphLayout["curves"][number];
  readonly isPale: boolean;
}

/** One call is a hair, a thousand are a rope. */
const widthOf = (count: number): number => 1 + Math.min(4, Math.log10(count) * 1.4);

function Curve({ call, curve: [x1, y1, x2, y2, x3, y3, x4, y4], isPale }: CurveProps) {
  return (
    <path
      d={`M${x1} ${y1}C${x2} ${y2} ${x3} ${y3} ${x4} ${y4}`}
      className={classes(styles.curve, call.errors > 0 && styles.failed, isPale && styles.pale)}
      strokeWidth={widthOf(call.count)}
      strokeDasharray={call.isAsync ? "5 4" : undefined}
      markerEnd="url(#arrow)"
    />
  );
}

/** At the middle of the curve. */
function CallWords({ call, curve: [x1, y1, x2, y2, x3, y3, x4, y4], isPale }: CurveProps) {
  const middle = (a: number, b: number, c: number, d: number): number => (a + 3 * b + 3 * c + d) / 8;
  return (
    <span aria-hidden="true" className={classes(styles.words, isPale && styles.pale)} style={{ left: middle(x1, x2, x3, x4), top: middle(y1, y2, y3, y4) }}>
      {call.count > 1 && `${call.count} × `}
      {formatDuration(duration(call.total / call.count))}
    </span>
  );
}

/** What the curves say. */
function CallTable({ nodes, calls }: { readonly nodes: readonly ServiceNode[]; readonly calls: readonly ServiceCall[] }) {
  return (
    <table>
      <caption>calls between services</caption>
      <thead>
        <tr>
          <th scope="col">from</th>
          <th scope="col">to</th>
          <th scope="col">calls</th>
          <th scope="col">errors</th>
          <th scope="col">mean duration</th>
        </tr>
      </thead>
      <tbody>
        {calls.map((call) => (
          <tr key={`${call.from} ${call.to}`}>
            <td>{at(nodes, call.from).name}</td>
            <td>{at(nodes, call.to).name}</td>
            <td>{call.count}</td>
            <td>{call.errors}</td>
            <td>{formatDuration(duration(call.total / call.count))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
