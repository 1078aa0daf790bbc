/**
 * The page against a running server with traces in it, in headless Chromium: the list, a trace and its views.
 *
 *     BASE_URL=http://127.0.0.1:3200 npm run e2e        the real binary, `throughline demo`
 *     CHROMIUM=/usr/bin/chromium                        which browser
 *
 * Nothing here knows the names of the demo's services: what to click on is read from the page itself.
 */
import assert from "node:assert/strict";
import { analysed, axeViolations, freshRow, getJson, isSettled, open, page, rowCount, rowCountOf, spanRows, test, traceRows, traces } from "./stage.mjs";

const UNKNOWN_ID = "00000000000000000000000000000bad";

async function openFirstTrace(search = "") {
  await open(`/${search}`);
  await (await freshRow()).locator("a").click();
  await spanRows().first().waitFor();
  await analysed();
  // A trace is opened at its match; these tests begin with none.
  if (!new URL(page.url()).searchParams.has("span")) return;
  await page.getByRole("button", { name: "close the details" }).click();
  await page.waitForURL((url) => !url.searchParams.has("span"));
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
  await page.waitForURL((url) => url.searchParams.get("q")?.includes(JSON.stringify(service)));
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
  await page.waitForURL((url) => url.searchParams.get("q")?.includes("duration >= 1ns"));
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
  const total = await rowCount();
  assert.ok(total >= 1);
  assert.ok((await spanRows().count()) >= Math.min(total, 10));
  const empty = await page.locator("[role=treegrid] canvas").evaluateAll(async (canvases) => {
    // What lies below the last row has nothing to show.
    const end = document.querySelector("[role=treegrid] [data-position]:last-child").closest("[role=rowgroup]").getBoundingClientRect().bottom;
    const isEmpty = (canvas) => {
      const context = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d");
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return !data.some((value, i) => i % 4 === 3 && value > 0);
    };
    return canvases.filter((canvas) => canvas.getBoundingClientRect().top < end).map(isEmpty);
  });
  assert.ok(empty.length > 0 && !empty.includes(true), "a canvas of the waterfall is empty");
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
  const all = await rowCount();
  await page.keyboard.press("[");
  await page.waitForFunction((n) => Number(document.querySelector("[role=treegrid]").getAttribute("aria-rowcount")) - 1 < n, all);
  await page.keyboard.press("]");
  await rowCountOf(all);
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

test("TraceQL finds spans of the trace, and a mistake in it is told in place", async () => {
  await openStory();
  const field = page.getByLabel("find in this trace");
  const status = page.locator("main [role=search] [role=status]");
  await field.fill("{ status = error }");
  await status.getByText(/^\d/).waitFor();
  await field.press("Enter");
  await status.getByText(/^\d+ of \d/).waitFor();
  await field.fill("{ status == error }");
  await page.getByRole("search", { name: "within this trace" }).getByRole("alert").getByText(/\^/).waitFor();
  await field.fill('{ name = "no span has this name" }');
  await status.getByText("none").waitFor();
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

/** Two traces that began with the same operation. */
async function twoAlike() {
  const { traces } = await getJson("/api/v1/traces?limit=300");
  const settled = traces.filter(isSettled);
  for (const one of settled.filter((trace) => trace.spanCount > 5)) {
    const other = settled.find((trace) => trace !== one && trace.rootService === one.rootService && trace.rootName === one.rootName);
    if (other) return [one, other];
  }
  return assert.fail("no two traces began alike");
}

/** The newest trace that a query finds. */
const newestTrace = async (query) => (await traces(query))[0].traceId;

const traceWithEvents = () => newestTrace('{ status = error && event:name = "exception" }');

/** A trace that the analysis has something to say about: the payment provider does not answer, and is asked again and again. */
async function openStory() {
  await open(`/trace/${await newestTrace('{ name =~ ".*Charge" } >> { event:name = "exception" } | count() >= 10')}`);
  await spanRows().first().waitFor();
  await analysed();
}

test("where the time went is said in words, and a finding shows and reaches its spans", async () => {
  await openStory();
  const summary = page.getByRole("region", { name: "where the time went" });
  await summary.getByText(/\d+ %/).first().waitFor();
  await page.getByRole("button", { name: /^\d+ findings?$/ }).click();
  const finding = page.getByRole("complementary", { name: "findings" }).getByRole("button").nth(1);
  await finding.click();
  await page.waitForURL(/finding=/);
  assert.equal(await finding.getAttribute("aria-expanded"), "true");
  const status = page.locator("main [role=search] [role=status]");
  assert.match(await status.innerText(), /^1 of \d|^\d/);
  await page.keyboard.press("n");
  await page.reload();
  await page.getByRole("complementary", { name: "findings" }).locator("[aria-expanded=true]").waitFor();
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.searchParams.has("finding"));
  await page.keyboard.press("i");
  await page.getByRole("complementary", { name: "findings" }).waitFor({ state: "detached" });
});

test("only the critical path, and everything again", async () => {
  await openStory();
  await page.getByRole("region", { name: "where the time went" }).getByText(/\d+ %/).first().waitFor();
  const all = await rowCount();
  await page.keyboard.press("c");
  await page.waitForURL(/path=only/);
  assert.ok((await rowCount()) <= all);
  await page.keyboard.press("u");
  await page.waitForURL((url) => !url.searchParams.has("path"));
  await rowCountOf(all);
});

test("services are hidden and shown, and the address restores it", async () => {
  await openStory();
  const all = await rowCount();
  await page.getByRole("button", { name: /services? ▾$/ }).click();
  const menu = page.getByRole("group", { name: "services" });
  await menu.getByRole("checkbox").last().uncheck();
  await page.waitForURL(/hide=/);
  const fewer = await rowCount();
  assert.ok(fewer < all);
  await page.reload();
  await rowCountOf(fewer);
  await page.keyboard.press("Escape");
  await page.waitForURL((url) => !url.searchParams.has("hide"));
});

test("a subtree alone, and back", async () => {
  await openStory();
  const all = await rowCount();
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("b");
  await page.waitForURL(/top=[0-9a-f]{16}/);
  assert.ok((await rowCount()) < all);
  assert.equal(await spanRows().first().getAttribute("aria-level"), "1");
  await page.keyboard.press("b");
  await page.waitForURL((url) => !url.searchParams.has("top"));
});

/** A page that asks its database once more for each of its orders. */
const traceWithRepeats = () => newestTrace('{ name =~ ".*ListOrders" } > { kind = client } | count() >= 12');

test("repeated calls share a row until they are unfolded", async () => {
  await open(`/trace/${await traceWithRepeats()}`);
  await spanRows().first().waitFor();
  await analysed();
  await page.getByRole("button", { name: "fold repeats", pressed: true }).waitFor();
  const folded = await rowCount();
  await page.keyboard.press("X");
  await page.waitForFunction((n) => Number(document.querySelector("[role=treegrid]").getAttribute("aria-rowcount")) - 1 >= n + 9, folded);
  await page.keyboard.press("X");
  await rowCountOf(folded);
});

test("the table groups by anything and leads to a span", async () => {
  await openStory();
  await page.getByRole("button", { name: "Table" }).click();
  await page.waitForURL(/view=table/);
  const groups = () => page.locator("table tbody tr");
  await groups().first().waitFor();
  await page.getByLabel("group by").selectOption("service");
  await page.waitForURL(/by=service/);
  await page.getByRole("button", { name: "spans", exact: true }).click();
  const counts = (await groups().locator("td:nth-child(4)").allInnerTexts()).map((text) => Number(text.replace(/,/g, "")));
  assert.deepEqual(counts, [...counts].sort((a, b) => b - a));
  await groups().first().getByRole("button").click();
  await page.getByRole("complementary", { name: "span details" }).waitFor();
});

test("the flame graph zooms and is walked with the arrows", async () => {
  await openStory();
  await page.getByRole("button", { name: "Flame graph" }).click();
  const frames = page.locator("button[data-depth]");
  await frames.first().waitFor();
  await frames.first().focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.depth), "1");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "whole trace" }).click();
});

