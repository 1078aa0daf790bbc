/**
 * Traces as files: saved from the page, opened in it without being stored, and looked at as stored ones are.
 *
 *     BASE_URL=http://127.0.0.1:3200 npm run e2e
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { largeTrace } from "./spans.mjs";
import { axeViolations, getJson, open, page, rowCount, rowCountOf, spanRows, test, traces } from "./stage.mjs";

/** The payment provider does not answer: what a trace with findings looks like. */
const RETRIED = '{ name =~ ".*Charge" } >> { event:name = "exception" } | count() >= 10';
/** A large file takes its time on a busy machine. */
const PATIENT = { timeout: 60_000 };

const field = () => page.getByLabel("find in this trace");
const found = () => page.locator("main [role=search] [role=status]");
const summary = () => page.getByRole("region", { name: "where the time went" });
const comparison = () => page.getByRole("region", { name: "operations of both traces" }).getByRole("listitem");

async function openTrace(id) {
  await open(`/trace/${id}`);
  await spanRows().first().waitFor();
}

async function saved(form) {
  await page.getByRole("button", { name: "download the trace" }).click();
  const button = page.getByRole("group", { name: "download as" }).getByRole("button", { name: form });
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  return { path: await download.path(), name: download.suggestedFilename() };
}

/** The file's first trace, not that of a file which was open before. */
async function openFile(path) {
  const before = page.url();
  await page.getByLabel("file of traces", { exact: true }).setInputFiles(path);
  await page.waitForURL((url) => url.href !== before && /^\/file\/[0-9a-f]{32}$/.test(url.pathname), PATIENT);
  await spanRows().first().waitFor(PATIENT);
}

const words = async () => {
  await summary().getByText(/\d+ %/).first().waitFor();
  return summary().innerText();
};

test("a trace is downloaded as OTLP JSON, opened from its file, and looks as it did", async () => {
  const [{ traceId }] = await traces(RETRIED);
  await openTrace(traceId);
  const told = await words();
  const rows = await rowCount();
  const { path, name } = await saved("OTLP JSON");
  assert.match(name, new RegExp(traceId));
  const { resourceSpans } = JSON.parse(await readFile(path, "utf8"));
  assert.ok(resourceSpans.every((r) => r.scopeSpans.every((s) => s.spans.every((span) => span.traceId === traceId))));
  await open("/");
  await openFile(path);
  assert.equal(await words(), told);
  await rowCountOf(rows);
  assert.deepEqual(await axeViolations(), []);
  await page.reload();
  await page.getByRole("heading", { name: "No file to show" }).waitFor();
});

test("a trace is downloaded as Jaeger JSON, and is the same trace when it is opened", async () => {
  const [{ traceId }] = await traces(RETRIED);
  await openTrace(traceId);
  const told = await words();
  const rows = await rowCount();
  const { path } = await saved("Jaeger JSON");
  const { data } = JSON.parse(await readFile(path, "utf8"));
  assert.equal(data[0].traceID, traceId);
  await openFile(path);
  assert.equal(await words(), told);
  await rowCountOf(rows);
});

test("TraceQL finds spans of a trace of a file, and a mistake in it is told in place", async () => {
  const [{ traceId }] = await traces(RETRIED);
  await openTrace(traceId);
  await field().fill("{ status = error }");
  await found().getByText(/^\d/).waitFor();
  const count = await found().innerText();
  const { path } = await saved("OTLP JSON");
  await openFile(path);
  await field().fill("{ status = error }");
  await found().getByText(/^\d/).waitFor();
  assert.equal(await found().innerText(), count);
  await field().press("Enter");
  await found().getByText(/^\d+ of \d/).waitFor();
  await field().fill("{ status == error }");
  await page.getByRole("search", { name: "within this trace" }).getByRole("alert").getByText(/\^/).waitFor();
});

test("a trace of a file is compared with a stored one, and a stored one with it", async () => {
  const [slow] = await traces(RETRIED);
  const alike = `rootServiceName = ${JSON.stringify(slow.rootService)} && rootName = ${JSON.stringify(slow.rootName)}`;
  const [fast] = await traces(`{ ${alike} && traceDuration < 5s && nestedSetParent < 0 } && { name =~ ".*Charge" }`);
  await openTrace(slow.traceId);
  const { path } = await saved("OTLP JSON");
  await openFile(path);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByLabel("trace to compare with").fill(fast.traceId);
  await page.getByRole("button", { name: "compare", exact: true }).click();
  await page.getByText(/faster/).first().waitFor();
  const told = await comparison().count();

  await page.goBack();
  await page.getByLabel("trace id", { exact: true }).fill(fast.traceId);
  await page.getByLabel("trace id", { exact: true }).press("Enter");
  await spanRows().first().waitFor();
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("region", { name: "comparison" }).getByRole("button", { name: new RegExp(`${slow.traceId.slice(-8)}|\\.json$`) }).first().click();
  await page.getByText(/slower/).first().waitFor();
  await page.getByText(/of the file/).waitFor();
  assert.ok((await comparison().count()) >= told / 2);
});

test("traces of two files are compared", async () => {
  const [slow, other] = await traces(RETRIED, 2);
  const folder = await mkdtemp(join(tmpdir(), "throughline-"));
  const paths = await Promise.all(
    [slow, other].map(async ({ traceId }) => {
      const path = join(folder, `${traceId}.json`);
      await writeFile(path, JSON.stringify(await getJson(`/api/v1/traces/${traceId}`)));
      return path;
    }),
  );
  await open("/");
  for (const path of paths) await openFile(path);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("region", { name: "comparison" }).getByRole("button", { name: `${slow.traceId}.json` }).click();
  await page.waitForURL((url) => url.searchParams.get("other") === slow.traceId);
  await comparison().first().waitFor();
});

test("what is no file of traces is refused in words", async () => {
  const folder = await mkdtemp(join(tmpdir(), "throughline-"));
  const path = join(folder, "shopping.json");
  await writeFile(path, '{ "milk": 2 }');
  await open("/");
  await page.getByLabel("file of traces", { exact: true }).setInputFiles(path);
  await page.getByRole("alert").getByText(/shopping\.json has no spans/).waitFor();
});

test("a file of 50,000 spans is read beside the page, and is searched", async () => {
  const { spans, requests } = largeTrace();
  const folder = await mkdtemp(join(tmpdir(), "throughline-"));
  const path = join(folder, "large.jsonl");
  await writeFile(path, requests.join("\n"));
  await open("/");
  await page.getByLabel("file of traces", { exact: true }).setInputFiles(path);
  await page.getByRole("progressbar").waitFor(PATIENT);
  await spanRows().first().waitFor(PATIENT);
  await page.keyboard.press("X");
  await rowCountOf(spans, PATIENT);
  await field().fill("{ span.rows = 49999 }");
  await found().getByText(/^1$/).waitFor(PATIENT);
});
