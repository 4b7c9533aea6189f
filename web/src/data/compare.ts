/** Two profiles side by side: work first, then time. */
import type { Fn, Line, Profile } from "./model";

export interface Change {
  name: string;
  place: string;
  /** Index in the profile that is looked at; -1: gone. */
  fn: number;
  before: { calls: number; excl: number; incl: number } | null;
  after: { calls: number; excl: number; incl: number } | null;
}

interface LineFigures {
  count: number;
  time: number;
  shared: boolean;
}

export interface LineChange {
  file: number;
  line: number;
  place: string;
  text: string;
  before: LineFigures | null;
  after: LineFigures | null;
  edited: boolean;
}

function figures(fn: Fn): { calls: number; excl: number; incl: number } {
  return { calls: fn.calls, excl: fn.excl, incl: fn.incl };
}

function lineFigures(line: Line): LineFigures {
  return { count: line.count, time: line.time, shared: line.shared };
}

export function lineTimeGrown(change: LineChange): number {
  return (change.after?.time ?? 0) - (change.before?.time ?? 0);
}

/** Has its time changed, and is one of both a share? */
export function sharedChange(change: LineChange): boolean {
  return lineTimeGrown(change) !== 0 && !!(change.before?.shared || change.after?.shared);
}

/** Functions of both, matched by name. */
export function functionChanges(before: Profile, after: Profile): Change[] {
  const old = new Map(before.fns.map((fn) => [fn.name, fn]));
  const changes: Change[] = [];
  for (const fn of after.fns) {
    const mate = old.get(fn.name);
    old.delete(fn.name);
    if (fn.calls === 0 && (mate?.calls ?? 0) === 0) continue;
    changes.push({
      name: fn.name,
      place: after.place(fn.file, fn.first),
      fn: fn.id,
      before: mate && mate.calls > 0 ? figures(mate) : null,
      after: fn.calls > 0 ? figures(fn) : null,
    });
  }
  for (const fn of old.values()) {
    if (fn.calls === 0) continue;
    changes.push({
      name: fn.name,
      place: before.place(fn.file, fn.first),
      fn: -1,
      before: figures(fn),
      after: null,
    });
  }
  return changes;
}

export function callsGrown(change: Change): number {
  return (change.after?.calls ?? 0) - (change.before?.calls ?? 0);
}

export function timeGrown(change: Change): number {
  return (change.after?.excl ?? 0) - (change.before?.excl ?? 0);
}

/** The file of `other` that is the same one: by its whole name, else by its short one. */
export function sameFile(of: Profile, id: number, other: Profile): number {
  const file = of.files[id];
  const exact = other.files.findIndex((f) => f.name === file.name);
  return exact >= 0 ? exact : other.files.findIndex((f) => f.short === file.short);
}

type Text = Map<number, string>;

/** Pairs of lines with the same text, in order: the longest common subsequence near the diagonal. */
export function pairedLines(before: Text, after: Text): Map<number, number> {
  const pairs = new Map<number, number>();
  const places = new Map<string, number[]>();
  for (const [line, text] of before) {
    const key = text.trim();
    if (key) places.set(key, [...(places.get(key) ?? []), line]);
  }
  const unique = [...after]
    .map(([line, text]) => [line, places.get(text.trim())] as const)
    .filter((entry): entry is readonly [number, number[]] => entry[1]?.length === 1);
  let last = 0;
  for (const [line, [mate]] of increasing(unique)) {
    pairs.set(line, mate);
    last = Math.max(last, mate);
  }
  fillBetween(pairs, before, after);
  return pairs;
}

/** The longest part whose mates grow too: what was not moved. */
function increasing(list: (readonly [number, number[]])[]): (readonly [number, number[]])[] {
  const tails: number[] = [];
  const previous: number[] = [];
  for (let i = 0; i < list.length; i++) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[tails[middle]][1][0] < list[i][1][0]) low = middle + 1;
      else high = middle;
    }
    previous[i] = low > 0 ? tails[low - 1] : -1;
    tails[low] = i;
  }
  const chosen: (readonly [number, number[]])[] = [];
  for (let i = tails[tails.length - 1] ?? -1; i >= 0; i = previous[i]) chosen.push(list[i]);
  return chosen.reverse();
}

