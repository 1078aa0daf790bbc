/**
 * Reading JSON that came from elsewhere: every access says what it expects and gets that or a plain default.
 *
 * OTLP/JSON leaves out what is zero or empty and allows null for "absent", so a missing field is ordinary and never an
 * error; a field of a wrong type is treated as absent too, because one odd span must not hide the trace around it.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

const EMPTY: JsonObject = {};

export function object(x: unknown): JsonObject {
  return typeof x === "object" && x !== null && !Array.isArray(x) ? (x as JsonObject) : EMPTY;
}

export function array(x: unknown): readonly unknown[] {
  return Array.isArray(x) ? x : [];
}

export function text(x: unknown): string {
  return typeof x === "string" ? x : "";
}

export function texts(x: unknown): readonly string[] {
  return array(x).filter((item) => typeof item === "string");
}

/** A count or an enum: a JSON number or its decimal text; 0 otherwise. */
export function number(x: unknown): number {
  const n = typeof x === "string" && x !== "" ? Number(x) : x;
  return typeof n === "number" && Number.isFinite(n) ? n : 0;
}

/** A 64-bit integer: decimal text as OTLP/JSON writes it, or a plain number; 0 otherwise. */
export function bigint(x: unknown): bigint {
  if (typeof x === "string" && /^-?\d{1,20}$/.test(x)) return BigInt(x);
  return typeof x === "number" && Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n;
}
