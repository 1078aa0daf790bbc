import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { assignSlots, preferredSlot, SERVICE_SLOTS } from "./colours.ts";

const SHOP = ["cart", "catalogue", "checkout", "fraud", "frontend", "mail", "orders", "payment", "recommend", "shipping", "stock", "tax"];

test("a name alone decides the preferred slot, for ever", () => {
  // Written down so that a change of the hash, which would recolour everybody's services, is noticed.
  expect(SHOP.map(preferredSlot)).toMatchInlineSnapshot(`
    [
      12,
      1,
      11,
      16,
      6,
      5,
      0,
      11,
      10,
      22,
      21,
      4,
    ]
  `);
});

test("services of one set have slots of their own, whatever the order they come in", () => {
  const straight = assignSlots(SHOP);
  const backwards = assignSlots([...SHOP].reverse());
  const slots = SHOP.map(straight);
  expect(new Set(slots).size).toBe(SHOP.length);
  expect(SHOP.map(backwards)).toEqual(slots);
});

test("every slot is used before one is used twice", () => {
  const names = Array.from({ length: SERVICE_SLOTS }, (_, i) => `service-${i}`);
  expect(new Set(names.map(assignSlots(names))).size).toBe(SERVICE_SLOTS);
});

test("more services than slots still have a slot each", () => {
  const names = Array.from({ length: 3 * SERVICE_SLOTS }, (_, i) => `service-${i}`);
  const slotOf = assignSlots(names);
  expect(names.map(slotOf).every((slot) => slot >= 0 && slot < SERVICE_SLOTS)).toBe(true);
});

test("whoever has the preferred slot keeps it when others come", () => {
  const alone = SHOP.filter((name) => SHOP.every((other) => other === name || preferredSlot(other) !== preferredSlot(name)));
  const slotOf = assignSlots(SHOP);
  expect(alone.length).toBeGreaterThan(0);
  for (const name of alone) expect(slotOf(name)).toBe(preferredSlot(name));
});

test("a service that is not in the set has its preferred slot", () => {
  expect(assignSlots([])("checkout")).toBe(preferredSlot("checkout"));
});

test("the style sheet defines exactly these slots", () => {
  const css = readFileSync(new URL("../app/tokens.css", import.meta.url), "utf8");
  const defined = [...css.matchAll(/--service-(\d+):/g)].map((match) => Number(match[1]));
  expect(defined).toEqual(Array.from({ length: SERVICE_SLOTS }, (_, slot) => slot));
});
