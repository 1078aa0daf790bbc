/** Text values made readable: JSON indented, SQL on lines, stack traces kept. What is shown differs from what was sent in blanks only. */

export type Readable =
  | { readonly type: "plain" }
  | { readonly type: "json" | "sql"; readonly text: string }
  /** Has its lines already. */
  | { readonly type: "lines" };

/** Longer texts are left as they are: nobody reads them, and they would take long. */
const READABLE_MAX = 200_000;
/** Shorter statements and documents fit a line. */
const ONE_LINE_MAX = 60;

const SQL_KEYS = /^db\.(statement|query\.text)$|(^|\.)sql$/;
const SQL_START = /^\s*(select|insert|update|delete|with|merge|create|alter)\b/i;

/** How the text under `key` is best read. */
export function readable(key: string, text: string): Readable {
  if (text.length > READABLE_MAX) return { type: "plain" };
  const json = /^\s*[[{]/.test(text) ? indented(text) : null;
  if (json !== null) return json.includes("\n") ? { type: "json", text: json } : { type: "plain" };
  if (text.trim().includes("\n")) return { type: "lines" };
  if (text.length > ONE_LINE_MAX && SQL_KEYS.test(key) && SQL_START.test(text)) return { type: "sql", text: sqlLines(text) };
  return { type: "plain" };
}

/** Two blanks a level; null when it is not JSON. Numbers keep every digit, since the text is not read into doubles. */
function indented(text: string): string | null {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  let depth = 0;
  let out = "";
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    if (token === "[" || token === "{") out += `${token}\n${"  ".repeat(++depth)}`;
    else if (token === "]" || token === "}") out = `${out.trimEnd()}\n${"  ".repeat(--depth)}${token}`;
    else if (token === ",") out += `,\n${"  ".repeat(depth)}`;
    else out += token === ":" ? ": " : token;
  }
  return out.replace(/([[{])\s*\n\s*([\]}])/g, "$1$2");
}

const CLAUSE =
  /\b(select|from|(?:(?:left|right|full|inner|cross)(?: outer)? )?join|where|group by|order by|having|limit|offset|union(?: all)?|values|set|returning|on conflict|for update|insert into|update|delete from|with)\b/gi;
const CONDITION = /\b(and|or)\b/gi;

/** Each clause on a line, conditions indented below. Text in quotes and parentheses is left alone. */
export function sqlLines(sql: string): string {
  const kept: string[] = [];
  // What must not be broken is put aside under a mark that no statement holds.
  const aside = (text: string): string => `\u0001${kept.push(text) - 1}\u0001`;
  let text = sql.trim().replace(/'(?:[^']|'')*'|"[^"]*"|`[^`]*`|\$\$[^]*?\$\$/g, aside);
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\([^()]*\)/g, aside);
  }
  text = text
    .replace(/\s+/g, " ")
    .replace(/\bbetween (\S+) and\b/gi, (whole) => aside(whole))
    .replace(CLAUSE, "\n$1")
    .replace(CONDITION, "\n  $1")
    // Parts of one clause that the list above has twice.
    .replace(/\b(for|on conflict [^\n]* do)\s*\n(update|set)/gi, "$1 $2");
  for (let i = 0; text.includes("\u0001") && i <= kept.length; i++) text = text.replace(/\u0001(\d+)\u0001/g, (_, at: string) => kept[Number(at)] ?? "");
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "")
    .join("\n");
}
