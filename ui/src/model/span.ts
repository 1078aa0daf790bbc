/** A span in OpenTelemetry's words, with times relative to the trace it lies in. */
import type { SpanId, TraceId } from "../base/ids.ts";
import type { Duration, Offset } from "../base/time.ts";
import type { Attribute } from "./attribute.ts";

/** By the number that OTLP gives them. */
export const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export type SpanKind = (typeof KINDS)[number];

/** By the number that OTLP gives them. */
export const CODES = ["unset", "ok", "error"] as const;

export interface Status {
  readonly code: (typeof CODES)[number];
  readonly message: string;
}

export interface SpanEvent {
  readonly name: string;
  readonly at: Offset;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
}

export interface SpanLink {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  readonly traceState: string;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
}

/** The process that made spans; shared by all spans of one batch. */
export interface Resource {
  /** `service.name`, or `unknown_service` where a sender gave none. */
  readonly service: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly schemaUrl: string;
}

/** The library that made spans. */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly schemaUrl: string;
}

export interface Span {
  readonly id: SpanId;
  /** Null for a root. The parent need not be in the trace. */
  readonly parentId: SpanId | null;
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: Offset;
  /** Negative when the sender's end lies before its start. */
  readonly duration: Duration;
  readonly status: Status;
  readonly attributes: readonly Attribute[];
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  readonly resource: Resource;
  readonly scope: Scope;
  readonly traceState: string;
  readonly flags: number;
  readonly droppedAttributes: number;
  readonly droppedEvents: number;
  readonly droppedLinks: number;
}

export const isError = (span: Span): boolean => span.status.code === "error";
