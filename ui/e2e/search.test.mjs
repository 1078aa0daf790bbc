/**
 * The search page against a running server, in headless Chromium: one query as text, chips, charts and differences.
 * Nothing here knows what the demo holds: what to ask for is read from the page and the server.
 */
import assert from "node:assert/strict";
import { sendSpan } from "./spans.mjs";
import { axeViolations, freshRow, getJson, open, page, spanRows, test, traceRows } from "./stage.mjs";

const queryOf = (url) => new URL(url).searchParams.get("q") ?? "";
const search = (query, more = "") => open(`/?${new URLSearchParams({ q: query })}${more}`);
const editor = () => page.getByRole("textbox", { name: "query (TraceQL)" });
const panel = () => page.getByRole("complementary", { name: "what is different" });
const heat = () => page.getByTitle("drag a box to select");
/** A comparison looks at every attribute of every span of an hour, which a busy machine takes its time for. */
const COMPARED = { timeout: 45_000 };

/** The editor proper, not the field that stands in for it. */
async function openEditor() {
  await page.keyboard.press("/");
  await page.locator(".cm-content").waitFor();
}

test("a query that is typed runs with Enter, and is in the address and in the chips", async () => {
  await open("/");
  await traceRows().first().waitFor();
  await openEditor();
  await page.keyboard.type("{ status = error && duration >= 1ns }");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => queryOf(url).includes("status = error"));
  await traceRows().first().waitFor();
  await page.getByRole("group", { name: "status" }).getByRole("button", { name: "errors", exact: true, pressed: true }).waitFor();
  assert.equal(await page.getByLabel("shortest duration").inputValue(), "1ns");
});

