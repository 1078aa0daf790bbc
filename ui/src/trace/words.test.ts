import { expect, test } from "vitest";
import type { Attribute } from "../model/attribute.ts";
import { offset } from "../base/time.ts";
import { span } from "./testing.ts";
import { errorWords, shortName } from "./words.ts";

test("a remote procedure goes without its packages, other names as they are", () => {
  const names = ["shop.cart.v1.CartService/GetCart", "CartService/GetCart", "GET /api/v1.2/Things/all", "com.shop.Job", "render route (app) /search"];
  expect(names.map(shortName)).toEqual(["CartService/GetCart", "CartService/GetCart", "GET /api/v1.2/Things/all", "com.shop.Job", "render route (app) /search"]);
});

const text = (key: string, value: string): Attribute => ({ key, value: { type: "string", value } });
const exception = (...attributes: readonly Attribute[]) => ({ name: "exception", at: offset(1), attributes, droppedAttributes: 0 });

test("why a span failed is said by its status, else by its last exception, else by the type of its error", () => {
  const events = [exception(text("exception.message", "first")), exception(text("exception.type", "Timeout"), text("exception.message", "no answer"))];
  const attributes = [text("error.type", "500")];
  expect(errorWords(span("a1", null, 0, 9, { status: { code: "error", message: "gone" }, events, attributes }))).toBe("gone");
  expect(errorWords(span("a1", null, 0, 9, { events, attributes }))).toBe("Timeout: no answer");
  expect(errorWords(span("a1", null, 0, 9, { attributes }))).toBe("500");
  expect(errorWords(span("a1", null, 0, 9))).toBe("");
});
