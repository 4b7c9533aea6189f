import assert from "node:assert/strict";
import { test } from "node:test";
import { importTree, isModule } from "../src/data/imports";
import { fileInScope, fnInScope, lineInScope } from "../src/data/scope";
import { Search } from "../src/data/search";
import { barLength, heat } from "../src/ui/heat";
import { callInNotes, callOutNotes } from "../src/ui/notes";
import { hotLines, next } from "../src/ui/source";
import { sorted } from "../src/ui/table";
import { profile } from "./profile";

test("ticks become seconds, and sums hold", () => {
  const p = profile();
  assert.equal(p.time, 1.5);
  assert.equal(
    p.lines.reduce((sum, line) => sum + line.time, 0),
    1.5,
  );
  assert.equal(p.files[0].time, 1.5);
  assert.equal(p.files[0].count, 41);
  assert.deepEqual(
    p.nodes.map((node) => node.incl),
    [1.5, 1.5, 1, 0.4, 0.2],
  );
});

test("a profile without a clock has no infinite times", () => {
  const p = profile((raw) => {
    raw.tps = 0;
  });
  assert.equal(p.time, 0);
  assert.ok(p.level("line").every((line) => line.time === 0));
});

test("who calls, who is called, and what stands around a line", () => {
  const p = profile();
  assert.deepEqual(
    p.callers.get(1)?.map((call) => call.from),
    [0, 1],
  );
  assert.deepEqual(
    p.callees.get(1)?.map((call) => call.to),
    [1, 2],
  );
  assert.equal(p.callerName(p.calls[0]), "(start)");
  assert.equal(p.fnAt(0, 6)?.name, "__main__::work");
  assert.equal(p.fnAt(0, 4), undefined);
  assert.equal(p.place(0, 3), "app.py:3");
  assert.equal(p.place(-1, 3), "(unknown):3");
  assert.equal(p.kindOfFn(p.fns[2]), 3);
});

test("a source view begins where the sentence points", () => {
  const hottest = (at: number[]) => profile((raw) => Object.assign(raw, { hottest: at }));
  const other = profile((raw) => {
    const { file } = raw;
    for (const column of Object.values(file)) column.push(column[0]);
    raw.hottest = [1, 6];
  });
  assert.equal(other.firstFile.id, 1);
  assert.equal(other.firstLine(1), 6);
  const first = profile().firstFile;
  assert.equal(hottest([]).firstFile.id, first.id);
  assert.equal(hottest([9, 1]).firstFile.id, first.id);
  assert.equal(hottest([0, 2]).firstLine(0), 2);
  const lines = profile().linesByFile.get(0) ?? [];
  const most = Math.max(...lines.map((line) => line.time));
  assert.equal(lines.find((line) => line.line === hottest([]).firstLine(0))?.time, most);
  assert.equal(profile().firstLine(99), 0);
});

test("notes have NYTProf's words", () => {
  const p = profile();
  const into = callInNotes(p, p.fns[1]).map((note) => note.text);
  assert.deepEqual(into, [
    "# spent 1.00 s (800 ms + 200 ms) within __main__::work which was called 20 times, avg 50.0 ms/call:",
    "#   10 times (600 ms + 400 ms) by __main__::main at line 3, avg 100 ms/call",
    "#   10 times (200 ms) by __main__::work at line 6, avg 0/call",
  ]);
  const out = callOutNotes(p, p.callsByFile.get(0)?.filter((call) => call.line === 6) ?? []);
  assert.deepEqual(
    out.map((note) => note.text),
    [
      "# spent 200 ms making 10 calls to builtins::len, avg 20.0 ms/call",
      "# spent 0 making 10 calls to __main__::work, avg 0/call, recursion: max depth 1, sum of overlapping time 100 ms",
    ],
  );
});

test("many callers are cut, and what is left out is counted", () => {
  const p = profile((raw) => {
    for (let i = 0; i < 30; i++) {
      for (const column of Object.values(raw.call)) column.push(column[1]);
    }
  });
  const notes = callInNotes(p, p.fns[1]);
  assert.equal(notes.length, 14);
  assert.equal(notes[13].text, "#   and 20 more");
});

