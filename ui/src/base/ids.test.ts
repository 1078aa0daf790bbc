import { expect, test } from "vitest";
import { parsePastedId, spanId, traceId } from "./ids.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

test.each([
  ["plain", ID],
  ["upper case", ID.toUpperCase()],
  ["0x", `0x${ID}`],
  ["UUID", "0af76519-16cd-43dd-8448-eb211c80319c"],
  ["missing leading zero", ID.slice(1)],
  ["blanks and quotes", `  "${ID}", `],
  ["X-Ray", "1-0af76519-16cd43dd8448eb211c80319c"],
  ["address of a page", `https://traces.example.com/trace/${ID}?span=${SPAN}`],
  ["address of the API", `http://127.0.0.1:3200/api/v1/traces/${ID}`],
])("a trace id is understood: %s", (_, text) => {
  expect(parsePastedId(text)?.trace).toBe(ID);
});

test.each([
  ["traceparent", `00-${ID}-${SPAN}-01`, ID],
  ["b3", `${ID}-${SPAN}-1`, ID],
  ["b3 of 64 bits", `${ID.slice(16)}-${SPAN}`, `${"0".repeat(16)}${ID.slice(16)}`],
  ["uber-trace-id", `${ID}:${SPAN}:0:1`, ID],
])("a header leads to its span: %s", (_, text, trace) => {
  expect(parsePastedId(text)).toEqual({ trace, span: SPAN });
});

test.each(["", "checkout", "0", "00000000000000000000000000000000", `${ID}00`, "0x", "12 monkeys"])("%j is not a trace id", (text) => {
  expect(parsePastedId(text)).toBeNull();
});

test("short ids get their leading zeros back, zero is no id", () => {
  expect(traceId("abc")).toBe("00000000000000000000000000000abc");
  expect(spanId("ABC")).toBe("0000000000000abc");
  expect(spanId("")).toBeNull();
  expect(spanId("0000000000000000")).toBeNull();
});
