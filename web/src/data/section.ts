/** One thread or process alone. Its lines are known; calls stand in the file for all together. */
import { count, percent, time } from "./format";
import type { RawProfile, RawSection } from "./raw";

/** The split's names of the first kinds of files. */
const PARTS = ["project", "packages", "library"];

function filled(n: number): number[] {
  return new Array<number>(n).fill(0);
}

function sum(values: number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** The columns of the lines that the section ran, and no others. */
function linesOf(raw: RawProfile, section: RawSection): RawProfile["line"] {
  const shared = raw.line.s;
  return {
    file: section.i.map((line) => raw.line.file[line]),
    line: section.i.map((line) => raw.line.line[line]),
    n: section.n,
    t: section.t,
    i: section.t,
    ...(shared && { s: section.i.map((line) => shared[line]) }),
  };
}

function splitOf(kinds: number[], t: number[]): [string, number][] {
  const parts = PARTS.map((part, kind): [string, number] => [
    part,
    sum(t.filter((_, file) => kinds[file] === kind)),
  ]);
  return parts.sort((a, b) => b[1] - a[1]);
}

/** The sentence of a section: what of the whole profile's is true of it. */
function sentenceOf(raw: RawProfile, section: RawSection): string {
  const s = raw.tps > 0 ? 1 / raw.tps : 0;
  const whole = sum(section.t);
  const what = `Thread or process ${section.id} ran ${count(sum(section.n))} statements in ${time(whole * s)}`;
  const best = section.t.reduce((b, t, i) => (t > (section.t[b] ?? -1) ? i : b), 0);
  if (!(section.t[best] > 0)) return `${what}.`;
  const line = section.i[best];
  const file = raw.str[raw.file.short[raw.line.file[line]]] ?? "(unknown)";
  const share = percent(section.t[best], whole);
  return `${what}; the line that costs most is ${file}:${raw.line.line[line]} (${share}, ${count(section.n[best])} times).`;
}

/** The tables as they are where nothing but this section ran. Functions have no figures. */
export function alone(raw: RawProfile, section: RawSection): RawProfile {
  const line = linesOf(raw, section);
  const n = filled(raw.file.n.length);
  const t = filled(raw.file.n.length);
  line.file.forEach((file, i) => {
    if (file < 0) return;
    n[file] += line.n[i];
    t[file] += line.t[i];
  });
  const none = filled(raw.fn.name.length);
  return {
    ...raw,
    line,
    block: null,
    sub: null,
    await: { file: [], line: [], n: [], t: [] },
    file: { ...raw.file, n, t },
    fn: { ...raw.fn, n: none, t: none, i: none, r: none, depth: none },
    call: { from: [], to: [], file: [], line: [], n: [], t: [], i: [], r: [], depth: [] },
    node: { fn: [], up: [], t: [] },
    statements: sum(line.n),
    calls: 0,
    time: sum(line.t),
    split: splitOf(raw.file.kind, t),
    hottest: [],
    sentence: sentenceOf(raw, section),
    section: [],
  };
}
