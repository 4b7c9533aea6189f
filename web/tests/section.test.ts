import assert from "node:assert/strict";
import { test } from "node:test";
import { addedUp, checked } from "../src/data/decode";
import { hottestFns, hottestLines } from "../src/ui/overview";
import { profile, small } from "./profile";

const two = () =>
  profile((raw) => {
    raw.section = [
      { id: 7, i: [0, 1], n: [10, 6], t: [90, 300] },
      { id: 8, i: [1, 2], n: [4, 20], t: [100, 1000] },
    ];
  });

test("a thread alone has its lines, and no functions' figures", () => {
  const alone = two().alone(8);
  assert.ok(alone);
  assert.deepEqual(
    alone.lines.map((line) => [line.file, line.line, line.count, line.time]),
    [
      [0, 3, 4, 0.1],
      [0, 6, 20, 1],
    ],
  );
  assert.equal(alone.time, 1.1);
  assert.deepEqual([alone.files[0].count, alone.files[0].time], [24, 1.1]);
  assert.deepEqual(hottestFns(alone, "", 9), []);
  assert.equal(hottestLines(alone, "project", 9)[0].line, 6);
  assert.deepEqual(alone.calls, []);
  assert.equal(alone.firstLine(0), 6);
  assert.equal(alone.fnAt(0, 6)?.name, "__main__::work");
  assert.equal(
    alone.raw.sentence,
    "Thread or process 8 ran 24 statements in 1.10 s; the line that costs most is app.py:6 (91 %, 20 times).",
  );
  assert.deepEqual(alone.raw.split[0], ["project", 1100]);
});

test("a thread alone has the marks of its lines", () => {
  assert.ok(
    two()
      .alone(7)
      ?.lines.every((line) => !line.shared),
  );
  const alone = profile((raw) => {
    raw.line.s = [0, 1, 0];
    raw.section = [{ id: 8, i: [1, 2], n: [4, 20], t: [100, 1000] }];
  }).alone(8);
  assert.deepEqual(
    alone?.lines.map((line) => line.shared),
    [true, false],
  );
});

test("there is one for each number, made once, and none for others", () => {
  const p = two();
  assert.equal(p.alone(7), p.alone(7));
  assert.equal(p.alone(9), null);
  assert.equal(p.alone(-1), null);
  assert.equal(profile().alone(7), null);
});

test("a thread without time says so", () => {
  const p = profile((raw) => {
    raw.section = [{ id: 3, i: [], n: [], t: [] }];
  });
  assert.equal(p.alone(3)?.raw.sentence, "Thread or process 3 ran 0 statements in 0.");
});

test("lines of threads are packed as steps, and checked", () => {
  const raw = small();
  raw.section = [{ id: 7, i: [1, 1], n: [1, 2], t: [3, 4] }];
  assert.deepEqual(addedUp(checked(raw)).section?.[0].i, [1, 2]);
  raw.section = [{ id: 7, i: [1, 1], n: [1], t: [3, 4] }];
  assert.throws(() => checked(raw), /section/);
});
