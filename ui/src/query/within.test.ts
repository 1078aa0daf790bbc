import { expect, test } from "vitest";
import { soughtIn } from "./within.ts";

test.each([
  ["redis", "words"],
  ['"{ not a query"', "words"],
  ["", "words"],
  ["{ status = error }", "query"],
  [' ({ name = "}" } > { kind = client })', "query"],
  ["{ status = err", "unfinished"],
  ['{ name = "}', "unfinished"],
  ["(", "unfinished"],
])("%s is %s", (text, sought) => expect(soughtIn(text)).toBe(sought));