test("the service graph shows who called whom, and leads to a span", async () => {
  await openStory();
  await page.getByRole("button", { name: "Services", exact: true }).click();
  const graph = page.getByRole("region", { name: "services and calls" });
  await graph.getByRole("button").first().waitFor();
  assert.ok((await graph.getByRole("button").count()) > 1);
  await graph.getByRole("button").nth(1).press("Enter");
  await page.getByRole("complementary", { name: "span details" }).waitFor();
});

test("events are a log that is filtered", async () => {
  await open(`/trace/${await traceWithEvents()}`);
  await page.getByRole("button", { name: "Events" }).click();
  const lines = page.getByRole("region", { name: "events in order of time" }).getByRole("listitem");
  await lines.first().waitFor();
  const all = await lines.count();
  await page.getByLabel("filter events").fill("nothing has these words");
  await page.waitForFunction(() => document.querySelectorAll("[aria-label='events in order of time'] [role=listitem]").length === 0);
  await page.getByLabel("filter events").fill("");
  await lines.first().click();
  await page.getByRole("complementary", { name: "span details" }).waitFor();
  assert.ok(all > 0);
});

test("a trace is compared with another that began alike", async () => {
  const [one] = await twoAlike();
  await open(`/trace/${one.traceId}`);
  await page.getByRole("button", { name: "Compare" }).click();
  const alike = page.getByRole("region", { name: "comparison" }).locator("li button");
  await alike.first().click();
  await page.waitForURL(/other=[0-9a-f]{32}/);
  await page.getByRole("region", { name: "operations of both traces" }).getByRole("listitem").first().waitFor();
});

