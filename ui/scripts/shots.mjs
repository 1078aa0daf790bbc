/**
 * Pictures of every screen, light and dark, wide and narrow, to be looked at by a person.
 *
 *     BASE_URL=http://127.0.0.1:3200 npm run shots -- /tmp/shots
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launch } from "./browser.mjs";

const base = process.env.BASE_URL ?? "http://127.0.0.1:3200";
const out = process.argv[2] ?? "shots";
const SIZES = { wide: { width: 1600, height: 1000 }, narrow: { width: 400, height: 860 } };

const get = async (path) => (await fetch(`${base}${path}`)).json();
const { traces: slow } = await get("/api/v1/traces?order=slowest&limit=50");
const { traces: fresh } = await get("/api/v1/traces?order=newest&limit=100");
const withErrors = fresh.find((trace) => trace.errorCount > 0 && trace.hasRoot) ?? fresh[0];
const whole = fresh.find((trace) => trace.errorCount === 0 && trace.services.length > 4) ?? fresh[0];
const largest = slow.reduce((most, trace) => (trace.spanCount > most.spanCount ? trace : most));
const alike = fresh.find((trace) => trace !== whole && trace.rootService === whole.rootService && trace.rootName === whole.rootName);
const rootless = fresh.find((trace) => !trace.hasRoot);

async function spanWithEvent(id) {
  const { resourceSpans } = await get(`/api/v1/traces/${id}`);
  const spans = resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
  return (spans.find((span) => span.events?.length > 0) ?? spans.at(-1)).spanId;
}

const search = (query, more = "") => `/?${new URLSearchParams({ q: query })}${more}`;

const PAGES = {
  list: "/",
  slowest: "/?order=slowest&view=list",
  errors: search("{ status = error && span:kind = client }"),
  different: search("{ nestedSetParent < 0 }", "&select=errors"),
  series: search("{ } | rate() by (resource.service.name)"),
  mistake: search("{ status == eror }"),
  none: "/?service=nobody",
  trace: `/trace/${whole.traceId}`,
  details: `/trace/${withErrors.traceId}?span=${await spanWithEvent(withErrors.traceId)}`,
  ...Object.fromEntries(["flame", "table", "graph", "events", "compare"].map((view) => [view, `/trace/${withErrors.traceId}?view=${view}`])),
  ...(alike && { comparison: `/trace/${whole.traceId}?view=compare&other=${alike.traceId}` }),
  find: `/trace/${whole.traceId}?find=payment`,
  large: `/trace/${largest.traceId}`,
  ...(rootless && { rootless: `/trace/${rootless.traceId}` }),
  missing: "/trace/00000000000000000000000000000abc",
};

await mkdir(out, { recursive: true });
const browser = await launch();
for (const [sizeName, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && console.log(`${page.url()}: ${message.text()}`));
    page.on("pageerror", (error) => console.log(`${page.url()}: ${error.stack}`));
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(`${base}${path}`);
      await page.waitForLoadState("networkidle");
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(out, `${name}-${sizeName}-${colorScheme}.png`) });
    }
    await context.close();
  }
}
await browser.close();
