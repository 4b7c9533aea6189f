import assert from "node:assert/strict";
import { test } from "node:test";
import { addedUp, checked, unpack } from "../src/data/decode";
import { blocksOf, packed, small } from "./profile";

test("a block is inflated and read", async () => {
  assert.equal(await unpack(packed("naïve ☃")), '"naïve ☃"');
  const blocks = blocksOf({ profile: packed(small()), s0: packed([[3, ["a", "b"]]]) });
  assert.equal((await blocks.profile()).title, "app.py");
  assert.equal(await blocks.other(), null);
  assert.deepEqual(await blocks.source("s0"), [[3, ["a", "b"]]]);
  assert.deepEqual(await blocks.source("s1"), []);
});

test("a damaged block is a sentence, whatever the damage", async () => {
  const whole = packed(small());
  const says = /^Error: the page's data is damaged$/;
  for (const text of [whole.slice(0, 60), "", "@@@", whole.replace(/^..../, "AAAA")]) {
    await assert.rejects(blocksOf({ profile: text }).profile(), says, text.slice(0, 10));
  }
  await assert.rejects(blocksOf({}).profile(), /^Error: the page's data is missing$/);
});

test("what is no profile of ours is refused", () => {
  const none = /holds no profile that this page can read/;
  for (const value of [null, 3, "x", [], {}, { v: 2, str: [] }, { v: 1 }]) {
    assert.throws(() => checked(value), none);
  }
});

test("columns of one table have one length", () => {
  for (const table of ["file", "line", "fn", "call", "node"] as const) {
    for (const column of Object.keys(small()[table])) {
      const short = small();
      (short[table] as Record<string, unknown[]>)[column].pop();
      assert.throws(() => checked(short), new RegExp(`its table "${table}" is damaged`));
      delete (short[table] as Record<string, unknown>)[column];
      assert.throws(() => checked(short), new RegExp(`its table "${table}" is damaged`));
    }
  }
});

test("columns of differences are added up", () => {
  const raw = small();
  const sums = structuredClone(raw);
  raw.line.line = [2, 1, 3];
  raw.line.i = [0, 1000, 0];
  raw.fn.name = [2, 1, 1];
  raw.fn.file = [0, 0, 1];
  raw.fn.first = [1, 4, -5];
  raw.fn.last = [2, 1, 0];
  raw.fn.i = [1000, 200, 0];
  raw.call.to = [0, 1, 0, 1];
  raw.call.line = [0, 3, 3, 0];
  raw.call.i = [1000, 400, -200, 0];
  raw.node.up = [0, 0, 1, 1, 1];
  assert.deepEqual(addedUp(raw), sums);
});
