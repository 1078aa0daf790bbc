import { expect, test } from "vitest";
import { readable, sqlLines } from "./readable.ts";

test("a statement has a line for each clause", () => {
  expect(sqlLines("SELECT a, b FROM t LEFT JOIN u ON u.id = t.id WHERE a = $1 AND b BETWEEN 1 AND 2 OR c ORDER BY a LIMIT 10")).toBe(
    "SELECT a, b\nFROM t\nLEFT JOIN u ON u.id = t.id\nWHERE a = $1\n  AND b BETWEEN 1 AND 2\n  OR c\nORDER BY a\nLIMIT 10",
  );
});

test("quoted text and what is in parentheses is not broken", () => {
  expect(sqlLines("select x from t where n in (select n from u where k = 1) and s = 'a and b where c'")).toBe(
    "select x\nfrom t\nwhere n in (select n from u where k = 1)\n  and s = 'a and b where c'",
  );
});

test("nothing but blanks is added or taken", () => {
  const sql = `INSERT INTO orders (id, "when") VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET n = orders.n + 1 RETURNING id, 'x  y'`;
  const bare = (text: string) => text.replace(/\s+/g, "");
  expect(bare(sqlLines(sql))).toBe(bare(sql));
  expect(sqlLines(sql)).toContain("'x  y'");
});

test("JSON is indented, and its numbers keep every digit", () => {
  expect(readable("body", '{"id":12345678901234567890,"a":[1,{}],"s":"x, {y}: z"}')).toEqual({
    type: "json",
    text: '{\n  "id": 12345678901234567890,\n  "a": [\n    1,\n    {}\n  ],\n  "s": "x, {y}: z"\n}',
  });
});

test.each([
  ["db.query.text", "SELECT 1", "plain"],
  ["db.query.text", `SELECT ${"column, ".repeat(20)} x FROM t`, "sql"],
  ["note", `select ${"words ".repeat(20)} from the text`, "plain"],
  ["exception.stacktrace", "Error: x\n  at y", "lines"],
  ["body", "{not json}", "plain"],
  ["body", "[", "plain"],
])("%s %j is %s", (key, text, type) => {
  expect(readable(key, text).type).toBe(type);
});
