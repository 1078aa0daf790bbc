/** The requests the page makes, each answered by a model or an `ApiError` that can be shown as it is. */
import type { SpanId, TraceId } from "../base/ids.ts";
import { inTurns } from "../base/turns.ts";
import type { Analysis } from "../model/analysis.ts";
import type { Comparison } from "../model/comparison.ts";
import type { Diagnosis, Offers } from "../model/diagnosis.ts";
import type { HitPage } from "../model/hit.ts";
import type { Series } from "../model/series.ts";
import type { OperationEntry, ServiceEntry } from "../model/summary.ts";
import type { Span } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import { decodeAnalysis, decodeComparison } from "./analysis.ts";
import { linesOf } from "./lines.ts";
import { alikeAddress, decodeExtent, decodeMatches, decodeOperations, decodeServices, type Extent } from "./list.ts";
import { type Arrived, arrivals, liveAddress } from "./live.ts";
import { decodeInstant, decodeSeries, instantAddress, metricsAddress, type MetricsQuestion } from "./metrics.ts";
import { decodePart, nothingShared } from "./otlp.ts";
import {
  type Bounds,
  checkAddress,
  completeAddress,
  decodeDiagnosis,
  decodeHits,
  decodeOffers,
  decodeTags,
  decodeValues,
  type KnownValue,
  searchAddress,
  type SearchQuestion,
} from "./search.ts";
import { skeletonInSteps } from "./skeleton.ts";
import { documentOf, type TraceSource } from "./source.ts";

/** What the server said instead of an answer, or that it said nothing. `message` is for the reader. */
export class ApiError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** An error body longer than this is a proxy's page rather than the server's sentence. */
const ERROR_TEXT_MAX = 2_000;

/** An answer that is one; `body` is sent as JSON. */
async function ask(address: string, signal: AbortSignal, body?: Blob): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { signal, ...(body !== undefined && { method: "POST", body, headers: { "content-type": "application/json" } }) });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(0, "no answer from the Throughline server; is it running?");
  }
  if (!response.ok) throw new ApiError(response.status, await errorText(response));
  return response;
}

async function getJson(address: string, signal: AbortSignal): Promise<unknown> {
  return jsonOf(await ask(address, signal), address, signal);
}

/** The answer about one trace. */
async function askAbout({ id, sent }: TraceSource, question: string, signal: AbortSignal): Promise<unknown> {
  if (sent === null) return getJson(`/api/v1/traces/${id}/${question}`, signal);
  return askWith([await sent()], `/api/v1/${question}`, signal);
}

/** The answer about traces that are sent along. */
async function askWith(traces: readonly Blob[], address: string, signal: AbortSignal): Promise<unknown> {
  return jsonOf(await ask(address, signal, documentOf(traces)), address, signal);
}

async function jsonOf(response: Response, address: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(response.status, `the answer to ${address} is not JSON`);
  }
}

/** What is read bit by bit: an end before the end is no answer. */
async function pieces<Piece>(response: Response, read: (body: ReadableStream<Uint8Array>) => AsyncGenerator<Piece>, each: (piece: Piece) => void, signal: AbortSignal): Promise<void> {
  if (response.body === null) return;
  try {
    for await (const piece of read(response.body)) each(piece);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(response.status, cause instanceof Error ? cause.message : "the answer broke off");
  }
}

async function errorText(response: Response): Promise<string> {
  const isWords = response.headers.get("content-type")?.startsWith("text/plain") ?? false;
  const body = isWords ? (await response.text()).trim().slice(0, ERROR_TEXT_MAX) : "";
  return body || `the server answered ${response.status} ${response.statusText}`.trim();
}

export async function fetchHits(question: SearchQuestion, signal: AbortSignal): Promise<HitPage> {
  return decodeHits(await getJson(searchAddress(question), signal));
}

export async function fetchAlike(service: string, operation: string, limit: number, signal: AbortSignal): Promise<HitPage> {
  return decodeHits(await getJson(alikeAddress(service, operation, limit), signal));
}

export async function fetchSeries(question: MetricsQuestion, signal: AbortSignal): Promise<readonly Series[]> {
  return decodeSeries(await getJson(metricsAddress(question), signal));
}

