/**
 * The services of a trace and who called whom, from left to right.
 *
 *     layer 0      1            2
 *     frontend ──► checkout ──► payment ──► cards.example.com (peer)
 *                     └───────► cart
 *
 * A service is one node however often it is called. What a client span called and what sent no spans itself (a database, a
 * queue, a host elsewhere) is a peer. Layers are longest paths from the first services; a call that closes a circle does
 * not count for them. O(spans + calls), and few rounds over the calls for the order within layers.
 */
import { at } from "../base/arrays.ts";
import { stringAttribute } from "../model/attribute.ts";
import { isError, type Span } from "../model/span.ts";
import type { Insight } from "./insight.ts";
import type { TraceTree } from "./tree.ts";

export interface ServiceNode {
  readonly name: string;
  readonly isPeer: boolean;
  readonly spans: number;
  readonly errors: number;
  /** Time on the critical path in nanoseconds; 0 while that is not known. */
  readonly critical: number;
  /** Of its longest span (of the longest call to it, for a peer). */
  readonly position: number;
}

export interface ServiceCall {
  /** Indices of nodes. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly errors: number;
  /** Sum of the durations of what was called, in nanoseconds. */
  readonly total: number;
  /** Whether messages are sent, for which nobody waits. */
  readonly isAsync: boolean;
}

export interface ServiceGraph {
  readonly nodes: readonly ServiceNode[];
  readonly calls: readonly ServiceCall[];
}

type Building<T> = { -readonly [K in keyof T]: T[K] };

export function serviceGraph(tree: TraceTree, insight: Insight | null): ServiceGraph {
  const nodes: Building<ServiceNode>[] = [];
  const calls = new Map<string, Building<ServiceCall>>();
  const indexOf = new Map<string, number>();
  const node = (name: string, isPeer: boolean): number => {
    const key = `${isPeer}${name}`;
    let index = indexOf.get(key);
    if (index === undefined) {
      indexOf.set(key, (index = nodes.length));
      nodes.push({ name, isPeer, spans: 0, errors: 0, critical: 0, position: -1 });
    }
    return index;
  };
  const count = (index: number, span: Span, position: number): void => {
    const one = at(nodes, index);
    one.spans += 1;
    if (isError(span)) one.errors += 1;
    if (one.position < 0 || span.duration > at(tree.spans, one.position).duration) one.position = position;
  };
  const call = (from: number, to: number, span: Span): void => {
    const key = `${from} ${to}`;
    let found = calls.get(key);
    if (!found) calls.set(key, (found = { from, to, count: 0, errors: 0, total: 0, isAsync: true }));
    found.count += 1;
    if (isError(span)) found.errors += 1;
    found.total += Math.max(0, span.duration);
    found.isAsync &&= span.kind === "consumer" || span.kind === "producer";
  };
  const isAnswered = answeredElsewhere(tree);
  tree.spans.forEach((span, position) => {
    const own = node(span.resource.service, false);
    count(own, span, position);
    at(nodes, own).critical += insight ? at(insight.critical, position) : 0;
    const parent = at(tree.parent, position);
    const caller = parent < 0 ? null : at(tree.spans, parent).resource.service;
    if (caller !== null && caller !== span.resource.service) call(node(caller, false), own, span);
    const peer = isAnswered[position] ? null : peerOf(span);
    if (peer === null) return;
    const peerNode = node(peer, true);
    count(peerNode, span, position);
    call(own, peerNode, span);
  });
  return { nodes, calls: [...calls.values()] };
}

/** 1 where a span has a child in another service: then who was called is known. */
function answeredElsewhere(tree: TraceTree): Uint8Array {
  const answered = new Uint8Array(tree.spans.length);
  tree.spans.forEach((span, position) => {
    const parent = at(tree.parent, position);
    if (parent >= 0 && at(tree.spans, parent).resource.service !== span.resource.service) answered[parent] = 1;
  });
  return answered;
}

/** Who a client or producer span says it called. */
function peerOf(span: Span): string | null {
  if (span.kind !== "client" && span.kind !== "producer") return null;
  const said = (key: string): string | undefined => stringAttribute(span.attributes, key) || undefined;
  const system = said("db.system.name") ?? said("db.system") ?? said("messaging.system");
  const place = said("db.namespace") ?? said("db.name") ?? said("messaging.destination.name");
  if (system !== undefined) return place === undefined ? system : `${system} ${place}`;
  return said("peer.service") ?? said("server.address") ?? said("net.peer.name") ?? null;
}

/** Sizes in CSS pixels. */
export const NODE_WIDTH = 176;
export const NODE_HEIGHT = 48;
const LAYER_GAP = 96;
const NODE_GAP = 22;
const MARGIN = 16;
/** Rounds of ordering; more hardly change anything. */
const ROUNDS = 6;

export interface PlacedNode {
  readonly x: number;
  readonly y: number;
}

export interface GraphLayout {
  readonly nodes: readonly PlacedNode[];
  /** Cubic curves: start, two handles, end; by call. */
  readonly curves: readonly (readonly [x1: number, y1: number, x2: number, y2: number, x3: number, y3: number, x4: number, y4: number])[];
  readonly width: number;
  readonly height: number;
}

