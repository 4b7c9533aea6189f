import assert from "node:assert/strict";
import { test } from "node:test";
import * as compare from "../src/data/compare";
import { profile, SOURCE } from "./profile";

const lines = (...texts: string[]) => new Map(texts.map((text, i) => [i + 1, text]));

test("the same work is said to be the same, whatever the times", () => {
  const before = profile();
  const after = profile((raw) => {
    raw.time *= 2;
  });
  const changes = compare.functionChanges(before, after);
  const said = compare.verdict(before, after, changes);
  assert.equal(
    said,
    "No difference in work: the same statements and calls. Times differ by a factor of 2.00.",
  );
});

test("more work is told with the function that does it", () => {
  const after = profile((raw) => {
    raw.fn.n[1] = 520;
    raw.calls += 500;
    raw.statements += 1000;
  });
  const changes = compare.functionChanges(profile(), after);
  assert.equal(compare.callsGrown(changes[1]), 500);
  assert.match(
    compare.verdict(profile(), after, changes),
    /^1,000 more statements, 500 more calls\. Most of it: 500 more calls of __main__::work\.$/,
  );
});

test("functions that are new or gone are among the changes", () => {
  const after = profile((raw) => {
    raw.str[3] = "__main__::renamed";
  });
  const changes = compare.functionChanges(profile(), after);
  const named = new Map(changes.map((change) => [change.name, change]));
  assert.equal(named.get("__main__::renamed")?.before, null);
  assert.equal(named.get("__main__::work")?.after, null);
  assert.equal(named.get("__main__::work")?.fn, -1);
});

test("lines are paired across an insertion, and an edited line with its old self", () => {
  const before = lines("a = 1", "b = 2", "c = 3", "d = 4");
  const after = lines("a = 1", "new = 0", "b = 2", "c = 33", "d = 4");
  const pairs = compare.pairedLines(before, after);
  assert.deepEqual(
    [...pairs].sort((x, y) => x[0] - y[0]),
    [
      [1, 1],
      [3, 2],
      [4, 3],
      [5, 4],
    ],
  );
});

test("lines that occur twice, or nowhere, do not break the pairing", () => {
  const before = lines("x()", "x()", "y()", "");
  assert.deepEqual([...compare.pairedLines(before, before)].length >= 3, true);
  assert.deepEqual([...compare.pairedLines(lines(), lines("a"))], []);
});

test("the figures of one file, with lines that were inserted", async () => {
  const moved = structuredClone(SOURCE);
  moved[0][1].splice(1, 0, "    # a comment");
  const after = profile((raw) => {
    raw.line.line = raw.line.line.map((line) => line + 1);
    raw.line.n[1] = 30;
  }, moved);
  const changes = await compare.lineChanges(profile(), after, 0);
  const four = changes.find((change) => change.line === 4);
  assert.equal(four?.before?.count, 10);
  assert.equal(four?.after?.count, 30);
  assert.ok(changes.every((change) => change.before && change.after && !change.edited));
});

test("an edited line is marked", async () => {
  const edited = structuredClone(SOURCE);
  edited[0][1][2] = "        work(i + 1)";
  const changes = await compare.lineChanges(
    profile(),
    profile(() => {}, edited),
    0,
  );
  assert.deepEqual(
    changes.filter((change) => change.edited).map((change) => change.line),
    [3],
  );
});

test("changes of shared times are told from others", async () => {
  const after = profile((raw) => {
    raw.line.s = [0, 1, 1];
    raw.line.t[1] += 5;
  });
  const changes = await compare.lineChanges(profile(), after, 0);
  assert.deepEqual(
    changes.filter(compare.sharedChange).map((change) => change.line),
    [3],
  );
});
