/** Attributes: typed values under keys, as OpenTelemetry has them. Integers of 64 bits stay exact. */

export type AttributeValue =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "double"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  /** Base64, as it travels. */
  | { readonly type: "bytes"; readonly value: string }
  | { readonly type: "array"; readonly value: readonly AttributeValue[] }
  | { readonly type: "map"; readonly value: readonly Attribute[] }
  /** A key without a value. */
  | { readonly type: "empty" };

export interface Attribute {
  readonly key: string;
  readonly value: AttributeValue;
}

/** Bound on nesting that is looked into; what lies deeper is shown as `…`. Protects the stack from hostile input. */
export const NESTING_MAX = 32;

/** The value as a reader expects it: strings bare, everything inside arrays and maps as JSON. */
export function valueText(value: AttributeValue): string {
  return value.type === "string" ? value.value : jsonText(value, 0);
}

function jsonText(value: AttributeValue, depth: number): string {
  if (depth > NESTING_MAX) return "…";
  switch (value.type) {
    case "string":
    case "bytes":
      return depth === 0 ? value.value : JSON.stringify(value.value);
    case "int":
    case "bool":
      return `${value.value}`;
    case "double":
      return doubleText(value.value);
    case "array":
      return `[${value.value.map((v) => jsonText(v, depth + 1)).join(", ")}]`;
    case "map":
      return `{${value.value.map((a) => `${JSON.stringify(a.key)}: ${jsonText(a.value, depth + 1)}`).join(", ")}}`;
    case "empty":
      return "";
  }
}

/** Shows that `1` is a double: `1.0`. */
function doubleText(x: number): string {
  return Number.isInteger(x) && Math.abs(x) < 1e15 ? `${x}.0` : `${x}`;
}

/** The text under `key` when it is a string; the first one wins. */
export function stringAttribute(attributes: readonly Attribute[], key: string): string | undefined {
  const found = attributes.find((a) => a.key === key)?.value;
  return found?.type === "string" ? found.value : undefined;
}
