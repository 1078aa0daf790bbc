/**
 * How fast the page is on the largest trace of a server: until rows are there, how much of the page moves meanwhile, and
 * frames while scrolling and zooming.
 *
 *     BASE_URL=http://127.0.0.1:3200 npm run measure
 *     OTLP_URL=http://127.0.0.1:4318      a trace of 50,000 spans, or of SPANS, is sent there first
 */
import { sendLargeTrace } from "../e2e/spans.mjs";
import { launch } from "./browser.mjs";

const base = process.env.BASE_URL ?? "http://127.0.0.1:3200";
const largest = process.env.OTLP_URL ? await sendLargeTrace(process.env.OTLP_URL, Number(process.env.SPANS ?? 50_000)) : await largestHeld();

async function largestHeld() {
  const { traces } = await (await fetch(`${base}/api/v1/traces?order=slowest&limit=100`)).json();
  const { traceId, spanCount } = traces.reduce((most, trace) => (trace.spanCount > most.spanCount ? trace : most));
  return { traceId, spans: spanCount };
}

/** A frame that took so long came one late, of sixty a second. */
const LATE_MS = 20;

const browser = await launch();

/** A page, with scripts of ours allowed in it, once `selector` is there; and the milliseconds from navigation until then, by its own clock. */
async function opened(path, selector) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, bypassCSP: true });
  page.session = await page.context().newCDPSession(page);
  await page.addInitScript((wanted) => {
    globalThis.tasks = [];
    new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries().map(({ startTime, duration }) => [Math.round(startTime), Math.round(duration)]))).observe({ type: "longtask", buffered: true });
    globalThis.moved = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (globalThis.moved += entry.value))).observe({ type: "layout-shift", buffered: true });
    const look = () => {
      if (document.querySelector(wanted)) globalThis.thereAt = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, selector);
  await page.goto(`${base}${path}`);
  await page.waitForFunction(() => globalThis.thereAt);
  return { page, ms: `${await page.evaluate(() => Math.round(globalThis.thereAt))} ms` };
}

/** How much of the page moved by itself, as browsers count it; 0 is nothing. */
const shift = async (page) => (await page.evaluate(() => globalThis.moved)).toFixed(3);

/**
 * What `run` answers, and the processor time in ms of each task of the page's main thread meanwhile. By the clock of the
 * thread: that of the wall, by which `Performance.getMetrics` sums tasks, counts other processes too.
 */
async function processorTimes(session, run) {
  const events = [];
  const collect = ({ value }) => events.push(...value);
  session.on("Tracing.dataCollected", collect);
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories: ["toplevel"] } });
  const result = await run();
  const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
  await session.send("Tracing.end");
  await complete;
  session.off("Tracing.dataCollected", collect);
  const threads = new Set(events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  const byThread = new Map([...threads].map((thread) => [thread, []]));
  for (const { name, ph, pid, tid, tdur } of events) {
    if (ph === "X" && name === "ThreadControllerImpl::RunTask") byThread.get(`${pid} ${tid}`)?.push((tdur ?? 0) / 1000);
  }
  // Another page may be kept ready; the one that is looked at has more to do.
  const sum = (tasks) => tasks.reduce((total, ms) => total + ms, 0);
  const tasks = [...byThread.values()].sort((a, b) => sum(b) - sum(a))[0] ?? [];
  return { result, sum: sum(tasks), longest: Math.max(0, ...tasks) };
}

/** The lengths of frames while `action` runs in each of them, in words. */
async function frames(page, action) {
  const measure = () => page.evaluate(async (source) => {
    const act = new Function("i", source);
    const measured = [];
    let before = await new Promise(requestAnimationFrame);
    for (let i = 0; i < 240; i++) {
      act(i);
      const now = await new Promise(requestAnimationFrame);
      measured.push(now - before);
      before = now;
    }
    return measured.sort((a, b) => a - b);
  }, action);
  const { result: lengths, sum, longest } = await processorTimes(page.session, measure);
  const at = (share) => lengths[Math.min(lengths.length - 1, Math.floor(lengths.length * share))].toFixed(1);
  const late = lengths.filter((ms) => ms > LATE_MS).length;
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, ${late} late; processor ${(sum / lengths.length).toFixed(1)} ms a frame, at most ${longest.toFixed(1)}`;
}

const list = await opened("/", '[role=table] a[href^="/trace/"]');
await list.page.waitForSelector(".cm-content");
console.log(`list, first row: ${list.ms}; layout shift ${await shift(list.page)}`);
await list.page.close();
const { page, ms } = await opened(`/trace/${largest.traceId}`, "[data-position]");
console.log(`trace of ${largest.spans} spans, first row: ${ms}`);
await page.waitForFunction(() => document.querySelector("[aria-label='download the trace']:enabled"));
await page.waitForTimeout(500);
const whole = await page.evaluate(() => [Math.round(performance.getEntriesByType("resource").find(({ name }) => name.includes("lines=on"))?.responseEnd ?? 0), globalThis.tasks]);
console.log(`  all of it read: ${whole[0]} ms; tasks over 50 ms (start, length): ${whole[1].map((task) => task.join(" ")).join(", ") || "none"}; layout shift ${await shift(page)}`);
console.log(`  idle frames: ${await frames(page, "")}`);
console.log(`  scrolling 5 rows a frame: ${await frames(page, "document.querySelector('[role=treegrid]').scrollTop += 120")}`);
console.log(`  jumping through it: ${await frames(page, "document.querySelector('[role=treegrid]').scrollTop = (i * 48_271) % 1_000_000")}`);
const wheel = `document.querySelector("[role=treegrid]").dispatchEvent(new WheelEvent("wheel", { ctrlKey: true, deltaY: i < 120 ? -40 : 40, clientX: 900, clientY: 400, cancelable: true, bubbles: true }))`;
console.log(`  zooming: ${await frames(page, wheel)}`);
const find = await page.evaluate(async () => {
  const field = document.querySelector("main [role=search] input");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const start = performance.now();
  set.call(field, "shard-7 ledger");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const status = document.querySelector("main [role=search] [role=status]");
  while (status.innerText === "") await new Promise(requestAnimationFrame);
  return Math.round(performance.now() - start);
});
console.log(`  finding text the first time, typing pause of 120 ms included: ${find} ms`);
await browser.close();
