/**
 * The stories that the page is for, told against the demo of the real server.
 *
 *     BASE_URL=http://127.0.0.1:3200 OTLP_URL=http://127.0.0.1:4318 npm run e2e
 *
 * Live traffic goes on all the time, so traces are found by what they are, never by their place among the newest, and
 * nothing is waited for but what the page shows.
 */
import assert from "node:assert/strict";
import { endpointOfEnvironment, sendLargeTrace } from "./spans.mjs";
import { axeViolations, freshRow, open, page, rowCountOf, spanRows, test, traceRows, traces } from "./stage.mjs";

/** What looks at every attribute of every span of an hour takes its time on a busy machine. */
const PATIENT = { timeout: 45_000 };
const findings = () => page.getByRole("complementary", { name: "findings" });
const details = () => page.getByRole("complementary", { name: "span details" });
const panel = () => page.getByRole("complementary", { name: "what is different" });
const summary = () => page.getByRole("region", { name: "where the time went" });
const queryOf = (url) => url.searchParams.get("q") ?? "";

/** The payment provider does not answer: ten attempts, three seconds each, and every request above succeeds. */
const RETRIED = '{ name =~ ".*Charge" } >> { event:name = "exception" } | count() >= 10';

const UNITS = { µs: 1e-6, ms: 1e-3, s: 1 };

/** How far below the top of the heatmap a duration lies, by the marks beside it: the axis is logarithmic. */
async function depthOf(heat, seconds) {
  const marks = await heat.locator("span").evaluateAll((spans) => spans.map((span) => [span.innerText, span.offsetTop]));
  const read = marks.flatMap(([text, top]) => {
    const [, number, unit] = /^([\d.]+) (µs|ms|s)$/.exec(text) ?? [];
    return unit ? [{ log: Math.log10(Number(number) * UNITS[unit]), top }] : [];
  });
  const [one, other] = [read[0], read.at(-1)];
  assert.ok(one && other && one.log !== other.log, `the marks of durations are ${JSON.stringify(marks)}`);
  return one.top + ((Math.log10(seconds) - one.log) / (other.log - one.log)) * (other.top - one.top);
}

test("a slow checkout: from a box over the durations, by what is different, to the loop of retries", async () => {
  await open("/");
  const heat = page.getByTitle("drag a box to select");
  await heat.locator("canvas").waitFor();
  await heat.locator("span").first().waitFor();
  const box = await heat.boundingBox();
  // Ten attempts of three seconds; other checkouts are slow as well, but not so slow.
  const depth = await depthOf(heat, 20);
  await page.mouse.move(box.x + 2, box.y + depth);
  await page.mouse.down();
  // Not to the end of the hour: the spans of what began in its last minutes may not all be here.
  await page.mouse.move(box.x + box.width * 0.95, box.y + 1, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.has("select"));
  const only = panel().getByRole("button", { name: /^only .*checkout/i }).first();
  await only.click(PATIENT);
  await page.waitForURL((url) => /checkout/i.test(queryOf(url)));
  await page.keyboard.press("b");
  await page.waitForURL((url) => /checkout/i.test(queryOf(url)) && /duration >= /.test(queryOf(url)) && !url.searchParams.has("select"));
  await (await freshRow()).locator("a").click();
  await spanRows().first().waitFor();
  await summary().getByText(/\d+ %/).first().waitFor();
  assert.match(await summary().innerText(), /payment/i);

  await page.keyboard.press("Escape");
  await page.keyboard.press("c");
  await page.waitForURL(/path=only/);
  await page.keyboard.press("i");
  await findings().getByRole("button", { name: /attempt|retr/i }).first().click();
  await page.waitForURL(/finding=/);
  await page.locator("main [role=search] [role=status]").getByText(/^1 of 1\d$/).waitFor();
  await page.locator("[role=treegrid] [role=row][aria-selected=true]").getByText("payment", { exact: true }).waitFor();
});

test("the error of a VIP tenant: from its attribute to the exception", async () => {
  await open("/");
  await traceRows().first().waitFor();
  await page.getByRole("button", { name: "+ attribute" }).click();
  await page.getByRole("textbox", { name: "attribute" }).or(page.getByRole("combobox", { name: "attribute" })).fill("span.tenant.id");
  await page.getByLabel("value", { exact: true }).fill("tenant-7");
  await page.getByLabel("value", { exact: true }).press("Enter");
  await page.waitForURL((url) => queryOf(url) === '{ span.tenant.id = "tenant-7" }');
  await page.getByRole("group", { name: "status" }).getByRole("button", { name: "errors", exact: true }).click();
  await page.waitForURL((url) => queryOf(url).includes("status = error"));
  await (await freshRow()).locator("a").click();
  await page.waitForURL(/span=[0-9a-f]{16}/);
  await details().getByText("tenant-7", { exact: true }).first().waitFor();
  // Of the errors of this tenant the one that only it has.
  const [vip] = await traces('{ span.tenant.id = "tenant-7" && status = error && event:name = "exception" && name =~ ".*GetPrices" }');
  await open(`/trace/${vip.traceId}?view=events`);
  const line = page.getByRole("region", { name: "events in order of time" }).getByText(/ListNotActive/).first();
  await line.click();
  await details().getByText("exception.stacktrace", { exact: true }).waitFor();
  assert.match(await details().innerText(), /plist-7-2026Q4/);
});

