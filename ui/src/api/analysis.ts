/** The answers about a trace beside its spans: analysis and comparison, from JSON to models. */
import { type SpanId, spanIds } from "../base/ids.ts";
import { duration, offset, unixNanos } from "../base/time.ts";
import type { Analysis, Finding, Part, PartKind, Section, SpanColumns } from "../model/analysis.ts";
import type { Change, Comparison, ComparisonNode, Side } from "../model/comparison.ts";
import { array, bigint, number, object, text, texts } from "./json.ts";

const KINDS: readonly PartKind[] = ["work", "wait", "network", "unexplained"];
const CHANGES: readonly Change[] = ["same", "missing", "extra", "slower", "faster"];
/** Stands for an id that cannot be read; no span has it. */
const NO_ID = "" as SpanId;

export function decodeAnalysis(wire: unknown): Analysis {
  const body = object(wire);
  const summary = object(body["summary"]);
  const findings = object(body["findings"]);
  const mainRoot = body["mainRoot"];
  return {
    start: unixNanos(bigint(body["startTimeUnixNano"])),
    earliest: offset(number(body["startNs"])),
    latest: offset(number(body["endNs"])),
    mainRoot: typeof mainRoot === "number" ? mainRoot : null,
    text: text(summary["text"]),
    parts: array(summary["parts"]).map(decodePart),
    findings: array(findings["list"]).map(decodeFinding),
    findingsLeftOut: number(findings["leftOut"]),
    path: array(body["criticalPath"]).flatMap((path) => array(object(path)["sections"]).map(decodeSection)),
    dark: array(body["dark"]).map(decodeSection),
    columns: decodeColumns(body["spans"]),
  };
}

function decodePart(wire: unknown): Part {
  const body = object(wire);
  return {
    kind: KINDS.find((kind) => kind === body["kind"]) ?? "work",
    place: text(body["place"]),
    critical: duration(number(body["criticalNs"])),
    share: number(body["share"]),
    spanCount: number(body["spanCount"]),
    span: number(body["span"]),
  };
}

function decodeFinding(wire: unknown): Finding {
  const body = object(wire);
  return {
    pattern: text(body["pattern"]),
    spans: array(body["spans"]).map(number),
    spanCount: number(body["spanCount"]),
    atStake: duration(number(body["atStakeNs"])),
    share: number(body["share"]),
    headline: text(body["headline"]),
    sentence: text(body["sentence"]),
    advice: text(body["advice"]),
  };
}

function decodeSection(wire: unknown): Section {
  const body = object(wire);
  return { span: number(body["span"]), start: offset(number(body["startNs"])), end: offset(number(body["endNs"])) };
}

/** Columns that are shorter than the ids are filled up with zeros, so that all are equally long. */
function decodeColumns(wire: unknown): SpanColumns {
  const body = object(wire);
  const id = spanIds(array(body["id"]).map(text)).map((one) => one ?? NO_ID);
  const detached = array(body["isDetached"]);
  const column = (name: string): Float64Array => {
    const values = array(body[name]);
    const column = new Float64Array(id.length);
    for (let i = 0; i < column.length; i++) column[i] = number(values[i]);
    return column;
  };
  return {
    id,
    shift: column("shiftNs"),
    self: column("selfNs"),
    critical: column("criticalNs"),
    gap: column("gapNs"),
    dark: column("darkNs"),
    detached: Uint8Array.from(id, (_, i) => (detached[i] === true ? 1 : 0)),
  };
}

export function decodeComparison(wire: unknown): Comparison {
  const body = object(wire);
  return {
    text: text(body["text"]),
    left: duration(number(body["leftNs"])),
    right: duration(number(body["rightNs"])),
    nodes: array(body["nodes"]).map(decodeNode),
    missing: texts(body["missing"]),
  };
}

function decodeNode(wire: unknown): ComparisonNode {
  const body = object(wire);
  const parent = body["parent"];
  return {
    service: text(body["service"]),
    name: text(body["name"]),
    parent: typeof parent === "number" ? parent : -1,
    descendants: number(body["descendants"]),
    left: decodeSide(body["left"]),
    right: decodeSide(body["right"]),
    change: CHANGES.find((change) => change === body["change"]) ?? "same",
    totalChange: duration(number(body["totalChangeNs"])),
    criticalChange: duration(number(body["criticalChangeNs"])),
  };
}

function decodeSide(wire: unknown): Side {
  const body = object(wire);
  return {
    count: number(body["count"]),
    errors: number(body["errorCount"]),
    total: duration(number(body["totalNs"])),
    self: duration(number(body["selfNs"])),
    critical: duration(number(body["criticalNs"])),
  };
}
