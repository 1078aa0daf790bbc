import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { searchAddress } from "../api/search.ts";
import { boundsOf, PAGE_ROWS } from "./hits.ts";
import { searchFromAddress } from "./search_url.ts";

const SCRIPT = readFileSync(new URL("../../public/early.js", import.meta.url), "utf8");
const NOW_MS = 1_795_253_400_123.4;

/** What the browser is told to ask for at an address; `screens` is what the build writes. */
function askedAt(address: string, screens = "{}"): readonly string[] {
  const { pathname, search } = new URL(address, "http://throughline.test");
  const asked: string[] = [];
  const document = { createElement: () => ({}), documentElement: { dataset: {} }, head: { append: (link: { rel: string; href: string }) => asked.push(`${link.rel} ${link.href}`) } };
  runInNewContext(SCRIPT.replace("{}", screens), { document, location: { pathname, search }, localStorage: { getItem: () => null }, performance: { timeOrigin: NOW_MS }, Math });
  return asked;
}

test("what is asked early is what the search page asks for first", () => {
  const { query, range, order } = searchFromAddress("");
  const address = searchAddress({ query, bounds: boundsOf(range, Math.round(NOW_MS)), order, limit: PAGE_ROWS, cursor: null });
  expect(askedAt("/")).toEqual([`preload ${address}`, "preload /api/v1/services"]);
});

test("a search with words is not asked for early, a trace is", () => {
  expect(askedAt("/?q=%7B%7D")).toEqual([]);
  expect(askedAt("/trace/0af7651916cd43dd8448eb211c80319c?span=1")).toEqual(["preload /api/v1/traces/0af7651916cd43dd8448eb211c80319c/skeleton"]);
  expect(askedAt("/file")).toEqual([]);
});

test("the files of a screen are asked for with it", () => {
  const screens = '{"/":["/assets/s.js","/assets/s.css"],"/trace/":["/assets/t.js"]}';
  expect(askedAt("/?order=slowest", screens)).toEqual(["modulepreload /assets/s.js", "preload /assets/s.css"]);
  expect(askedAt("/trace/0af7651916cd43dd8448eb211c80319c", screens)[0]).toBe("modulepreload /assets/t.js");
});
