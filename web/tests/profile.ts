/** A small profile for the tests, and blocks as the page has them. */
import { deflateRawSync } from "node:zlib";
import { Blocks, type Segment } from "../src/data/decode";
import { Profile } from "../src/data/model";
import type { RawProfile } from "../src/data/raw";

export function packed(value: unknown): string {
  return deflateRawSync(JSON.stringify(value)).toString("base64");
}

/** Blocks that hold these texts by id. */
export function blocksOf(texts: Record<string, string>): Blocks {
  return new Blocks((id) => texts[id] ?? null);
}

export const SOURCE: Segment[] = [
  [
    1,
    [
      "def main():",
      "    for i in range(10):",
      "        work(i)",
      "",
      "def work(n):",
      "    return n",
    ],
  ],
];

/**
 * main() in app.py calls work() ten times from line 3; work() calls itself and len(). A second is
 * 1000 ticks.
 */
export function small(): RawProfile {
  return {
    v: 1,
    title: "app.py",
    made: "nytprof 0.1.0",
    started: 1_700_000_000,
    language: "Python 3.11",
    tps: 1000,
    wall: 2,
    statements: 41,
    calls: 22,
    time: 1500,
    overhead: -1,
    snapshot: false,
    fault: null,
    sentence: "80 % of the time is in the project.",
    split: [
      ["project", 1200],
      ["library", 300],
    ],
    notes: [],
    str: ["/home/me/app.py", "app.py", "__main__::main", "__main__::work", "builtins::len", "(C)"],
    file: {
      name: [0, 5],
      short: [1, 5],
      kind: [0, 3],
      parent: [-1, -1],
      line: [0, 0],
      src: [0, -1],
      n: [41, 0],
      t: [1500, 0],
    },
    line: {
      file: [0, 0, 0],
      line: [2, 3, 6],
      n: [11, 10, 20],
      t: [100, 400, 1000],
      i: [100, 1400, 1000],
    },
    block: null,
    sub: null,
    fn: {
      name: [2, 3, 4],
      file: [0, 0, 1],
      first: [1, 5, 0],
      last: [3, 6, 0],
      n: [1, 20, 10],
      t: [500, 800, 200],
      i: [1500, 1000, 200],
      r: [0, 100, 0],
      depth: [0, 1, 0],
      kind: [0, 0, 1],
      part: [0, 0, 0],
    },
    call: {
      from: [-1, 0, 1, 1],
      to: [0, 1, 1, 2],
      file: [0, 0, 0, 0],
      line: [0, 3, 6, 6],
      n: [1, 10, 10, 10],
      t: [500, 600, 200, 200],
      i: [1500, 1000, 0, 200],
      r: [0, 0, 100, 0],
      depth: [0, 0, 1, 0],
    },
    node: { fn: [-1, 0, 1, 1, 2], up: [0, 0, 1, 2, 3], t: [0, 500, 600, 200, 200] },
    group: [{ id: 7, parent: 1, start: 1_700_000_000, end: 1_700_000_002 }],
  };
}

/** `change` alters the columns before they become a profile. */
export function profile(change: (raw: RawProfile) => void = () => {}, source = SOURCE): Profile {
  const raw = small();
  change(raw);
  return new Profile(raw, blocksOf({ s0: packed(source) }));
}
