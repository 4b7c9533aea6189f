/** From what `nytprof convert --to json` writes to the tables of a page. */
import type { Segment } from "./decode";
import type { RawProfile } from "./raw";

interface Times {
  inclusive_seconds: number;
  exclusive_seconds: number;
  recursive_seconds: number;
  recursion_depth: number;
}

interface Exported {
  schema: number;
  ticks_per_second: number;
  duration_seconds: number;
  statement_seconds: number;
  statement_count: number;
  call_count: number;
  complete: boolean;
  attributes: Record<string, string>;
  processes: {
    id: number;
    parent_id: number;
    start_epoch_seconds: number;
    end_epoch_seconds?: number;
  }[];
  files: { fid: number; name: string }[];
  subs: (Times & {
    name: string;
    kind: string;
    fid: number;
    first_line: number;
    last_line: number;
    call_count: number;
  })[];
  calls: (Times & {
    called: string;
    caller: string;
    fid: number;
    line: number;
    call_count: number;
  })[];
  lines: {
    fid: number;
    line: number;
    count: number;
    exclusive_seconds: number;
    shared?: boolean;
    source?: string;
  }[];
}

function isExported(value: unknown): value is Exported {
  const json = value as Partial<Exported> | null;
  return (
    typeof json === "object" &&
    json !== null &&
    json.schema === 1 &&
    [json.files, json.subs, json.calls, json.lines].every(Array.isArray)
  );
}

function addLine(segments: Segment[], line: number, source: string): void {
  const text = source.replace(/[\r\n]+$/, "");
  const last = segments[segments.length - 1];
  if (last && last[0] + last[1].length === line) last[1].push(text);
  else segments.push([line, [text]]);
}

/** Throws an Error with a sentence if it is none. Sources are by index of the file. */
export function fromJson(value: unknown): { raw: RawProfile; sources: Segment[][] } {
  if (!isExported(value)) throw new Error("it is no profile that nytprof convert wrote");
  const tps = value.ticks_per_second || 1;
  const ticks = (seconds: number) => Math.round((seconds || 0) * tps);
  const strings: string[] = [];
  const ids = new Map<string, number>();
  const string = (text: string) => {
    let id = ids.get(text);
    if (id === undefined) {
      id = strings.push(text) - 1;
      ids.set(text, id);
    }
    return id;
  };
  const files = new Map(value.files.map((file, i) => [file.fid, i]));
  const fileOf = (fid: number) => files.get(fid) ?? -1;
  const subs = new Map(value.subs.map((sub, i) => [sub.name, i]));
  const sums = value.files.map(() => ({ n: 0, t: 0 }));
  const sources: Segment[][] = value.files.map(() => []);
  for (const line of value.lines) {
    const file = fileOf(line.fid);
    if (file < 0) continue;
    sums[file].n += line.count;
    sums[file].t += ticks(line.exclusive_seconds);
    if (line.source !== undefined) addLine(sources[file], line.line, line.source);
  }
  const lines = value.lines.filter((line) => files.has(line.fid));
  const calls = value.calls.filter((call) => subs.has(call.called));
  const first = value.processes?.[0];
  const raw: RawProfile = {
    v: 1,
    title: (value.attributes?.application ?? "profile").replace(/^.*\/(?=.)/, ""),
    made: "nytprof convert",
    started: first?.start_epoch_seconds ?? 0,
    language: "",
    tps,
    wall: value.duration_seconds ?? 0,
    statements: value.statement_count,
    calls: value.call_count,
    time: ticks(value.statement_seconds),
    overhead: -1,
    snapshot: false,
    fault: value.complete ? null : "it ends early",
    sentence: "",
    split: [],
    notes: [],
    str: strings,
    file: {
      name: value.files.map((file) => string(file.name)),
      short: value.files.map((file) => string(file.name.replace(/^.*\/(?=.)/, ""))),
      kind: value.files.map(() => 0),
      parent: value.files.map(() => -1),
      line: value.files.map(() => 0),
      src: value.files.map((_, i) => (sources[i].length > 0 ? i : -1)),
      n: sums.map((sum) => sum.n),
      t: sums.map((sum) => sum.t),
    },
    line: {
      file: lines.map((line) => fileOf(line.fid)),
      line: lines.map((line) => line.line),
      n: lines.map((line) => line.count),
      t: lines.map((line) => ticks(line.exclusive_seconds)),
      i: lines.map((line) => ticks(line.exclusive_seconds)),
      s: lines.map((line) => (line.shared ? 1 : 0)),
    },
    block: null,
    sub: null,
    fn: {
      name: value.subs.map((sub) => string(sub.name)),
      file: value.subs.map((sub) => fileOf(sub.fid)),
      first: value.subs.map((sub) => sub.first_line),
      last: value.subs.map((sub) => sub.last_line),
      n: value.subs.map((sub) => sub.call_count),
      t: value.subs.map((sub) => ticks(sub.exclusive_seconds)),
      i: value.subs.map((sub) => ticks(sub.inclusive_seconds)),
      r: value.subs.map((sub) => ticks(sub.recursive_seconds)),
      depth: value.subs.map((sub) => sub.recursion_depth),
      kind: value.subs.map((sub) => (sub.kind === "code" ? 0 : sub.kind === "c" ? 1 : 2)),
      part: value.subs.map(() => 0),
    },
    call: {
      from: calls.map((call) => subs.get(call.caller) ?? -1),
      to: calls.map((call) => subs.get(call.called) ?? -1),
      file: calls.map((call) => fileOf(call.fid)),
      line: calls.map((call) => call.line),
      n: calls.map((call) => call.call_count),
      t: calls.map((call) => ticks(call.exclusive_seconds)),
      i: calls.map((call) => ticks(call.inclusive_seconds)),
      r: calls.map((call) => ticks(call.recursive_seconds)),
      depth: calls.map((call) => call.recursion_depth),
    },
    node: { fn: [-1], up: [0], t: [0] },
    group: [],
  };
  return { raw, sources };
}
