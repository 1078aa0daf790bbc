/**
 * A stand-in for the server: the endpoints of lists, queries and spans, over traces made up by `shop.mjs`, and `dist` if it is built.
 *
 *     npm run mock                      http://127.0.0.1:3200, 2,000 traces
 *     MOCK_TRACES=0 npm run mock        a server that has never seen a span
 *     MOCK_LIVE=1 npm run mock          a new trace every second
 *     PORT, MOCK_SEED, MOCK_LARGE       port, seed, spans of the large trace (50,000)
 *
 * It answers what it is asked and checks nothing: the real server is what the end-to-end tests are for.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { queryAnswers } from "./mock_query.mjs";
import { lines, skeleton } from "./mock_trace.mjs";
import { shopTraces, toOtlp, toSummary } from "./shop.mjs";

const setting = (name, otherwise) => Number(process.env[name] ?? otherwise);
const port = setting("PORT", 3200);
const seed = setting("MOCK_SEED", 7);
const count = setting("MOCK_TRACES", 2_000);
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

const traces = count === 0 ? [] : shopTraces(seed, Date.now(), count, setting("MOCK_LARGE", 50_000));
const byId = new Map(traces.map((trace) => [trace.traceId, trace]));
const summaries = traces.map(toSummary);
const queries = queryAnswers(() => byId.values(), (trace) => toSummary(trace));
if (process.env.MOCK_LIVE) setInterval(addOne, 1_000);

function addOne() {
  const fresh = shopTraces(Date.now() % 2 ** 32, Date.now() + 5_000, 3, 1)[0];
  fresh.startMs = Date.now();
  byId.set(fresh.traceId, fresh);
  summaries.push(toSummary(fresh));
}

const UNITS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const durationOf = (text) => {
  const parts = /^([\d.]+)([a-z]+)$/.exec(text ?? "");
  return parts ? Number(parts[1]) * UNITS[parts[2]] : null;
};

function list(query) {
  const [service, operation, error] = ["service", "operation", "error"].map((name) => query.get(name));
  const [least, most] = ["minDuration", "maxDuration"].map((name) => durationOf(query.get(name)));
  const [start, end] = ["start", "end"].map((name) => (query.get(name) ? BigInt(query.get(name)) : null));
  const fits = (s) =>
    (!service || s.services.some((one) => one.name === service)) &&
    (!operation || s.rootName === operation) &&
    (!error || s.errorCount > 0 === (error === "true")) &&
    (least === null || Number(s.durationNanos) >= least) &&
    (most === null || Number(s.durationNanos) <= most) &&
    (start === null || BigInt(s.startTimeUnixNano) >= start) &&
    (end === null || BigInt(s.startTimeUnixNano) < end);
  const key = query.get("order") === "slowest" ? "durationNanos" : "startTimeUnixNano";
  const found = summaries.filter(fits).sort((a, b) => Number(BigInt(b[key]) - BigInt(a[key])));
  const from = Number(query.get("cursor") ?? 0);
  const to = from + Number(query.get("limit") ?? 20);
  return { traces: found.slice(from, to), next: to < found.length ? `${to}` : null, missing: [] };
}

function extent() {
  const starts = summaries.map((s) => BigInt(s.startTimeUnixNano)).sort((a, b) => Number(a - b));
  return { startTimeUnixNano: starts.length === 0 ? null : `${starts[0]}`, endTimeUnixNano: starts.length === 0 ? null : `${starts.at(-1)}` };
}

function services() {
  const counts = new Map();
  for (const { name, spanCount, errorCount } of summaries.flatMap((s) => s.services)) {
    const sum = counts.get(name) ?? { name, spans: 0, errors: 0 };
    counts.set(name, { name, spans: sum.spans + spanCount, errors: sum.errors + errorCount });
  }
  return { services: [...counts.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function operations(service) {
  const counts = new Map();
  for (const span of [...byId.values()].flatMap((trace) => trace.spans)) {
    if (span.service !== service) continue;
    const sum = counts.get(span.name) ?? { name: span.name, spans: 0, roots: 0 };
    counts.set(span.name, { name: span.name, spans: sum.spans + 1, roots: sum.roots + (span.parent === undefined ? 1 : 0) });
  }
  return { operations: [...counts.values()].sort((a, b) => b.spans - a.spans) };
}

function answer(url) {
  if (url.pathname === "/api/metrics/query_range") return queries.metrics(url.searchParams);
  if (url.pathname === "/api/metrics/query") return queries.instant(url.searchParams);
  if (url.pathname === "/api/v2/search/tags") return queries.tags();
  const tag = /^\/api\/v2\/search\/tag\/(.+)\/values$/.exec(url.pathname)?.[1];
  if (tag) return queries.values(decodeURIComponent(tag));
  const path = url.pathname.split("/").filter(Boolean).slice(2);
  if (path[0] === "search") return queries.search(url.searchParams);
  if (path[0] === "query") return queries[path[1]](url.searchParams);
  if (path[0] === "traces" && path.length === 1) return list(url.searchParams);
  if (path[0] === "traces") {
    const trace = byId.get(path[1]);
    if (!trace) return null;
    if (path[2] === "skeleton") return skeleton(trace);
    return url.searchParams.get("lines") === "on" ? lines(trace) : toOtlp(trace);
  }
  if (path[0] === "extent") return extent();
  if (path[0] === "services" && path.length === 1) return services();
  if (path[0] === "services") return operations(decodeURIComponent(path[1]));
  return null;
}

/** As the server sends it (crates/api/src/web/page.rs), so that what it forbids is noticed here. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

async function file(pathname) {
  const isAsset = extname(pathname) !== "";
  const path = join(dist, isAsset ? normalize(pathname) : "index.html");
  return { type: TYPES[extname(path)] ?? "application/octet-stream", body: await readFile(path) };
}

createServer(async (request, response) => {
  const url = new URL(request.url, "http://mock");
  const say = (status, type, body) => response.writeHead(status, { "content-type": `${type}; charset=utf-8`, "content-security-policy": POLICY }).end(body);
  if (url.pathname.startsWith("/api/")) {
    if (/\/(analysis|compare|matches|live)\b/.test(url.pathname)) return say(404, "text/plain", "the mock does not analyse, match or follow");
    let found;
    try {
      found = answer(url);
    } catch (error) {
      return say(400, "text/plain", error.message);
    }
    return found ? say(200, "application/json", typeof found === "string" ? found : JSON.stringify(found)) : say(404, "text/plain", "no span of this trace is stored here");
  }
  try {
    const { type, body } = await file(url.pathname);
    say(200, type, body);
  } catch {
    say(404, "text/plain", "no such file; npm run build makes dist, npm run dev serves the sources");
  }
}).listen(port, "127.0.0.1", () => console.log(`mock: ${summaries.length} traces at http://127.0.0.1:${port}`));