test("no letter is lost when the editor takes the place of the plain field", async () => {
  await open("/");
  await page.getByRole("textbox", { name: "query (TraceQL)" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("{ name != nil && status = error && kind = client", { delay: 15 });
  await page.locator(".cm-content").waitFor();
  assert.match(await editor().innerText(), /^\{ name != nil && status = error && kind = client/);
  await page.keyboard.press("Escape");
});

test("chips write the query, and the editor shows what they wrote", async () => {
  await search("{ status = error }");
  await traceRows().first().waitFor();
  await page.getByRole("group", { name: "spans" }).getByRole("button", { name: "roots" }).click();
  await page.waitForURL((url) => queryOf(url) === "{ status = error && nestedSetParent < 0 }");
  assert.equal(await editor().evaluate((field) => field.value ?? field.innerText), "{ status = error && nestedSetParent < 0 }");
  await page.getByRole("button", { name: "+ attribute" }).click();
  await page.getByRole("textbox", { name: "attribute" }).or(page.getByRole("combobox", { name: "attribute" })).fill("resource.service.name");
  await page.getByLabel("comparison").selectOption("!=");
  await page.getByLabel("value", { exact: true }).fill("no such service");
  await page.getByLabel("value", { exact: true }).press("Enter");
  await page.waitForURL((url) => queryOf(url).endsWith('resource.service.name != "no such service" }'));
  await page.getByRole("button", { name: 'remove resource.service.name != "no such service"' }).click();
  await page.waitForURL((url) => queryOf(url) === "{ status = error && nestedSetParent < 0 }");
});

test("a query that chips cannot show says so, and runs all the same", async () => {
  await search("{ status = error } || { duration > 1ns }");
  await page.getByText("more than chips can show").waitFor();
});

test("a mistake is shown under its place, and a click mends it", async () => {
  await search("{ status == error }");
  const problems = page.getByRole("alert", { name: "problems of the query" });
  await problems.waitFor();
  assert.match(await problems.innerText(), /\^/);
  await problems.getByRole("button", { name: /^write / }).first().click();
  await page.waitForURL((url) => queryOf(url) === "{ status = error }");
  await traceRows().first().waitFor();
});

test("the spans that matched open below their trace and lead into it", async () => {
  await search("{ status = error && span:kind = client }", "&range=any");
  await traceRows().first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowRight");
  const span = page.getByRole("list", { name: "spans that matched" }).getByRole("link").first();
  const target = await span.getAttribute("href");
  assert.match(target, /span=[0-9a-f]{16}/);
  await page.keyboard.press("ArrowLeft");
  await span.waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await page.waitForURL(/span=[0-9a-f]{16}/);
  await page.getByRole("complementary", { name: "span details" }).waitFor();
  await spanRows().first().waitFor();
});

test("a box over the durations is a selection, its differences narrow the query", async () => {
  await open("/");
  const box = await heat().boundingBox();
  await page.mouse.move(box.x + 5, box.y + 1);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.3, { steps: 4 });
  await page.mouse.move(box.x + box.width - 5, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/select=\d+-\d+/);
  await panel().waitFor();
  await page.reload();
  await panel().getByText(/\d selected/).waitFor(COMPARED);
  await page.keyboard.press("x");
  await panel().waitFor({ state: "detached" });
  await page.keyboard.press("E");
  await panel().getByRole("button", { name: /^only / }).first().click(COMPARED);
  await page.waitForURL((url) => queryOf(url).startsWith("{ nestedSetParent < 0 && "));
});

test("the slowest become the query, by the keyboard alone", async () => {
  await open("/");
  await page.getByRole("button", { name: "the slowest", disabled: false }).waitFor();
  await page.keyboard.press("d");
  await page.waitForURL(/select=/);
  await page.keyboard.press("b");
  await page.waitForURL((url) => /duration >= .* && duration <= /.test(queryOf(url)) && url.searchParams.has("start") && !url.searchParams.has("select"));
  await traceRows().first().waitFor();
});

test("dragging over the rate looks at a shorter time", async () => {
  await open("/");
  const box = await page.getByTitle("drag to look at a shorter time").boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 12, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.has("start") && url.searchParams.has("end"));
});

test("charts at any time begin with the earliest span", async () => {
  await open("/?range=any");
  await heat().locator("canvas").waitFor();
  await page.getByRole("button", { name: "the slowest", disabled: false }).waitFor();
});

test("while live, a new match comes by itself", async () => {
  const name = `live ${Date.now()} ${Math.random()}`;
  await search(`{ name = ${JSON.stringify(name)} }`);
  await page.getByRole("heading", { name: "No traces here" }).waitFor();
  await page.getByRole("button", { name: "live", exact: true }).click();
  await page.getByRole("button", { name: "live", exact: true, pressed: true }).waitFor();
  await sendSpan(name);
  await traceRows().first().waitFor();
  assert.equal(await traceRows().count(), 1);
  assert.match(await traceRows().first().innerText(), new RegExp(name.slice(0, 12)));
});

test("a metrics query is drawn as lines and listed", async () => {
  await search("{ } | rate() by (resource.service.name)");
  const rows = page.getByRole("region", { name: "what the lines are" }).getByRole("rowheader");
  await rows.first().waitFor();
  const { services } = await getJson("/api/v1/services");
  const drawn = (await rows.allInnerTexts()).map((text) => text.trim());
  assert.ok(services.some(({ name }) => drawn.includes(name)), `${drawn} are no services`);
});

test("queries that were run are found again", async () => {
  await search("{ status = error }");
  await page.getByLabel("shortest duration").fill("2ns");
  await page.getByLabel("shortest duration").press("Enter");
  await page.waitForURL((url) => queryOf(url).includes("2ns"));
  await open("/");
  await page.getByRole("button", { name: "recent ▾" }).click();
  await page.getByRole("button", { name: /duration >= 2ns/ }).click();
  await page.waitForURL((url) => queryOf(url).includes("2ns"));
});

test("a trace of which every span matched is opened at the first of them", async () => {
  const name = `alone ${Date.now()} ${Math.random()}`;
  await sendSpan(name);
  await search(`{ name = ${JSON.stringify(name)} }`);
  await traceRows().first().locator("a").click();
  await page.waitForURL(/span=[0-9a-f]{16}/);
  await page.getByRole("complementary", { name: "span details" }).getByRole("heading", { name }).waitFor();
});

test("an attribute of a span leads to a search for it, and to one without it", async () => {
  await search("{ status = error }");
  await (await freshRow()).locator("a").click();
  const details = page.getByRole("complementary", { name: "span details" });
  await details.getByRole("link", { name: /^exclude resource\.service\.name = / }).click();
  await page.waitForURL((url) => /^\{ status = error && resource\.service\.name != /.test(queryOf(url)));
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in a search, ${colorScheme}`, async () => {
    await page.emulateMedia({ colorScheme });
    await search("{ status = error && span:kind = client }", "&select=errors");
    await traceRows().first().waitFor();
    await openEditor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowRight");
    await panel().getByText(/\d selected/).waitFor(COMPARED);
    assert.deepEqual(await axeViolations(), [], "matches and differences");
    await page.keyboard.press("d");
    await page.getByRole("group", { name: "the box" }).waitFor();
    await panel().locator("[aria-busy=false]").waitFor(COMPARED);
    assert.deepEqual(await axeViolations(), [], "a box");
    await page.getByRole("button", { name: "recent ▾" }).click();
    assert.deepEqual(await axeViolations(), [], "recent queries");
    await search("{ status == error }");
    await page.getByRole("alert", { name: "problems of the query" }).waitFor();
    assert.deepEqual(await axeViolations(), [], "problems");
    await search("{ } | rate() by (status)");
    await page.getByRole("region", { name: "what the lines are" }).getByRole("rowheader").first().waitFor();
    assert.deepEqual(await axeViolations(), [], "series");
  });
}

test("a head sorts, and two traces are compared from the results", async () => {
  await open("/?range=any");
  await traceRows().nth(1).waitFor();
  await page.getByRole("columnheader", { name: "duration" }).getByRole("button").click();
  await page.waitForURL(/order=slowest/);
  await page.getByRole("columnheader", { name: "duration" }).and(page.locator("[aria-sort=descending]")).waitFor();
  await freshRow();
  await traceRows().nth(1).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("c");
  await page.keyboard.press("j");
  await page.keyboard.press("c");
  await page.waitForURL(/view=compare&other=[0-9a-f]{32}/);
});

/** The story that the page is for: from "something is slow" to why, without writing a query. */
test("from the slowest over what is different about them to a trace and its critical path", async () => {
  await open("/");
  await page.getByRole("button", { name: "the slowest", disabled: false }).waitFor();
  await page.keyboard.press("d");
  await panel().locator("[aria-busy=false]").waitFor(COMPARED);
  const value = panel().getByRole("button", { name: /^only / }).first();
  const chosen = (await value.getAttribute("aria-label")).replace(/^only /, "");
  await value.click();
  const [field] = chosen.split(" = ");
  await page.waitForURL((url) => queryOf(url).includes(`${field} = `));
  await page.keyboard.press("b");
  await page.waitForURL((url) => queryOf(url).includes("duration >= ") && url.searchParams.has("start"));
  await (await freshRow()).locator("a").click();
  await spanRows().first().waitFor();
  await page.getByRole("region", { name: "where the time went" }).getByText(/\d+ %/).first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("c");
  await page.waitForURL(/path=only/);
});

test("a clock that begins at 1970 does not stretch the charts over all time, and they say so", async () => {
  await sendSpan("no clock", 1_000_000_000n);
  await open("/?range=any");
  await page.locator("footer").getByText(/the charts leave out [\d,]+ traces? with times more than a year away/).waitFor();
  await heat().locator("canvas").waitFor();
  const axis = await page.getByRole("region", { name: "rate, errors and durations" }).innerText();
  assert.doesNotMatch(axis, /01-01/);
});
