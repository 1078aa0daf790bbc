/** Mistakes in a query as they are shown and mended. */
import type { Diagnostic, Fix } from "../model/diagnosis.ts";

/** The line of the mistake and carets below it. */
export function underlined(query: string, { from, to }: Pick<Diagnostic, "from" | "to">): string {
  const start = query.lastIndexOf("\n", from - 1) + 1;
  const newline = query.indexOf("\n", from);
  const line = query.slice(start, newline < 0 ? query.length : newline);
  const width = Math.max(1, Math.min(to, start + line.length) - from);
  return `${line}\n${" ".repeat(from - start)}${"^".repeat(width)}`;
}

export const applied = (query: string, { from, to, text }: Fix): string => query.slice(0, from) + text + query.slice(to);

export function fixWords(query: string, { from, to, text }: Fix): string {
  if (text === "") return `remove ${query.slice(from, to)}`;
  return from === to ? `insert ${text}` : `write ${text}`;
}