/** One value for each series, of all the time. */
export async function fetchInstant(question: Omit<MetricsQuestion, "stepMs">, signal: AbortSignal): Promise<readonly Series[]> {
  return decodeInstant(await getJson(instantAddress(question), signal));
}

/** What is wrong with the text of a query, if anything. */
export async function fetchDiagnosis(query: string, signal: AbortSignal): Promise<Diagnosis> {
  return decodeDiagnosis(query, await getJson(checkAddress(query), signal));
}

/** What can stand at `at` in `query`. */
export async function fetchOffers(query: string, at: number, bounds: Bounds, signal: AbortSignal): Promise<Offers> {
  return decodeOffers(query, await getJson(completeAddress(query, at, bounds), signal));
}

/** Every attribute by which spans can be found. */
export async function fetchAttributes(signal: AbortSignal): Promise<readonly string[]> {
  return decodeTags(await getJson("/api/v2/search/tags", signal));
}

/** Values that `field` has. */
export async function fetchValues(field: string, signal: AbortSignal): Promise<readonly KnownValue[]> {
  return decodeValues(await getJson(`/api/v2/search/tag/${encodeURIComponent(field)}/values`, signal));
}

/** What is drawn of a trace. */
export async function fetchSkeleton(id: TraceId, signal: AbortSignal): Promise<Trace> {
  return inTurns(skeletonInSteps(id, await getJson(`/api/v1/traces/${id}/skeleton`, signal)));
}

/** Everything that the spans of a trace say, read in lines, so that the page goes on drawing meanwhile. */
export async function fetchWhole(skeleton: Trace, signal: AbortSignal): Promise<Trace> {
  const response = await ask(`/api/v1/traces/${skeleton.id}?lines=on`, signal);
  const parts: (readonly Span[])[] = [];
  const shared = nothingShared();
  await pieces(response, linesOf, (line) => parts.push(decodePart(skeleton.id, JSON.parse(line), skeleton.start, shared)), signal);
  return { ...skeleton, spans: parts.flat(), isSkeleton: false };
}

/** Spans of a trace that a query matches. */
export async function fetchMatches(source: TraceSource, query: string, signal: AbortSignal): Promise<readonly SpanId[]> {
  return decodeMatches(await askAbout(source, `matches?${new URLSearchParams({ q: query })}`, signal));
}

/** Follows a search until it ends, which it does only when something fails or `signal` says so. */
export async function follow(query: string, bounds: Bounds, signal: AbortSignal, onArrived: (arrived: Arrived) => void): Promise<void> {
  await pieces(await ask(liveAddress(query, bounds), signal), arrivals, onArrived, signal);
}

/** `skew`: whether clocks that disagree are corrected. */
export async function fetchAnalysis(source: TraceSource, skew: boolean, signal: AbortSignal): Promise<Analysis> {
  return decodeAnalysis(await askAbout(source, `analysis${skew ? "" : "?skew=off"}`, signal));
}

/** From when to when there are spans; null when there are none. */
export async function fetchExtent(signal: AbortSignal): Promise<Extent | null> {
  return decodeExtent(await getJson("/api/v1/extent", signal));
}

/** `left` is the baseline. */
export async function fetchComparison(left: TraceSource, right: TraceSource, signal: AbortSignal): Promise<Comparison> {
  if (left.sent === null && right.sent === null) return decodeComparison(await getJson(`/api/v1/traces/${left.id}/compare/${right.id}`, signal));
  // The side that is held is named, what is sent follows from that.
  const named = new URLSearchParams({ ...(left.sent === null && { left: left.id }), ...(right.sent === null && { right: right.id }) });
  const traces = await Promise.all([left, right].flatMap(({ sent }) => (sent === null ? [] : [sent()])));
  return decodeComparison(await askWith(traces, `/api/v1/compare?${named}`, signal));
}

export async function fetchServices(signal: AbortSignal): Promise<readonly ServiceEntry[]> {
  return decodeServices(await getJson("/api/v1/services", signal));
}

export async function fetchOperations(service: string, signal: AbortSignal): Promise<readonly OperationEntry[]> {
  return decodeOperations(await getJson(`/api/v1/services/${encodeURIComponent(service)}/operations`, signal));
}
