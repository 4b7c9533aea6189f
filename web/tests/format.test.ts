import assert from "node:assert/strict";
import { test } from "node:test";
import * as format from "../src/data/format";

test("times have three digits and a unit", () => {
  const expected: [number, string][] = [
    [0, "0"],
    [123.4, "123 s"],
    [12.345, "12.3 s"],
    [0.9999, "1.00 s"],
    [0.0123, "12.3 ms"],
    [0.00099999, "1.00 ms"],
    [0.0000046, "4.60 µs"],
    [1e-7, "100 ns"],
    [-0.5, "-500 ms"],
  ];
  for (const [seconds, text] of expected) assert.equal(format.time(seconds), text);
});

test("shares, counts and changes", () => {
  assert.equal(format.percent(1, 3), "33 %");
  assert.equal(format.percent(1, 30), "3.3 %");
  assert.equal(format.percent(1, 30_000), "<0.1 %");
  assert.equal(format.percent(0, 1), "0 %");
  assert.equal(format.percent(1, 0), "0 %");
  assert.equal(format.count(1234567), "1,234,567");
  assert.equal(format.times(1), "1 time");
  assert.equal(format.times(1000), "1,000 times");
  assert.equal(format.change(1000), "+1,000");
  assert.equal(format.change(-1000), "-1,000");
  assert.equal(format.timeChange(0.5), "+500 ms");
});

test("what cannot be seen, or turns the writing round, is shown as a code", () => {
  assert.equal(
    format.visible("a\u202eb\u2028c\u0000d\ufeff\u2066"),
    "a\\u202eb\\u2028c\\u0000d\\ufeff\\u2066",
  );
  assert.equal(format.visible("tab\tend\n"), "tab\tend\n");
  assert.equal(format.visible("naïve 雪 😀"), "naïve 雪 😀");
});

test("Markdown: nothing gets out of a cell or of code", () => {
  assert.equal(format.markdownCell("a|b\n<c>*"), "a\\|b \\<c\\>\\*");
  assert.equal(format.markdownCode("a`b"), "`` a`b ``");
  assert.equal(format.markdownCode("a|b"), "`a\\|b`");
  assert.equal(format.markdownCode("x``y\n"), "``` x``y  ```");
});

test("CSV: quoted as RFC 4180 says, and no formula", () => {
  assert.equal(format.csvCell('a "b", c'), '"a ""b"", c"');
  assert.equal(format.csvCell("=1+2"), "'=1+2");
  assert.equal(format.csvCell("-x\r\n"), '"\'-x\r\n"');
  assert.equal(format.csvCell(-1.5), "-1.5");
});
