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
const WORDS_MAX = 6_000;
export const test = (name, body) => nodeTest(name, { timeout: TIMEOUT_MS }, () => body().catch(toldWithPage));

/** What the page showed says more than what was not found on it. */
async function toldWithPage(error) {
  const words = await page.locator("body").innerText({ timeout: 2_000 }).catch(() => "nothing that can be read");
  // The end says as much as the beginning: panels beside a list come after it.
  const told = words.length <= WORDS_MAX ? words : `${words.slice(0, WORDS_MAX / 2)}\n[…]\n${words.slice(-WORDS_MAX / 2)}`;
  error.message += `\n\n${page.url()} says:\n${told}`;
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
/** In a trace: how many rows there are, in sight or not, the head not counted; and until there are so many. */
export const rowCount = async () => Number(await page.getByRole("treegrid").getAttribute("aria-rowcount")) - 1;
export const rowCountOf = (count, options) => page.locator(`[role=treegrid][aria-rowcount="${count + 1}"]`).waitFor(options);
/** Until the server has said where the time of the trace went: clocks are corrected then, and rows stay where they are. */
export const analysed = () => page.getByRole("region", { name: "where the time went" }).and(page.locator("[aria-busy=false]")).waitFor();
export const spanRows = () => page.locator("[role=treegrid] [role=row][data-position]");

export const getJson = async (path) => {
  const response = await fetch(new URL(path, BASE));
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
};

/** The services of the demo send every second what has ended: of a trace that ended so long ago all spans are here, however slow the machine is. */
const SETTLED_MS = 60_000;
const endOf = (trace) => Number((BigInt(trace.startTimeUnixNano) + BigInt(trace.durationNanos)) / 1_000_000n);
export const isSettled = (trace) => trace.hasRoot && endOf(trace) < Date.now() - SETTLED_MS;

/** Newest first, traces that a query finds and that do not grow any more: at least `count`. */
export async function traces(query, count = 1) {
  const { traces: found } = await getJson(`/api/v1/search?limit=100&q=${encodeURIComponent(query)}`);
  const settled = found.filter(isSettled);
  assert.ok(settled.length >= count, `of ${found.length} traces that match ${query}, ${settled.length} do not grow any more`);
  return settled;
}

/** Rules of axe that are broken, however slightly, with where. */
export async function axeViolations() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 5).join(", ")}`);
}
