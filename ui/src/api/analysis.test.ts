import { expect, test } from "vitest";
import { decodeAnalysis, decodeComparison } from "./analysis.ts";

/** As `crates/analysis/tests/it/json.rs` has it. */
const WIRE = {
  startTimeUnixNano: "1795000000000000000",
  startNs: 0,
  endNs: 100_000_000,
  mainRoot: 0,
  summary: {
    text: "80 % in web → call; 20 % in web, root",
    parts: [{ kind: "wait", place: "web → call", criticalNs: 80_000_000, share: 0.8, spanCount: 1, span: 1 }],
  },
  findings: {
    list: [
      { pattern: "swallowedError", spans: [1], spanCount: 1, atStakeNs: 80_000_000, share: 0.8, headline: "h", sentence: "s", advice: "a" },
    ],
    leftOut: 2,
  },
  criticalPath: [{ root: 0, sections: [{ span: 0, startNs: 0, endNs: 10 }, { span: 1, startNs: 10, endNs: 90 }] }],
  dark: [{ span: 0, startNs: 0, endNs: 10 }],
  spans: {
    id: ["0000000000000001", "0000000000000002"],
    shiftNs: [0, -5],
    selfNs: [20, 80],
    criticalNs: [20, 80],
    gapNs: [0, 3],
    darkNs: [20, 0],
    isDetached: [false, true],
  },
};

test("an analysis is read", () => {
  const analysis = decodeAnalysis(WIRE);
  expect(analysis.start).toBe(1_795_000_000_000_000_000n);
  expect(analysis.mainRoot).toBe(0);
  expect(analysis.text).toBe("80 % in web → call; 20 % in web, root");
  expect(analysis.parts[0]).toMatchObject({ kind: "wait", share: 0.8, span: 1 });
  expect(analysis.findings[0]).toMatchObject({ pattern: "swallowedError", spans: [1], atStake: 80_000_000, advice: "a" });
  expect(analysis.findingsLeftOut).toBe(2);
  expect(analysis.path).toEqual([{ span: 0, start: 0, end: 10 }, { span: 1, start: 10, end: 90 }]);
  expect(analysis.dark).toEqual([{ span: 0, start: 0, end: 10 }]);
  expect(analysis.columns.id).toEqual(["0000000000000001", "0000000000000002"]);
  expect([...analysis.columns.shift]).toEqual([0, -5]);
  expect([...analysis.columns.detached]).toEqual([0, 1]);
});

test("an answer that lacks everything is an empty analysis, and short columns are filled up", () => {
  expect(decodeAnalysis({})).toMatchObject({ mainRoot: null, text: "", parts: [], findings: [], path: [] });
  const { columns } = decodeAnalysis({ spans: { id: ["1", "2"], selfNs: [7] } });
  expect([...columns.self]).toEqual([7, 0]);
  expect([...columns.detached]).toEqual([0, 0]);
});

test("a comparison is read", () => {
  const side = { count: 1, errorCount: 1, totalNs: 80, selfNs: 70, criticalNs: 60, first: 1 };
  const node = { service: "web", name: "call", parent: 0, descendants: 0, left: {}, right: side, change: "extra", totalChangeNs: 80, criticalChangeNs: 60 };
  const comparison = decodeComparison({ text: "t", leftNs: 1, rightNs: 2, nodes: [{ ...node, parent: null }, node], missing: ["a block"] });
  expect(comparison.nodes.map((n) => n.parent)).toEqual([-1, 0]);
  expect(comparison.nodes[1]).toMatchObject({
    change: "extra",
    left: { count: 0, total: 0 },
    right: { count: 1, errors: 1, total: 80, self: 70, critical: 60 },
    totalChange: 80,
  });
  expect(comparison.missing).toEqual(["a block"]);
});
