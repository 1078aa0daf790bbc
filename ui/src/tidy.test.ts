/** The house rules that a machine can check. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SRC = fileURLToPath(new URL(".", import.meta.url));
/** Lower to higher: a folder may import itself and what stands before it. */
const LAYERS = ["base", "model", "query", "api", "trace", "state", "widgets", "views", "app"];
const LINES_MAX = 400;

interface Source {
  readonly path: string;
  readonly text: string;
}

const paths = readdirSync(SRC, { recursive: true, encoding: "utf8" });
const sources: readonly Source[] = paths
  .filter((path) => /\.(ts|tsx|css)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), "utf8") }));
const scripts = sources.filter(({ path }) => !path.endsWith(".css") && path !== "tidy.test.ts");

const offenders = (among: readonly Source[], isWrong: (source: Source) => boolean): readonly string[] => among.filter(isWrong).map(({ path }) => path);

test("imports point to lower layers only", () => {
  const wrong = scripts.flatMap(({ path, text }) =>
    [...text.matchAll(/from "(\.[^"]+)"/g)].flatMap(([, target = ""]) => {
      const to = relative(SRC, join(SRC, dirname(path), target));
      const [here, there] = [path, to].map((p) => LAYERS.indexOf(p.split("/")[0] ?? ""));
      return here === undefined || there === undefined || there < 0 || there > here ? [`${path} imports ${to}`] : [];
    }),
  );
  expect(wrong).toEqual([]);
});

test("views do not import each other", () => {
  const view = (path: string): string | undefined => /^views\/([^/]+)/.exec(path)?.[1];
  const wrong = scripts.filter(({ path, text }) =>
    [...text.matchAll(/from "(\.[^"]+)"/g)].some(([, target = ""]) => {
      const other = view(relative(SRC, join(SRC, dirname(path), target)));
      return view(path) !== undefined && other !== undefined && other !== view(path);
    }),
  );
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("only api knows JSON from the wire, and base, model, query, api and trace know no framework", () => {
  expect(offenders(scripts, ({ path, text }) => /\bfetch\(/.test(text) && !path.startsWith("api/"))).toEqual([]);
  const pure = scripts.filter(({ path }) => /^(base|model|query|api|trace)\//.test(path));
  expect(offenders(pure, ({ text }) => /from "(react|wouter|@tanstack|@codemirror)/.test(text))).toEqual([]);
});

test("no `any` and no suppressed check", () => {
  const code = (text: string): string => text.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, "");
  expect(offenders(scripts, ({ text }) => /\bany\b/.test(code(text).replace(/"[^"\n]*"|>[^<>]*<\//g, "")))).toEqual([]);
  expect(offenders(scripts, ({ text }) => /@ts-(ignore|expect-error|nocheck)/.test(text))).toEqual([]);
});

test("colours are tokens: none is written outside of tokens.css", () => {
  const colour = /#[0-9a-f]{3,8}\b(?![^"]*\/)|\b(rgb|rgba|hsl|oklch)\(/i;
  expect(offenders(sources.filter(({ path }) => path !== "app/tokens.css" && path !== "tidy.test.ts"), ({ text }) => colour.test(text))).toEqual([]);
});

test("every file opens with what it is, and fits", () => {
  const documented = sources.filter(({ path }) => !/\.(test\.tsx?|module\.css)$/.test(path));
  expect(offenders(documented, ({ text }) => !/^\/\*/.test(text))).toEqual([]);
  expect(offenders(sources, ({ text }) => text.split("\n").length > LINES_MAX)).toEqual([]);
});

test("every folder has a README", () => {
  const folders = new Set(sources.map(({ path }) => dirname(path)).filter((folder) => folder !== "."));
  expect([...folders].filter((folder) => !paths.includes(join(folder, "README.md")))).toEqual([]);
});
