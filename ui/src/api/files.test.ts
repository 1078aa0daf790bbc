import { expect, test } from "vitest";
import { traceId } from "../base/ids.ts";
import { FileError, openFile } from "./files.ts";
import { decodePart, decodeTrace, nothingShared } from "./otlp.ts";
import { partsOf } from "./parts.ts";
import { documentOf } from "./source.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const resource = { attributes: [{ key: "service.name", value: { stringValue: "cart" } }] };
const otlp = (id: string, ...spans: readonly string[]) => ({
  resourceSpans: [{ resource, scopeSpans: [{ spans: spans.map((spanId) => ({ traceId: id, spanId, name: spanId, startTimeUnixNano: "1763715005000000000", endTimeUnixNano: "1763715005000000009" })) }] }],
});
const read = (content: string) => {
  const file = openFile("a.json", content);
  return file.traces.map(({ id, spans }) => `${id.slice(-4)}: ${spans}, ${file.read(id)?.spans.map((span) => `${span.resource.service} ${span.name}`).join(", ")}`);
};

test("one document, lines, and Tempo's envelopes", () => {
  const document = otlp(ID, "00000000000000a1", "00000000000000a2");
  const expected = ["319c: 2, cart 00000000000000a1, cart 00000000000000a2"];
  expect(read(JSON.stringify(document))).toEqual(expected);
  expect(read(JSON.stringify({ trace: document }))).toEqual(expected);
  expect(read(JSON.stringify({ batches: document.resourceSpans }))).toEqual(expected);
  expect(read(`${JSON.stringify(otlp(ID, "00000000000000a1"))}\n\n${JSON.stringify(otlp(ID, "00000000000000a2"))}\n`)).toEqual(expected);
});

test("ids in base64 become hexadecimal", () => {
  const base64 = btoa(String.fromCharCode(...(ID.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))));
  const file = openFile("a.json", JSON.stringify(otlp(base64, btoa("\x00\x00\x00\x00\x00\x00\x00\xa1"))));
  const id = traceId(ID);
  expect(file.traces[0]?.id).toBe(id);
  expect(id && file.read(id)?.spans[0]?.id).toBe("00000000000000a1");
});

test("a trace that Jaeger's page saved", () => {
  const tag = (key: string, type: string, value: unknown) => ({ key, type, value });
  const spans = [
    {
      traceID: ID,
      spanID: "a1",
      processID: "p1",
      operationName: "GET /",
      references: [],
      startTime: 1_763_715_005_000_000,
      duration: 2_500,
      tags: [tag("span.kind", "string", "server"), tag("error", "bool", true), tag("http.status_code", "int64", 500), tag("otel.status_description", "string", "no")],
      logs: [{ timestamp: 1_763_715_005_001_000, fields: [tag("event", "string", "exception"), tag("exception.type", "string", "E")] }],
    },
    {
      traceID: ID,
      spanID: "a2",
      processID: "p2",
      operationName: "query",
      references: [
        { refType: "CHILD_OF", traceID: ID, spanID: "a1" },
        { refType: "FOLLOWS_FROM", traceID: "beef", spanID: "b1" },
      ],
      startTime: 1_763_715_005_000_500,
      duration: 1,
      tags: [],
      logs: [],
    },
  ];
  const processes = { p1: { serviceName: "web", tags: [tag("hostname", "string", "h1")] }, p2: { serviceName: "db", tags: [] } };
  const file = openFile("j.json", JSON.stringify({ data: [{ traceID: ID, spans, processes }] }));
  const trace = file.read(file.traces[0]?.id ?? (ID as never));
  const [root, child] = trace?.spans ?? [];
  expect(trace?.start).toBe(1_763_715_005_000_000_000n);
  expect(root).toMatchObject({ name: "GET /", kind: "server", duration: 2_500_000, status: { code: "error", message: "no" }, resource: { service: "web" } });
  expect(root?.attributes).toEqual([{ key: "http.status_code", value: { type: "int", value: 500n } }]);
  expect(root?.events[0]).toMatchObject({ name: "exception", at: 1_000_000, attributes: [{ key: "exception.type", value: { type: "string", value: "E" } }] });
  expect(child).toMatchObject({ parentId: "00000000000000a1", start: 500_000, resource: { service: "db" } });
  expect(child?.links.map(({ spanId }) => spanId)).toEqual(["00000000000000b1"]);
});

test.each([
  ["not JSON", "hello"],
  ["a line that is not JSON", `${JSON.stringify(otlp(ID, "a1"))}\n{`],
  ["nothing in it", "{}"],
  ["no ids", JSON.stringify(otlp("", "a1"))],
])("%s is refused in words", (_, content) => {
  expect(() => openFile("x.json", content)).toThrow(FileError);
});

test("a trace leaves in lines for the page and in members for the server, all of it in both", async () => {
  const ids = Array.from({ length: 501 }, (_, i) => (i + 1).toString(16).padStart(16, "0"));
  const parsed = openFile("a.json", JSON.stringify(otlp(ID, ...ids)));
  const trace = parsed.read(parsed.traces[0]?.id ?? (ID as never));
  expect(trace).not.toBeNull();
  if (!trace) return;
  const parts = partsOf(trace);
  expect(parts).toMatchObject({ start: trace.start, duration: 9, spans: 501 });
  const lines = (await parts.lines.text()).trim().split("\n");
  const shared = nothingShared();
  expect(lines.flatMap((line) => decodePart(trace.id, JSON.parse(line), trace.start, shared))).toEqual(trace.spans);
  expect(lines).toHaveLength(2);
  const sent = JSON.parse(await documentOf([parts.members, parts.members]).text());
  expect(decodeTrace(trace.id, sent).spans).toEqual([...trace.spans, ...trace.spans]);
});
