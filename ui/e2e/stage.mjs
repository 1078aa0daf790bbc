/** What the browser tests share: one page in a headless Chromium, and that it must not complain. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { launch } from "../scripts/browser.mjs";

export const BASE = process.env.BASE_URL;
assert.ok(BASE, "set BASE_URL to a running server, such as http://127.0.0.1:3200");
/** A page that hangs fails its test instead of the run; the longest takes ten seconds on an idle machine. */
const TIMEOUT_MS = 120_000;
const WORDS_MAX = 3_000;
export const test = (name, body) => nodeTest(name, { timeout: TIMEOUT_MS }, () => body().catch(toldWithPage));

/** What the page showed says more than what was not found on it. */
async function toldWithPage(error) {
  const words = await page.locator("body").innerText({ timeout: 2_000 }).catch(() => "nothing that can be read");
  error.message += `\n\n${page.url()} says:\n${words.slice(0, WORDS_MAX)}`;
  throw error;
}
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
export let page;
/** Messages of the browser that mean a defect of the page. */
let complaints = [];

before(async () => {
  browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) complaints.push(message.text());
  });
});
after(() => browser.close());
afterEach(() => {
  const found = complaints;
  complaints = [];
  assert.deepEqual(found, []);
});

export const open = (path) => page.goto(new URL(path, BASE).href);
export const traceRows = () => page.locator('[role=table] [role=row]:has(a[href^="/trace/"])');
/** A row of the answer to the query of now, not of the one before it. */
export async function freshRow() {
  await page.locator("[role=table][aria-busy=false]").waitFor();
  await traceRows().first().waitFor();
  return traceRows().first();
}
export const spanRows = () => page.locator("[role=treegrid] [role=row][data-position]");

export const getJson = async (path) => {
  const response = await fetch(new URL(path, BASE));
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
};

/** Newest first, traces that a query finds; at least one. */
export async function traces(query, limit = 1) {
  const found = (await getJson(`/api/v1/search?limit=${limit}&q=${encodeURIComponent(query)}`)).traces;
  assert.ok(found.length > 0, `no trace matches ${query}`);
  return found;
}

/** Rules of axe that are broken, however slightly, with where. */
export async function axeViolations() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 5).join(", ")}`);
}