function lastOf(text: Text): number {
  return [...text.keys()].reduce((last, line) => Math.max(last, line), 0);
}

/** Between two anchors with as many lines on both sides, lines are paired in order. */
function fillBetween(pairs: Map<number, number>, before: Text, after: Text): void {
  const lastAfter = lastOf(after) + 1;
  const lastBefore = lastOf(before) + 1;
  const anchors = [[0, 0], ...[...pairs].sort((a, b) => a[0] - b[0]), [lastAfter, lastBefore]];
  for (let i = 1; i < anchors.length; i++) {
    const [a0, b0] = anchors[i - 1];
    const [a1, b1] = anchors[i];
    if (a1 - a0 !== b1 - b0) continue;
    for (let k = 1; k < a1 - a0; k++) pairs.set(a0 + k, b0 + k);
  }
}

/** The lines of one file in both profiles. */
export async function lineChanges(
  before: Profile,
  after: Profile,
  file: number,
): Promise<LineChange[]> {
  const mateFile = sameFile(after, file, before);
  const texts = [await textOf(before, mateFile), await textOf(after, file)] as const;
  const pairs = pairedLines(texts[0], texts[1]);
  const old = new Map((before.linesByFile.get(mateFile) ?? []).map((line) => [line.line, line]));
  const changes: LineChange[] = [];
  for (const line of after.linesByFile.get(file) ?? []) {
    const known = texts[1].size > 0 && texts[0].size > 0;
    const mate = known ? pairs.get(line.line) : line.line;
    const was = mate === undefined ? undefined : old.get(mate);
    if (mate !== undefined) old.delete(mate);
    const text = texts[1].get(line.line) ?? "";
    changes.push({
      file,
      line: line.line,
      place: after.place(file, line.line),
      text,
      before: was ? lineFigures(was) : null,
      after: lineFigures(line),
      edited: mate !== undefined && known && texts[0].get(mate)?.trim() !== text.trim(),
    });
  }
  for (const line of old.values()) {
    changes.push({
      file: -1,
      line: line.line,
      place: before.place(mateFile, line.line),
      text: texts[0].get(line.line) ?? "",
      before: lineFigures(line),
      after: null,
      edited: false,
    });
  }
  return changes;
}

async function textOf(profile: Profile, file: number): Promise<Text> {
  const text: Text = new Map();
  if (file < 0) return text;
  for (const [first, lines] of await profile.source(file)) {
    lines.forEach((line, i) => {
      text.set(first + i, line);
    });
  }
  return text;
}

/** One sentence: did the program do more work, or was the machine slower? */
export function verdict(before: Profile, after: Profile, changes: Change[]): string {
  const more = after.raw.statements - before.raw.statements;
  const calls = after.raw.calls - before.raw.calls;
  const ratio = before.time > 0 ? after.time / before.time : 1;
  if (more === 0 && calls === 0 && changes.every((c) => callsGrown(c) === 0)) {
    const factor =
      Math.abs(ratio - 1) < 0.02 ? "" : ` Times differ by a factor of ${ratio.toFixed(2)}.`;
    return `No difference in work: the same statements and calls.${factor}`;
  }
  const worst = [...changes].sort((a, b) => Math.abs(callsGrown(b)) - Math.abs(callsGrown(a)))[0];
  const grown = worst ? callsGrown(worst) : 0;
  const named =
    worst && grown !== 0
      ? ` Most of it: ${Math.abs(grown).toLocaleString("en-US")} ${grown > 0 ? "more" : "fewer"} calls of ${worst.name}.`
      : "";
  const sign = more >= 0 ? "more" : "fewer";
  return `${Math.abs(more).toLocaleString("en-US")} ${sign} statements, ${Math.abs(calls).toLocaleString("en-US")} ${calls >= 0 ? "more" : "fewer"} calls.${named}`;
}