test("the palette finds functions, files, places and patterns", () => {
  const search = new Search(profile());
  assert.deepEqual(search.find("work")[0].target, { fn: 1 });
  assert.deepEqual(search.find("app.py:47"), [
    { title: "app.py:47", detail: "/home/me/app.py", target: { file: 0, line: 47 } },
  ]);
  assert.deepEqual(
    search.find("re:^builtins::l.n$").map((found) => found.target),
    [{ fn: 2 }],
  );
  assert.deepEqual(search.find("re:("), []);
  assert.deepEqual(search.find("  "), []);
  assert.deepEqual(search.find("zzzz"), []);
});

test("heat goes by share, on a logarithmic scale", () => {
  assert.deepEqual(
    [0, 0.00001, 0.0002, 0.01, 0.4, 1].map((part) => heat(part, 1)),
    [0, 0, 1, 5, 8, 8],
  );
  assert.equal(heat(1, 0), 0);
  assert.equal(heat(Number.NaN, 1), 0);
  assert.equal(barLength(1, 1), 100);
  assert.equal(barLength(0.01, 1), 50);
  assert.equal(barLength(0, 1), 0);
});

test("the next hot line, around the ends", () => {
  assert.deepEqual(hotLines(profile(), 0), [2, 3, 6]);
  assert.deepEqual(hotLines(profile(), 1), []);
  assert.equal(next([2, 6], 2, 1), 6);
  assert.equal(next([2, 6], 6, 1), 2);
  assert.equal(next([2, 6], 2, -1), 6);
  assert.equal(next([2, 6], 4, -1), 2);
  assert.equal(next([], 4, 1), 4);
});

test("tables are sorted by value, and keep their order where it is the same", () => {
  const items = [
    { n: 2, s: "b" },
    { n: 10, s: "a" },
    { n: 2, s: "c" },
  ];
  const by = { key: "n", title: "n", value: (item: (typeof items)[0]) => item.n };
  assert.deepEqual(
    sorted(items, by, false).map((item) => item.s),
    ["a", "b", "c"],
  );
  assert.deepEqual(
    sorted(items, by, true).map((item) => item.s),
    ["b", "c", "a"],
  );
});

test("a scope shows its own code alone", () => {
  const p = profile();
  const fns = (scope: string) => p.fns.filter((fn) => fnInScope(p, fn, scope)).map((fn) => fn.id);
  assert.deepEqual(fns(""), [0, 1, 2]);
  assert.deepEqual(fns("project"), [0, 1, 2], "C functions belong to their callers");
  assert.deepEqual(fns("library"), []);
  assert.ok(fileInScope(p, 0, "project") && !fileInScope(p, 0, "library"));
  assert.ok(lineInScope(p, p.lines[0], "project") && !lineInScope(p, p.lines[0], "packages"));
});

test("imports and waiting are scopes too", () => {
  const p = profile((raw) => {
    raw.fn.part = [1, 0, 2];
  });
  const lines = (scope: string) =>
    p.lines.filter((line) => lineInScope(p, line, scope)).map((line) => line.line);
  assert.deepEqual(lines("imports"), [2, 3]);
  assert.deepEqual(lines("waiting"), [6]);
  assert.ok(fileInScope(p, 0, "imports") && !fileInScope(p, 1, "waiting"));
  assert.ok(fnInScope(p, p.fns[2], "waiting") && !fnInScope(p, p.fns[1], "waiting"));
});

test("imports are a tree, without what finds and loads them", () => {
  const p = profile((raw) => {
    raw.str[2] = "a::(module)";
    raw.str[4] = "b::(module)";
  });
  assert.deepEqual(importTree(p), [
    { order: 0, fn: 0, depth: 0, seconds: 1.5, own: 1.3 },
    { order: 1, fn: 2, depth: 1, seconds: 0.2, own: 0.2 },
  ]);
  const none = profile((raw) => {
    raw.str[2] = "a::(module)";
    raw.node = { fn: [-1], up: [0], t: [0] };
  });
  assert.deepEqual(
    importTree(none).map((i) => [i.fn, i.depth, i.seconds]),
    [[0, 0, 1.5]],
  );
});

test("the program's own module is no import", () => {
  assert.ok(isModule("json::(module)") && isModule("x::(module)@2"));
  assert.ok(!isModule("__main__::(module)") && !isModule("x::f"));
});