/** Scrolls to places near and far; of each, in the frame after it, whether rows in order and canvases beside them fill what is in sight. */
const filledWhileScrolling = () =>
  page.getByRole("treegrid").evaluate(async (grid) => {
    const frame = () => new Promise(requestAnimationFrame);
    const inSight = () => [grid.querySelector("[role=rowgroup]").getBoundingClientRect().bottom, grid.getBoundingClientRect().bottom];
    const isFilled = (elements) => {
      const [top, bottom] = inSight();
      const boxes = elements.map((element) => element.getBoundingClientRect()).sort((a, b) => a.top - b.top);
      const isJoined = boxes.every((box, i) => i === 0 || Math.abs(box.top - boxes[i - 1].bottom) < 1);
      return isJoined && boxes[0].top <= top + 1 && boxes.at(-1).bottom >= bottom - 1;
    };
    const seen = [];
    for (let i = 0; i < 60; i++) {
      grid.scrollTop = i < 20 ? grid.scrollTop + 137 : i < 40 ? grid.scrollTop - 211 : (i * 337_897) % (grid.scrollHeight - grid.clientHeight);
      await frame();
      await frame();
      const rows = [...grid.querySelectorAll("[data-position]")];
      const isOrdered = rows.every((row, j) => j === 0 || Number(row.ariaRowIndex) === Number(rows[j - 1].ariaRowIndex) + 1);
      seen.push(isOrdered && isFilled(rows) && isFilled([...grid.querySelectorAll("canvas")]));
    }
    return seen;
  });

test("a trace of 50,000 spans opens, scrolls, is found in and says what a span says", async () => {
  const { traceId, spans } = await sendLargeTrace(endpointOfEnvironment());
  await open(`/trace/${traceId}`);
  await spanRows().first().waitFor(PATIENT);
  await page.keyboard.press("X");
  await rowCountOf(spans, PATIENT);
  const filled = await filledWhileScrolling();
  assert.ok(filled.every(Boolean), `not filled at ${filled.flatMap((is, i) => (is ? [] : [i]))}`);
  await page.getByRole("treegrid").evaluate((grid) => grid.scrollTo(0, grid.scrollHeight));
  await page.locator(`[role=row][aria-rowindex="${spans + 1}"]`).waitFor(PATIENT);
  await page.keyboard.press("/");
  await page.keyboard.type("rows=49999");
  await page.locator("main [role=search] [role=status]").getByText(/^1$/).waitFor(PATIENT);
  await page.keyboard.press("Enter");
  await page.locator("[role=treegrid] [role=row][aria-selected=true]").click(PATIENT);
  await page.waitForURL(/span=[0-9a-f]{16}/);
  await details().getByText("ledger.shard", { exact: true }).waitFor(PATIENT);
});

test("a slow and a fast trace of one operation are compared", async () => {
  const [slow] = await traces(RETRIED);
  const alike = `rootServiceName = ${JSON.stringify(slow.rootService)} && rootName = ${JSON.stringify(slow.rootName)}`;
  const [fast] = await traces(`{ ${alike} && traceDuration < 5s && nestedSetParent < 0 } && { name =~ ".*Charge" }`);
  await open(`/trace/${fast.traceId}?view=compare&other=${slow.traceId}`);
  const nodes = page.getByRole("region", { name: "operations of both traces" });
  await nodes.getByRole("listitem").first().waitFor(PATIENT);
  await nodes.getByText(/slower/).first().waitFor();
  assert.match(await page.getByRole("region", { name: "comparison" }).innerText(), /longer|slower|\+/);
});

const SIZES = { narrow: { width: 390, height: 844 }, wide: { width: 1920, height: 1080 } };
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    test(`search and trace are right on a ${size} screen, ${colorScheme}`, async () => {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const [slow] = await traces(RETRIED);
      const isWithin = async (what) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} scrolls sideways`);
      await open("/");
      await traceRows().first().waitFor();
      await isWithin("the search");
      assert.deepEqual(await axeViolations(), [], "search");
      await open(`/trace/${slow.traceId}`);
      await spanRows().first().waitFor();
      await summary().getByText(/\d+ %/).first().waitFor();
      await isWithin("the trace");
      assert.deepEqual(await axeViolations(), [], "trace");
      await spanRows().first().click();
      await details().getByText("service.name", { exact: true }).waitFor();
      await isWithin("the details");
      assert.deepEqual(await axeViolations(), [], "details");
    });
  }
}
