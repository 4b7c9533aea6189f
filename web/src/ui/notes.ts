/** The notes that NYTProf puts into the source, in its words. */
import { count, time, times, visible } from "../data/format";
import type { Call, Fn, Profile } from "../data/model";

export interface Note {
  text: string;
  /** What a click opens: a function or a place. */
  fn: number;
  file: number;
  line: number;
}

function average(seconds: number, calls: number): string {
  return calls > 1 ? `, avg ${time(seconds / calls)}/call` : "";
}

function recursion(depth: number, reci: number): string {
  return depth > 0 ? `, recursion: max depth ${depth}, sum of overlapping time ${time(reci)}` : "";
}

/** "# spent 10.0 s (2.00 s + 8.00 s) within X which was called 50 times, avg 200 ms/call:" */
export function within(fn: Fn): string {
  const parts = fn.incl > fn.excl ? ` (${time(fn.excl)} + ${time(fn.incl - fn.excl)})` : "";
  return (
    `# spent ${time(fn.incl)}${parts} within ${visible(fn.name)} which was called ` +
    `${times(fn.calls)}${average(fn.incl, fn.calls)}:`
  );
}

/** "#   30 times (1.20 s + 5.00 s) by Y at line 12 of f.py, avg 207 ms/call" */
export function calledBy(profile: Profile, call: Call, file: number): Note {
  const parts =
    call.incl > call.excl ? `${time(call.excl)} + ${time(call.incl - call.excl)}` : time(call.excl);
  const where =
    call.line === 0
      ? ""
      : ` at line ${call.line}${call.file === file ? "" : ` of ${profile.files[call.file]?.short ?? "(unknown)"}`}`;
  return {
    text:
      `#   ${times(call.count)} (${parts}) by ${visible(profile.callerName(call))}${visible(where)}` +
      average(call.incl, call.count),
    fn: call.from,
    file: call.file,
    line: call.line,
  };
}

/** "# spent 8.00 s making 50 calls to Z, avg 160 ms/call" */
export function making(profile: Profile, call: Call): Note {
  const calls = call.count === 1 ? "1 call" : `${count(call.count)} calls`;
  const called = profile.fns[call.to];
  return {
    text:
      `# spent ${time(call.incl)} making ${calls} to ${visible(called?.name ?? "(unknown)")}` +
      average(call.incl, call.count) +
      recursion(call.depth, call.reci),
    fn: call.to,
    file: called?.file ?? -1,
    line: called?.first ?? 0,
  };
}

/** Notes above a function: what it cost, and who called it, the dearest first. */
export function callInNotes(profile: Profile, fn: Fn): Note[] {
  if (fn.calls === 0) return [];
  const callers = [...(profile.callers.get(fn.id) ?? [])].sort((a, b) => b.incl - a.incl);
  const head: Note = { text: within(fn), fn: fn.id, file: fn.file, line: fn.first };
  const shown = callers.slice(0, 12).map((call) => calledBy(profile, call, fn.file));
  const rest = callers.length - shown.length;
  if (rest > 0) {
    shown.push({ text: `#   and ${rest} more`, fn: fn.id, file: fn.file, line: fn.first });
  }
  return [head, ...shown];
}

/** Notes below a calling line, the dearest first. */
export function callOutNotes(profile: Profile, calls: Call[]): Note[] {
  const made = [...calls].filter((call) => call.count > 0).sort((a, b) => b.incl - a.incl);
  const shown = made.slice(0, 8).map((call) => making(profile, call));
  if (made.length > 8) {
    const rest = made.slice(8);
    const seconds = rest.reduce((sum, call) => sum + call.incl, 0);
    const first = rest[0];
    shown.push({
      text: `# spent ${time(seconds)} making calls to ${rest.length} more functions`,
      fn: first.from,
      file: first.file,
      line: first.line,
    });
  }
  return shown;
}
