import { expect, test } from "vitest";
import type { Span } from "../model/span.ts";
import { layoutGraph, NODE_HEIGHT, serviceGraph, type ServiceGraph } from "./service_graph.ts";
import { resource, span } from "./testing.ts";
import { buildTree } from "./tree.ts";

const of = (service: string, more: Partial<Span> = {}): Partial<Span> => ({ resource: resource(service), ...more });
const attribute = (key: string, value: string) => ({ key, value: { type: "string" as const, value } });
const drawn = ({ nodes, calls }: ServiceGraph): readonly string[] =>
  calls.map(({ from, to, count, errors, isAsync }) => `${nodes[from]?.name} ${isAsync ? "~>" : "->"} ${nodes[to]?.name}${nodes[to]?.isPeer ? " (peer)" : ""} ${count}${errors ? ` !${errors}` : ""}`);

const SHOP = [
  span("a", null, 0, 100, of("web", { kind: "server" })),
  span("b", "a", 10, 60, of("web", { kind: "client" })),
  span("c", "b", 12, 58, of("cart", { kind: "server", status: { code: "error", message: "" } })),
  span("d", "c", 20, 30, of("cart", { kind: "client", attributes: [attribute("db.system", "redis")] })),
  span("e", "a", 61, 70, of("web", { kind: "producer", attributes: [attribute("messaging.system", "kafka")] })),
  span("f", "e", 90, 99, of("mail", { kind: "consumer" })),
  span("ab", "a", 71, 80, of("web", { kind: "client", attributes: [attribute("server.address", "cards.example.com")] })),
];

test("a service is a node, calls between services are counted, what sent no spans is a peer", () => {
  const graph = serviceGraph(buildTree(SHOP), null);
  expect([...drawn(graph)].sort()).toEqual(["cart -> redis (peer) 1", "web -> cards.example.com (peer) 1", "web -> cart 1 !1", "web ~> mail 1"]);
  expect(graph.nodes.find(({ name }) => name === "web")).toMatchObject({ spans: 4, errors: 0, isPeer: false });
  expect(graph.nodes.find(({ name }) => name === "cart")).toMatchObject({ spans: 2, errors: 1 });
});

const graphOf = (count: number, ...calls: readonly (readonly [number, number])[]): ServiceGraph => ({
  nodes: Array.from({ length: count }, (_, i) => ({ name: `${i}`, isPeer: false, spans: 1, errors: 0, critical: 0, position: 0 })),
  calls: calls.map(([from, to]) => ({ from, to, count: 1, errors: 0, total: 1, isAsync: false })),
});
const columns = (graph: ServiceGraph): readonly number[] => {
  const { nodes } = layoutGraph(graph);
  const xs = [...new Set(nodes.map(({ x }) => x))].sort((a, b) => a - b);
  return nodes.map(({ x }) => xs.indexOf(x));
};

test("layers are longest paths, and a circle does not push them apart for ever", () => {
  expect(columns(graphOf(4, [0, 1], [1, 2], [0, 2], [2, 3]))).toEqual([0, 1, 2, 3]);
  expect(columns(graphOf(3, [0, 1], [1, 2], [2, 0]))).toEqual([0, 1, 2]);
  expect(columns(graphOf(2, [0, 0], [0, 1]))).toEqual([0, 1]);
  expect(columns(graphOf(1))).toEqual([0]);
  expect(layoutGraph(graphOf(0)).nodes).toEqual([]);
});

test("nodes do not overlap and lie within the drawing", () => {
  const calls = Array.from({ length: 40 }, (_, i) => [i % 7, (i * 11) % 20] as const);
  const { nodes, width, height } = layoutGraph(graphOf(20, ...calls));
  nodes.forEach((a, i) => {
    expect(a.x >= 0 && a.y >= 0 && a.x < width && a.y + NODE_HEIGHT < height).toBe(true);
    for (const b of nodes.slice(i + 1)) expect(a.x !== b.x || Math.abs(a.y - b.y) >= NODE_HEIGHT).toBe(true);
  });
});

test("neighbours are set so that calls do not cross where they need not", () => {
  // 0 calls 3, 1 calls 2: as met, the two calls would cross.
  const { nodes } = layoutGraph(graphOf(4, [0, 3], [1, 2]));
  const y = (i: number): number => nodes[i]?.y ?? Number.NaN;
  expect(Math.sign(y(0) - y(1))).toBe(Math.sign(y(3) - y(2)));
});
