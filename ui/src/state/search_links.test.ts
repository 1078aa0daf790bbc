import { expect, test } from "vitest";
import { bare, condition, text } from "../query/edit.ts";
import { setLastSearch } from "./recent.ts";
import { searchFor, searchFurther } from "./search_links.ts";
import { searchFromAddress } from "./search_url.ts";

const query = (address: string): string => searchFromAddress(address.slice(1)).query;

test("a search for something begins anew in the time one looked at", () => {
  setLastSearch("?q=%7B+status+%3D+error+%7D&range=6h&select=errors");
  const address = searchFor(condition("resource.service.name", "=", text("a&b")), condition("span.n", "=", bare("3")));
  expect(query(address)).toBe('{ resource.service.name = "a&b" && span.n = 3 }');
  expect(searchFromAddress(address.slice(1))).toMatchObject({ range: { type: "last", ms: 6 * 3_600_000 }, selection: null });
});

test("excluding something goes on from the search one came from", () => {
  setLastSearch("?q=%7B+status+%3D+error+%7D&order=slowest&select=errors");
  const address = searchFurther(condition("span.n", "!=", bare("3")));
  expect(query(address)).toBe("{ status = error && span.n != 3 }");
  expect(searchFromAddress(address.slice(1))).toMatchObject({ order: "slowest", selection: null });
  setLastSearch("");
  expect(query(searchFurther(condition("span.n", "!=", bare("3"))))).toBe("{ span.n != 3 }");
});
