/** TraceQL text to tokens. Every text has tokens; what means nothing is `bad`. Places are UTF-16, as the browser counts. */

export type TokenKind = "comment" | "string" | "number" | "attribute" | "word" | "operator" | "mark" | "bad";

export interface Token {
  readonly kind: TokenKind;
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Longest first, so that the first that fits is the right one. */
const OPERATORS = /&>>|&<<|!>>|!<<|&&|\|\||!=|!~|=~|<=|>=|>>|<<|&>|&<|&~|!>|!<|[=<>~!+\-*/%^|]/y;
const BLANK = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
const STRING = /"(?:[^"\\]|\\[^])*"|`[^`]*`/y;
/** Quotes that do not end, or quotes of another language. */
const BAD_STRING = /["`][^]*|'[^'\n]*'?/y;
const UNIT = "(?:ns|us|µs|μs|ms|s|m|h|d|w|y)";
const NUMBER = new RegExp(`(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:${UNIT}(?:\\d+(?:\\.\\d*)?${UNIT})*|[eE][+-]?\\d+)?`, "y");
/** A name ends at blanks and at what can only be an operator; quoted parts may hold anything. */
const NAME_PART = /"(?:[^"\\]|\\[^])*"|[^\s{}()=~!<>&|^,"]+/y;
const SCOPE = /(?:parent\.)?(?:span|resource|event|link|instrumentation|parent)?\.(?!\d)/y;
const WORD = /[A-Za-z_][\w]*(?::[A-Za-z_]\w*)?/y;

/** Words that stand for values. */
export const VALUE_WORDS: ReadonlySet<string> = new Set([
  ...["true", "false", "nil", "minInt", "maxInt"],
  ...["ok", "error", "unset"],
  ...["unspecified", "internal", "server", "client", "producer", "consumer"],
]);

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

export function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const blank = match(BLANK, text, at);
    if (blank > 0) {
      at += blank;
      continue;
    }
    const [kind, length] = tokenAt(text, at);
    found.push({ kind, from: at, to: at + length, text: text.slice(at, at + length) });
    at += length;
  }
  return found;
}

function tokenAt(text: string, at: number): readonly [TokenKind, number] {
  const tries: readonly (readonly [TokenKind, number])[] = [
    ["comment", match(COMMENT, text, at)],
    ["string", match(STRING, text, at)],
    ["bad", match(BAD_STRING, text, at)],
    ["number", match(NUMBER, text, at)],
    ["attribute", attributeLength(text, at)],
    ["word", match(WORD, text, at)],
    ["mark", "{}(),".includes(text.charAt(at)) ? 1 : 0],
    ["operator", match(OPERATORS, text, at)],
  ];
  return tries.find(([, length]) => length > 0) ?? ["bad", 1];
}

function attributeLength(text: string, from: number): number {
  const scope = match(SCOPE, text, from);
  if (scope === 0) return 0;
  let at = from + scope;
  for (let part = match(NAME_PART, text, at); part > 0; part = match(NAME_PART, text, at)) at += part;
  return at - from;
}

/** Without comments. */
export const significant = (text: string): readonly Token[] => tokens(text).filter(({ kind }) => kind !== "comment");

export const isPipe = (token: Token | undefined): boolean => token?.kind === "operator" && token.text === "|";
