/**
 * A TraceQL filter as a list of conditions, and back.
 *
 *     { resource.service.name = "cart" && (span.a = 1 || span.a = 2) && span.a + span.b > 3 } | count() > 2
 *       ╰──── one value ────────────╯    ╰── one of several ───────╯    ╰── other ────────╯   ╰── tail ────╯
 *
 * What chips cannot show in full is kept to the letter (`other`, `tail`), so that writing back never changes what a query
 * means. A query that is more than one filter with a tail is `complex`: it is text only.
 */
import { significant, type Token, tokens, VALUE_WORDS } from "./tokens.ts";

export type Operator = "=" | "!=" | "=~" | "!~" | "<" | "<=" | ">" | ">=";
export const OPERATORS: readonly Operator[] = ["=", "!=", "=~", "!~", "<", "<=", ">", ">="];

/** A literal: text in quotes, or what stands bare (numbers, durations, words), as it is written. */
export interface Value {
  readonly type: "string" | "bare";
  /** Without quotes and escapes. */
  readonly text: string;
}

export interface Condition {
  /** As written: `resource.service.name`, `.a`, `duration`. */
  readonly field: string;
  readonly op: Operator;
  /** Several only with `=`: any of them. */
  readonly values: readonly Value[];
}

export type Part = { readonly source: string; readonly condition: Condition | null };

export interface SimpleQuery {
  readonly type: "simple";
  readonly parts: readonly Part[];
  /** What follows the filter: stages and hints. Empty for none. */
  readonly tail: string;
}

export type ReadQuery = SimpleQuery | { readonly type: "complex"; readonly why: string };

const EMPTY: SimpleQuery = { type: "simple", parts: [], tail: "" };
const complex = (why: string): ReadQuery => ({ type: "complex", why });

export function readQuery(text: string): ReadQuery {
  const all = tokens(text);
  if (all.some(({ kind }) => kind === "comment")) return complex("it has comments");
  if (all.length === 0) return EMPTY;
  if (all.some(({ kind }) => kind === "bad")) return complex("it is not complete");
  if (all[0]?.text !== "{") return complex("it is more than one filter");
  const close = all.findIndex(({ text: mark, kind }) => kind === "mark" && mark === "}");
  if (close < 0) return complex("it is not complete");
  const after = all[close + 1];
  if (after && after.text !== "|" && after.text !== "with") return complex("it relates spans to each other");
  const parts = readParts(text, all.slice(1, close));
  return parts === null ? complex("it is not complete") : { type: "simple", parts, tail: after ? text.slice(after.from).trim() : "" };
}

/** Null when something is open or missing. */
function readParts(text: string, inner: readonly Token[]): readonly Part[] | null {
  if (inner.length === 0) return [];
  const operands = splitAt(inner, "&&");
  if (operands === null || operands.some((operand) => operand.length === 0)) return null;
  // `&&` and `||` bind alike, from the left: all before the last `||` is one operand with it.
  const lastOr = operands.findLastIndex((operand) => (splitAt(operand, "||")?.length ?? 0) > 1);
  const groups = lastOr <= 0 ? operands : [inner.slice(0, inner.indexOf(operands[lastOr]?.at(-1) as Token) + 1), ...operands.slice(lastOr + 1)];
  return groups.map((group) => ({ source: sourceOf(text, group), condition: readCondition(group) }));
}

const sourceOf = (text: string, group: readonly Token[]): string => text.slice(group[0]?.from ?? 0, group.at(-1)?.to ?? 0);

/** Parts between `operator` outside of parentheses; null when these do not match. */
function splitAt(all: readonly Token[], operator: string): readonly (readonly Token[])[] | null {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of all) {
    if (token.kind === "mark" && token.text === "(") depth += 1;
    if (token.kind === "mark" && token.text === ")") depth -= 1;
    if (depth < 0) return null;
    if (depth === 0 && token.kind === "operator" && token.text === operator) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return depth === 0 ? parts : null;
}

function readCondition(group: readonly Token[]): Condition | null {
  const isWrapped = group[0]?.text === "(" && group.at(-1)?.text === ")" && splitAt(group.slice(1, -1), "&&") !== null;
  if (isWrapped) return readCondition(group.slice(1, -1));
  const options = splitAt(group, "||");
  if (!options) return null;
  const read = options.map(readComparison);
  const first = read[0];
  if (!first || read.length === 1) return first ?? null;
  const isOneOf = read.every((one) => one !== null && one.op === "=" && one.field === first.field);
  return isOneOf ? { ...first, values: read.flatMap((one) => one?.values ?? []) } : null;
}

function readComparison(group: readonly Token[]): Condition | null {
  const [field, operator, ...rest] = group;
  if (!field || !operator || !isField(field) || operator.kind !== "operator") return null;
  const op = OPERATORS.find((one) => one === operator.text);
  const value = readValue(rest);
  return op && value ? { field: field.text, op, values: [value] } : null;
}

const isField = ({ kind, text }: Token): boolean => kind === "attribute" || (kind === "word" && !VALUE_WORDS.has(text));

function readValue(rest: readonly Token[]): Value | null {
  const [first, second] = rest;
  if (first?.kind === "operator" && first.text === "-" && second?.kind === "number" && rest.length === 2) {
    return { type: "bare", text: `-${second.text}` };
  }
  if (!first || rest.length !== 1) return null;
  if (first.kind === "string") return { type: "string", text: unquoted(first.text) };
  return first.kind === "number" || (first.kind === "word" && VALUE_WORDS.has(first.text)) ? { type: "bare", text: first.text } : null;
}

const ESCAPES: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** What a literal with its quotes says. */
export function unquoted(literal: string): string {
  if (literal.startsWith("`")) return literal.slice(1, -1);
  return literal
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([^]))/g, (whole, x?: string, u?: string, long?: string, octal?: string, letter?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return fromCode(Number.parseInt(hex, 16)) ?? whole;
      if (octal !== undefined) return fromCode(Number.parseInt(octal, 8)) ?? whole;
      return ESCAPES[letter ?? ""] ?? letter ?? "";
    });
}

const fromCode = (code: number): string | null => (code <= 0x10ffff ? String.fromCodePoint(code) : null);

/** JSON's escapes are among TraceQL's. */
export const quoted = (text: string): string => JSON.stringify(text);

export const writeValue = (value: Value): string => (value.type === "string" ? quoted(value.text) : value.text);

export function writeCondition({ field, op, values }: Condition): string {
  const options = values.map((value) => `${field} ${op} ${writeValue(value)}`);
  return options.length === 1 ? (options[0] ?? "") : `(${options.join(" || ")})`;
}

export const partOf = (condition: Condition): Part => ({ source: writeCondition(condition), condition });

/** `a || b` beside other conditions needs its parentheses. */
function safeSource({ source }: Part): string {
  return (splitAt(significant(source), "||")?.length ?? 1) > 1 ? `(${source})` : source;
}

/** Empty when nothing is asked. */
export function writeQuery({ parts, tail }: SimpleQuery): string {
  if (parts.length === 0 && tail === "") return "";
  const inner = parts.length === 1 ? (parts[0]?.source ?? "") : parts.map(safeSource).join(" && ");
  return [inner === "" ? "{ }" : `{ ${inner} }`, tail].filter((piece) => piece !== "").join(" ");
}

export const sameCondition = (a: Condition, b: Condition): boolean => writeCondition(a) === writeCondition(b);
