/** The requests the page makes, each answered by a model or an `ApiError` that can be shown as it is. */
import type { TraceId } from "../base/ids.ts";
import type { Analysis } from "../model/analysis.ts";
import type { Comparison } from "../model/comparison.ts";
import type { OperationEntry, ServiceEntry, TraceFilter, TracePage } from "../model/summary.ts";
import type { Trace } from "../model/trace.ts";
import { decodeAnalysis, decodeComparison } from "./analysis.ts";
import { type Bounds, decodeOperations, decodePage, decodeServices, listAddress } from "./list.ts";
import { decodeTrace } from "./otlp.ts";

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

async function getJson(address: string, signal: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(address, { signal, headers: { accept: "application/json" } });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(0, "no answer from the Throughline server; is it running?");
  }
  if (!response.ok) throw new ApiError(response.status, await errorText(response));
  try {
    return await response.json();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ApiError(response.status, `the answer to ${address} is not JSON`);
  }
}

async function errorText(response: Response): Promise<string> {
  const isWords = response.headers.get("content-type")?.startsWith("text/plain") ?? false;
  const body = isWords ? (await response.text()).trim().slice(0, ERROR_TEXT_MAX) : "";
  return body || `the server answered ${response.status} ${response.statusText}`.trim();
}

export async function fetchTraces(
  filter: TraceFilter,
  bounds: Bounds,
  limit: number,
  cursor: string | null,
  signal: AbortSignal,
): Promise<TracePage> {
  return decodePage(await getJson(listAddress(filter, bounds, limit, cursor), signal));
}

export async function fetchTrace(id: TraceId, signal: AbortSignal): Promise<Trace> {
  return decodeTrace(id, await getJson(`/api/v1/traces/${id}`, signal));
}

/** `skew`: whether clocks that disagree are corrected. */
export async function fetchAnalysis(id: TraceId, skew: boolean, signal: AbortSignal): Promise<Analysis> {
  return decodeAnalysis(await getJson(`/api/v1/traces/${id}/analysis${skew ? "" : "?skew=off"}`, signal));
}

/** `left` is the baseline. */
export async function fetchComparison(left: TraceId, right: TraceId, signal: AbortSignal): Promise<Comparison> {
  return decodeComparison(await getJson(`/api/v1/traces/${left}/compare/${right}`, signal));
}

export async function fetchServices(signal: AbortSignal): Promise<readonly ServiceEntry[]> {
  return decodeServices(await getJson("/api/v1/services", signal));
}

export async function fetchOperations(service: string, signal: AbortSignal): Promise<readonly OperationEntry[]> {
  return decodeOperations(await getJson(`/api/v1/services/${encodeURIComponent(service)}/operations`, signal));
}
