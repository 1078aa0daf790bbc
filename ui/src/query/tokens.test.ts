import { expect, test } from "vitest";
import { tokens } from "./tokens.ts";

const drawn = (text: string): string => tokens(text).map((token) => `${token.kind}:${token.text}`).join(" ");

test.each([
  ['{ resource.service.name = "a b" }', 'mark:{ attribute:resource.service.name operator:= string:"a b" mark:}'],
  ["{duration>1.5s&&.x!=nil}", "mark:{ word:duration operator:> number:1.5s operator:&& attribute:.x operator:!= word:nil mark:}"],
  // `-` belongs to a name, and is an operator after a blank.
  ["span.n-1 span.n -1", "attribute:span.n-1 attribute:span.n operator:- number:1"],
  ['span."a = b".c', 'attribute:span."a = b".c'],
  ["span:kind = server", "word:span:kind operator:= word:server"],
  ["{} &>> {} !~ {}", "mark:{ mark:} operator:&>> mark:{ mark:} operator:!~ mark:{ mark:}"],
  ["1h30m .5 100µs 1e3", "number:1h30m number:.5 number:100µs number:1e3"],
  ["`raw \\` // all\n/* two\nlines */ 'x'", "string:`raw \\` comment:// all comment:/* two\nlines */ bad:'x'"],
  ['{ name = "open }', 'mark:{ word:name operator:= bad:"open }'],
])("%s", (text, expected) => {
  expect(drawn(text)).toBe(expected);
});

test("every letter but blanks is in one token, whatever the text", () => {
  for (const text of ["§ # ; 'a", '"\\', "{ .a =~ `", "/*", "=.=.=", "span.", "🙂 = 🙂"]) {
    expect(tokens(text).map((token) => token.text).join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
  }
});
