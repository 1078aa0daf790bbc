import { expect, test } from "vitest";
import { traceId } from "../base/ids.ts";
import { decodeSkeleton } from "./skeleton.ts";

const ID = traceId("abc");
if (ID === null) throw new Error("abc is hexadecimal");

const WIRE = {
  startTimeUnixNano: "1795253399000000001",
  names: ["GET /", "get"],
  services: ["shop", "redis"],
  ids: "000000000000000100000000000000020000000000000003",
  parent: [-1, 0, -1],
  orphan: [2],
  orphanParents: "0909090909090909",
  name: [0, 1, 1],
  service: [0, 1, 1],
  kinds: "231",
  statuses: "020",
  startNs: [0, 10, 20],
  durationNs: [100, 50, 200],
  missing: ["a block is damaged"],
};

test("columns become spans that say what is drawn", () => {
  const trace = decodeSkeleton(ID, WIRE);
  expect(trace.spans.map((s) => [s.id.at(-1), s.parentId?.slice(-4), s.resource.service, s.name, s.kind, s.status.code, s.start, s.duration])).toEqual([
    ["1", undefined, "shop", "GET /", "server", "unset", 0, 100],
    ["2", "0001", "redis", "get", "client", "error", 10, 50],
    ["3", "0909", "redis", "get", "internal", "unset", 20, 200],
  ]);
  expect([trace.start, trace.duration, trace.isSkeleton, trace.missing]).toEqual([1_795_253_399_000_000_001n, 220, true, ["a block is damaged"]]);
});

test("columns that are too short or of a wrong type do not take the spans away", () => {
  const trace = decodeSkeleton(ID, { ids: WIRE.ids, names: 7, parent: [-1] });
  expect(trace.spans.map((s) => [s.name, s.resource.service, s.parentId, s.start])).toEqual(Array(3).fill(["", "unknown_service", null, 0]));
  expect(decodeSkeleton(ID, null).spans).toEqual([]);
});
