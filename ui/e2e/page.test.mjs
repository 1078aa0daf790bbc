/**
 * The page against a running server with traces in it, in headless Chromium.
 *
 *     BASE_URL=http://127.0.0.1:3200 npm run e2e        the real binary, `throughline demo`
 *     CHROMIUM=/usr/bin/chromium                        which browser
 *
 * Nothing here knows the names of the demo's services: what to click on is read from the page itself.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { launch } from "../scripts/browser.mjs";

const BASE = process.env.BASE_URL;
assert.ok(BASE, "set BASE_URL to a running server, such as http://127.0.0.1:3200");
/** A page that hangs fails its test instead of the run; the longest test takes some seconds on an idle machine. */
const TIMEOUT_MS = 60_000;
const test = (name, body) => nodeTest(name, { timeout: TIMEOUT_MS }, body);
const UNKNOWN_ID = "00000000000000000000000000000bad";
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
let page;
/** Messages of the browser that mean a defect of the page. */
let complaints = [];

before(async () => {
  browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
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

const open = (path) => page.goto(new URL(path, BASE).href);
const traceRows = () => page.locator('[role=table] [role=row]:has(a[href^="/trace/"])');
const spanRows = () => page.locator("[role=treegrid] [role=row][data-position]");

async function openFirstTrace(search = "") {
  await open(`/${search}`);
  await traceRows().first().locator("a").click();
  await spanRows().first().waitFor();
}

/** Rules of axe that are broken seriously, with where. */
async function seriousViolations() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).slice(0, 5).join(", ")}`);
}

test("the list shows traces with root, services, duration and counts", async () => {
  await open("/");
  await traceRows().first().waitFor();
  assert.ok((await traceRows().count()) > 5);
  const cells = await traceRows().first().locator("[role=cell]").allInnerTexts();
  assert.equal(cells.length, 6);
  assert.match(cells[3], /\d (ns|µs|ms|s|min|h)/);
  assert.match(cells[4], /\d/);
});

test("choosing a service filters the list and is in the address", async () => {
  await open("/");
  const select = page.getByLabel("service", { exact: true });
  await page.waitForFunction(() => document.querySelectorAll("select[aria-label=service] option").length > 1);
  const service = await select.locator("option").nth(1).getAttribute("value");
  await select.selectOption(service);
  await page.waitForURL((url) => url.searchParams.get("service") === service);
  await page.waitForFunction(
    (name) => {
      const rows = [...document.querySelectorAll("[role=table] [role=row]:has(a)")];
      const shows = (row) => row.innerText.includes(name) || [...row.querySelectorAll("[title]")].some((e) => e.title.includes(name));
      return rows.length > 0 && rows.every(shows);
    },
    service,
  );
});

test("only traces with errors, slowest first", async () => {
  await open("/?error=true&order=slowest&range=any");
  await traceRows().first().waitFor();
  for (const row of await traceRows().all()) assert.match(await row.locator("[role=cell]").last().innerText(), /[1-9]/);
  const widths = await traceRows().evaluateAll((rows) => rows.map((row) => row.querySelector("[style*=inline-size]").getBoundingClientRect().width));
  assert.deepEqual(widths, [...widths].sort((a, b) => b - a));
});

test("a duration that cannot be read is refused in place", async () => {
  await open("/");
  const field = page.getByLabel("shortest duration");
  await field.fill("soon");
  await field.press("Enter");
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  await field.fill("1ns");
  await field.press("Enter");
  await page.waitForURL(/min=1ns/);
});

test("filters that nothing fits say so and offer the way out", async () => {
  await open("/?service=no-such-service&range=any");
  await page.getByRole("heading", { name: "No traces here" }).waitFor();
  await page.getByRole("button", { name: "remove the filters" }).click();
  await traceRows().first().waitFor();
});

test("scrolling fetches further pages", async () => {
  await open("/?range=any");
  await traceRows().first().waitFor();
  const words = () => page.locator("footer [role=status]").innerText();
  const loaded = async () => Number((await words()).replace(/,/g, "").match(/^\d+/)?.[0] ?? 0);
  const first = await loaded();
  if (!(await words()).includes("more below")) return;
  await page.keyboard.press("End");
  await page.waitForFunction((n) => Number(document.querySelector("footer [role=status]").innerText.replace(/,/g, "").match(/^\d+/)) > n, first);
});

test("the keyboard goes down the list and opens a trace", async () => {
  await open("/");
  await traceRows().nth(1).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  const second = await traceRows().nth(1).locator("a").getAttribute("href");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === second);
  await spanRows().first().waitFor();
  await page.goBack();
  await traceRows().first().waitFor();
});

test("a trace is drawn: rows, bars, ruler, facts", async () => {
  await openFirstTrace();
  const total = Number(await page.getByRole("treegrid").getAttribute("aria-rowcount")) - 1;
  assert.ok(total >= 1);
  assert.ok((await spanRows().count()) >= Math.min(total, 10));
  const painted = await page.locator("[role=treegrid] canvas").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, i) => i % 4 === 3 && value > 0);
  });
  assert.ok(painted, "the canvas of the waterfall is empty");
  assert.match(await page.locator("main header").innerText(), /duration\s*\d/);
});

test("selecting a span shows its attributes, and the address restores it", async () => {
  await openFirstTrace("?order=slowest");
  await spanRows().first().click();
  const details = page.getByRole("complementary", { name: "span details" });
  await details.getByText("service.name", { exact: true }).waitFor();
  await page.waitForURL(/span=[0-9a-f]{16}/);
  const title = await details.getByRole("heading", { level: 2 }).innerText();
  await page.reload();
  await details.getByText("service.name", { exact: true }).waitFor();
  assert.equal(await details.getByRole("heading", { level: 2 }).innerText(), title);
  await page.keyboard.press("j");
  await page.keyboard.press("Escape");
  await details.waitFor({ state: "detached" });
});

test("collapsing hides what is below, expanding shows it again", async () => {
  await openFirstTrace("?order=slowest");
  const rowCount = async () => Number(await page.getByRole("treegrid").getAttribute("aria-rowcount"));
  const all = await rowCount();
  await page.keyboard.press("[");
  await page.waitForFunction((n) => Number(document.querySelector("[role=treegrid]").getAttribute("aria-rowcount")) < n, all);
  await page.keyboard.press("]");
  await page.waitForFunction((n) => Number(document.querySelector("[role=treegrid]").getAttribute("aria-rowcount")) === n, all);
});

test("finding text marks and reaches the matches", async () => {
  await openFirstTrace("?order=slowest");
  await page.keyboard.press("/");
  await page.keyboard.type("service.name");
  const status = page.locator("[role=search] [role=status]");
  await page.waitForFunction(() => /\d/.test(document.querySelector("main [role=search] [role=status]").innerText));
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /^1 of/.test(document.querySelector("main [role=search] [role=status]").innerText));
  assert.match(await status.innerText(), /^1 of \d/);
});

test("dragging over the minimap zooms, 0 shows everything", async () => {
  await openFirstTrace("?order=slowest");
  const box = await page.getByTitle("drag to zoom").first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 12, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/zoom=\d+-\d+/);
  await page.keyboard.press("0");
  await page.waitForURL((url) => !url.searchParams.has("zoom"));
});

test("the id box takes any spelling", async () => {
  await open("/");
  const href = await traceRows().first().locator("a").getAttribute("href");
  const id = href.split("/").at(-1);
  const spelt = `0x${id.slice(0, 8)}-${id.slice(8)}`.toUpperCase();
  const box = page.getByLabel("trace id", { exact: true });
  await box.fill("nonsense");
  await box.press("Enter");
  await page.getByRole("alert").waitFor();
  await box.fill(spelt);
  await box.press("Enter");
  await page.waitForURL((url) => url.pathname === href);
  await spanRows().first().waitFor();
});

test("an unknown trace is said to be unknown, in words", async () => {
  await open(`/trace/${UNKNOWN_ID}`);
  await page.getByRole("heading", { name: "Trace not found" }).waitFor();
  assert.ok((await page.getByRole("alert").innerText()).length > 5);
});

test("an address that leads nowhere says so", async () => {
  await open("/no/such/page");
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
});

test("the help sheet opens and closes with the keyboard", async () => {
  await open("/");
  await traceRows().first().waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    await open("/");
    await traceRows().first().waitFor();
    assert.deepEqual(await seriousViolations(), [], "list");
    await page.keyboard.press("j");
    assert.deepEqual(await seriousViolations(), [], "list with a current row");
    await openFirstTrace("?error=true&range=any");
    await spanRows().first().click();
    await page.getByRole("complementary", { name: "span details" }).waitFor();
    await page.getByRole("button", { name: "show as OTLP JSON" }).click();
    assert.deepEqual(await seriousViolations(), [], "trace with details");
    await open(`/trace/${UNKNOWN_ID}`);
    await page.getByRole("heading", { name: "Trace not found" }).waitFor();
    assert.deepEqual(await seriousViolations(), [], "trace not found");
  });
}

test("on a narrow screen the page does not scroll sideways", async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await open("/");
  await traceRows().first().waitFor();
  assert.ok((await overflow()) <= 0, "list");
  await openFirstTrace();
  await spanRows().first().click();
  await page.getByRole("complementary", { name: "span details" }).waitFor();
  assert.ok((await overflow()) <= 0, "trace");
});
