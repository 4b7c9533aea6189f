import assert from "node:assert/strict";
import { test } from "node:test";
import { format, link, parse, START, type State } from "../src/state";

test("every state comes back from its address", () => {
  const state: State = {
    ...START,
    view: "source",
    file: 3,
    line: 47,
    fn: 12,
    level: "block",
    sort: "incl",
    up: true,
    filter: "a b&c=d#é%",
    scope: "library",
    section: 4,
    node: 9,
    inverted: true,
    libraries: true,
  };
  assert.deepEqual(parse(format(state)), state);
  assert.deepEqual(parse(format(START)), START);
});

test("an address holds only what differs from the start", () => {
  assert.equal(format(START), "#/overview");
  assert.equal(link("source", { file: 0, line: 5 }), "#/source?file=0&line=5");
});

test("nonsense is the start", () => {
  for (const hash of ["", "#", "#/", "#/nothing", "#/__proto__", "#?file=3"]) {
    assert.equal(parse(hash).view, "overview");
  }
  const odd = parse("#/source?file=1e9&line=-3x&level=eval&up=yes&node=99999999999");
  assert.deepEqual([odd.file, odd.line, odd.level, odd.up, odd.node], [-1, 0, "line", false, 0]);
});