test("what a span says is found in the trace", async () => {
  await openStory();
  await spanRows().first().click();
  await page.getByRole("button", { name: /^find service\.name=/ }).first().click();
  await page.waitForURL(/find=/);
  await page.waitForFunction(() => /\d/.test(document.querySelector("main [role=search] [role=status]").innerText));
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
  test(`axe finds nothing in lists and errors, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    await open("/");
    await traceRows().first().waitFor();
    assert.deepEqual(await axeViolations(), [], "list");
    await page.keyboard.press("j");
    assert.deepEqual(await axeViolations(), [], "list with a current row");
    await open(`/trace/${UNKNOWN_ID}`);
    await page.getByRole("heading", { name: "Trace not found" }).waitFor();
    assert.deepEqual(await axeViolations(), [], "trace not found");
  });

  test(`axe finds nothing in a trace, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    await openStory();
    await spanRows().first().click();
    await page.getByRole("complementary", { name: "span details" }).waitFor();
    await page.getByRole("button", { name: "show as OTLP JSON" }).click();
    assert.deepEqual(await axeViolations(), [], "trace with details");
    await page.getByRole("button", { name: "close the details" }).click();
    await page.getByRole("button", { name: /^\d+ findings?$/ }).click();
    await page.getByRole("button", { name: /services? ▾$/ }).click();
    assert.deepEqual(await axeViolations(), [], "findings and services");
  });

  test(`axe finds nothing in the views of a trace, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    const [one, other] = await twoAlike();
    const views = { flame: "button[data-depth]", table: "table tbody tr", graph: "[aria-label='service graph'] button", events: "[aria-label=events] [role=status]", compare: "[aria-label=comparison] li" };
    for (const [view, ready] of Object.entries(views)) {
      await open(`/trace/${one.traceId}?view=${view}`);
      await page.locator(ready).first().waitFor();
      assert.deepEqual(await axeViolations(), [], view);
    }
    await open(`/trace/${one.traceId}?view=compare&other=${other.traceId}`);
    await page.getByRole("region", { name: "operations of both traces" }).getByRole("listitem").first().waitFor();
    assert.deepEqual(await axeViolations(), [], "comparison");
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