export function layoutGraph({ nodes, calls }: ServiceGraph): GraphLayout {
  const layerOf = layers(nodes.length, calls);
  const ranks: number[][] = [];
  layerOf.forEach((layer, i) => (ranks[layer] ??= []).push(i));
  order(ranks, calls, layerOf);
  const tallest = ranks.reduce((most, rank) => Math.max(most, rank.length), 0);
  const height = tallest * (NODE_HEIGHT + NODE_GAP) - NODE_GAP;
  const placed: PlacedNode[] = [];
  ranks.forEach((rank, layer) => {
    const own = rank.length * (NODE_HEIGHT + NODE_GAP) - NODE_GAP;
    rank.forEach((index, row) => {
      placed[index] = { x: MARGIN + layer * (NODE_WIDTH + LAYER_GAP), y: MARGIN + (height - own) / 2 + row * (NODE_HEIGHT + NODE_GAP) };
    });
  });
  return {
    nodes: placed,
    curves: calls.map(({ from, to }) => curveBetween(at(placed, from), at(placed, to))),
    width: ranks.length * (NODE_WIDTH + LAYER_GAP) - LAYER_GAP + 2 * MARGIN,
    height: Math.max(0, height) + 2 * MARGIN + LOOP_PX,
  };
}

/** Room below the nodes for calls that go back. */
const LOOP_PX = 24;

function curveBetween(a: PlacedNode, b: PlacedNode): GraphLayout["curves"][number] {
  if (b.x > a.x) {
    const [x1, y1, x4, y4] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2, b.x, b.y + NODE_HEIGHT / 2];
    const reach = Math.min((x4 - x1) / 2, LAYER_GAP);
    return [x1, y1, x1 + reach, y1, x4 - reach, y4, x4, y4];
  }
  // Back to the left, or to itself: below both.
  const [x1, x4] = [a.x + NODE_WIDTH * 0.6, b.x + NODE_WIDTH * 0.4];
  const [y1, y4] = [a.y + NODE_HEIGHT, b.y + NODE_HEIGHT];
  const low = Math.max(y1, y4) + LOOP_PX;
  return [x1, y1, x1, low, x4, low, x4, y4];
}

/** The longest path to each node over calls that close no circle. */
function layers(count: number, calls: readonly ServiceCall[]): Int32Array {
  const outgoing: number[][] = Array.from({ length: count }, () => []);
  const incoming = new Int32Array(count);
  for (const { from, to } of calls) {
    if (from === to) continue;
    at(outgoing, from).push(to);
    incoming[to] = at(incoming, to) + 1;
  }
  // Depth first with an explicit stack; what is left in reverse order of leaving has every call pointing forward, but those that close a circle.
  const state = new Uint8Array(count);
  const left: number[] = [];
  const starts = [...Array(count).keys()].sort((a, b) => Number(at(incoming, a) > 0) - Number(at(incoming, b) > 0));
  for (const start of starts) {
    if (state[start] !== 0) continue;
    const stack: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const to = outgoing[top.node]?.[top.next++];
      if (to === undefined) {
        left.push(top.node);
        stack.pop();
      } else if (state[to] === 0) {
        state[to] = 1;
        stack.push({ node: to, next: 0 });
      }
    }
  }
  const rank = new Int32Array(count);
  left.reverse().forEach((node, i) => (rank[node] = i));
  const layer = new Int32Array(count);
  for (const node of left) {
    for (const to of at(outgoing, node)) if (at(rank, to) > at(rank, node)) layer[to] = Math.max(at(layer, to), at(layer, node) + 1);
  }
  return layer;
}

/** Nodes of a layer by where their neighbours stand, to and fro. */
function order(ranks: number[][], calls: readonly ServiceCall[], layerOf: Int32Array): void {
  const place = new Float64Array(layerOf.length);
  const note = (rank: readonly number[]): void => rank.forEach((node, row) => (place[node] = (row + 0.5) / rank.length));
  ranks.forEach(note);
  for (let round = 0; round < ROUNDS; round++) {
    const forward = round % 2 === 0;
    const weights = new Map<number, { sum: number; count: number }>();
    for (const { from, to } of calls) {
      const [node, neighbour] = forward ? [to, from] : [from, to];
      if (forward ? at(layerOf, neighbour) >= at(layerOf, node) : at(layerOf, neighbour) <= at(layerOf, node)) continue;
      const weight = weights.get(node) ?? { sum: 0, count: 0 };
      weights.set(node, { sum: weight.sum + at(place, neighbour), count: weight.count + 1 });
    }
    const wish = (node: number): number => {
      const weight = weights.get(node);
      return weight ? weight.sum / weight.count : at(place, node);
    };
    for (const rank of ranks) {
      const wishes = new Map(rank.map((node) => [node, wish(node)]));
      rank.sort((a, b) => (wishes.get(a) ?? 0) - (wishes.get(b) ?? 0));
      note(rank);
    }
  }
}
