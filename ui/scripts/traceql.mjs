/**
 * As much TraceQL as the mock needs: one filter of conditions with `&&`, `||` and parentheses, then metrics. What it does
 * not know it refuses, as the server does. Not a reading of the language: the server's is.
 */

const TOKEN = /\s+|"(?:[^"\\]|\\.)*"|`[^`]*`|&&|\|\||!=|=~|!~|<=|>=|>>|[{}()=<>|,!]|-?[\d.]+(?:[a-zµ]+[\d.]*)*|[^\s{}()=~!<>&|^,"]+/gy;
const UNITS = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400 };

export class QueryError extends Error {
  constructor(message, start, end, fixes = []) {
    super(message);
    Object.assign(this, { start, end, fixes });
  }
}

export function lex(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new QueryError(`unexpected ${JSON.stringify(text[start])}`, start, start + 1);
    if (!/^\s/.test(match[0])) found.push({ text: match[0], start, end: start + match[0].length });
  }
  return found;
}

/** `{ type: "search" | "metrics", test(span), fields, metric }` of a query; throws a `QueryError`. */
export function parse(text) {
  const tokens = lex(text);
  let at = 0;
  const peek = () => tokens[at]?.text;
  const here = () => tokens[at] ?? { start: text.length, end: text.length };
  const fail = (message, fixes) => {
    throw new QueryError(message, here().start, here().end, fixes);
  };
  const take = (wanted) => (peek() === wanted ? tokens[at++] : fail(`expected \`${wanted}\``));
  const fields = [];

  function operand() {
    if (peek() === "(") {
      at += 1;
      const inner = chain();
      take(")");
      return inner;
    }
    const field = tokens[at++]?.text ?? fail("expected a condition");
    const op = peek();
    if (!["=", "!=", "=~", "!~", "<", "<=", ">", ">="].includes(op)) return fail(`unknown word \`${field}\``);
    at += 1;
    if (op === "=" && peek() === "=") {
      return fail("there is no operator `==` (write `=`)", [{ start: tokens[at - 1].start, end: tokens[at].end, replacement: "=" }]);
    }
    const word = tokens[at++]?.text ?? fail("expected a value");
    fields.push(field);
    return (span) => compare(span.get(field), op, literal(word));
  }

  function chain() {
    let left = operand();
    while (peek() === "&&" || peek() === "||") {
      const isAnd = tokens[at++].text === "&&";
      const [before, right] = [left, operand()];
      left = isAnd ? (span) => before(span) && right(span) : (span) => before(span) || right(span);
    }
    return left;
  }

  function filter() {
    take("{");
    const test = peek() === "}" ? () => true : chain();
    take("}");
    return test;
  }

  const test = filter();
  const query = { type: "search", test, fields, metric: null };
  while (peek() === "|") {
    at += 1;
    if (peek() === "{") {
      const [before, more] = [query.test, filter()];
      query.test = (span) => before(span) && more(span);
      continue;
    }
    const name = tokens[at++]?.text;
    take("(");
    const metric = { name, by: [], selection: null, arguments: [] };
    if (name === "compare") metric.selection = filter();
    while (peek() && peek() !== ")") {
      if (peek() !== ",") metric.arguments.push(peek());
      at += 1;
    }
    take(")");
    if (peek() === "by") {
      at += 2;
      while (peek() && peek() !== ")") {
        if (peek() !== ",") metric.by.push(peek());
        at += 1;
      }
      take(")");
    }
    Object.assign(query, { type: "metrics", metric });
  }
  if (at < tokens.length) fail("the mock understands one filter and one metric");
  return query;
}

/** Text in quotes, a number, a duration in seconds, or a word. */
function literal(word) {
  if (/^["`]/.test(word)) return word.startsWith("`") ? word.slice(1, -1) : JSON.parse(word);
  if (/^-?[\d.]+$/.test(word)) return Number(word);
  const parts = [...word.matchAll(/([\d.]+)([a-zµ]+)/g)];
  if (/^[\d.]/.test(word)) return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit], 0);
  return { true: true, false: false, nil: undefined }[word] ?? (word === "nil" ? undefined : word);
}

function compare(value, op, wanted) {
  if (wanted === undefined) return op === "=" ? value === undefined : value !== undefined;
  if (value === undefined) return false;
  switch (op) {
    case "=":
      return value === wanted;
    case "!=":
      return value !== wanted;
    case "=~":
      return new RegExp(`^(?:${wanted})$`).test(value);
    case "!~":
      return !new RegExp(`^(?:${wanted})$`).test(value);
    case "<":
      return value < wanted;
    case "<=":
      return value <= wanted;
    case ">":
      return value > wanted;
    default:
      return value >= wanted;
  }
}
