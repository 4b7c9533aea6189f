/** A profile with the indexes that the views ask for. Times are in seconds. */
import type { Segment } from "./decode";
import type { Level, RawProfile } from "./raw";
import { alone } from "./section";

export const KINDS = ["project", "packages", "standard library", "built in", "generated"] as const;
export type Kind = (typeof KINDS)[number];

export type Granularity = "line" | "block" | "sub";

export interface File {
  id: number;
  name: string;
  short: string;
  kind: number;
  parent: number;
  line: number;
  source: number;
  time: number;
  count: number;
}

export interface Line {
  file: number;
  line: number;
  count: number;
  time: number;
  incl: number;
  /** Its time is a share of one that was measured for several lines together. */
  shared: boolean;
}

export interface Await {
  file: number;
  line: number;
  count: number;
  time: number;
}

export interface Fn {
  id: number;
  name: string;
  file: number;
  first: number;
  last: number;
  calls: number;
  excl: number;
  incl: number;
  reci: number;
  depth: number;
  kind: number;
  part: number;
}

export interface Call {
  id: number;
  /** -1: nobody. */
  from: number;
  to: number;
  file: number;
  line: number;
  count: number;
  excl: number;
  incl: number;
  reci: number;
  depth: number;
}

export interface Node {
  fn: number;
  up: number;
  excl: number;
  incl: number;
}

/** Where the text of a file comes from. */
export interface Sources {
  source(id: string): Promise<Segment[]>;
}

function grouped<T>(items: T[], key: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const list = groups.get(key(item));
    if (list) list.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

export class Profile {
  readonly files: File[];
  readonly lines: Line[];
  readonly fns: Fn[];
  readonly calls: Call[];
  readonly nodes: Node[];
  /** Time of all statements. */
  readonly time: number;
  /** What lines of coroutines waited for: beside their time, and in no sum. */
  readonly awaits: Await[];
  readonly linesByFile: Map<number, Line[]>;
  readonly fnsByFile: Map<number, Fn[]>;
  readonly callers: Map<number, Call[]>;
  readonly callees: Map<number, Call[]>;
  readonly callsByFile: Map<number, Call[]>;
  private readonly sources = new Map<number, Promise<Segment[]>>();
  private readonly sections = new Map<number, Profile | null>();

  constructor(
    readonly raw: RawProfile,
    private readonly blocks: Sources | null,
    private readonly prefix = "s",
  ) {
    const s = raw.tps > 0 ? 1 / raw.tps : 0;
    this.time = raw.time * s;
    this.files = raw.file.name.map((name, id) => ({
      id,
      name: raw.str[name] ?? "",
      short: raw.str[raw.file.short[id]] ?? "",
      kind: raw.file.kind[id],
      parent: raw.file.parent[id],
      line: raw.file.line[id],
      source: raw.file.src[id],
      time: raw.file.t[id] * s,
      count: raw.file.n[id],
    }));
    this.lines = linesOf(raw.line, s, raw.line.i, raw.line.s);
    this.awaits = raw.await ? linesOf(raw.await, s, null) : [];
    this.fns = raw.fn.name.map((name, id) => ({
      id,
      name: raw.str[name] ?? "",
      file: raw.fn.file[id],
      first: raw.fn.first[id],
      last: raw.fn.last[id],
      calls: raw.fn.n[id],
      excl: raw.fn.t[id] * s,
      incl: raw.fn.i[id] * s,
      reci: raw.fn.r[id] * s,
      depth: raw.fn.depth[id],
      kind: raw.fn.kind[id],
      part: raw.fn.part[id],
    }));
    this.calls = raw.call.to.map((to, id) => ({
      id,
      to,
      from: raw.call.from[id],
      file: raw.call.file[id],
      line: raw.call.line[id],
      count: raw.call.n[id],
      excl: raw.call.t[id] * s,
      incl: raw.call.i[id] * s,
      reci: raw.call.r[id] * s,
      depth: raw.call.depth[id],
    }));
    this.nodes = nodesOf(raw, s);
    this.linesByFile = grouped(this.lines, (line) => line.file);
    this.fnsByFile = grouped(this.fns, (fn) => fn.file);
    this.callers = grouped(this.calls, (call) => call.to);
    this.callees = grouped(this.calls, (call) => call.from);
    this.callsByFile = grouped(this.calls, (call) => call.file);
  }

  /** Lines of one file with the time of their blocks or subs rolled up. */
  level(granularity: Granularity): Line[] {
    const raw = granularity === "line" ? null : this.raw[granularity];
    return raw ? linesOf(raw, this.raw.tps > 0 ? 1 / this.raw.tps : 0, null) : this.lines;
  }

  /** One thread or process alone; null: its lines are not in the page. */
  alone(id: number): Profile | null {
    let found = this.sections.get(id);
    if (found === undefined) {
      const section = this.raw.section?.find((candidate) => candidate.id === id);
      found = section ? new Profile(alone(this.raw, section), this.blocks, this.prefix) : null;
      this.sections.set(id, found);
    }
    return found;
  }

  /** The segments of a file's source; empty: it is not in the page. */
  source(file: number): Promise<Segment[]> {
    let found = this.sources.get(file);
    if (!found) {
      const id = this.files[file]?.source ?? -1;
      found = id < 0 || !this.blocks ? Promise.resolve([]) : this.blocks.source(this.prefix + id);
      this.sources.set(file, found);
    }
    return found;
  }

  /** "documents.py:47". */
  place(file: number, line: number): string {
    const short = this.files[file]?.short ?? "(unknown)";
    return line > 0 ? `${short}:${line}` : short;
  }

  callerName(call: Call): string {
    return call.from < 0 ? "(start)" : (this.fns[call.from]?.name ?? "(unknown)");
  }

  /** The function around a line; the innermost one. */
  fnAt(file: number, line: number): Fn | undefined {
    let best: Fn | undefined;
    for (const fn of this.fnsByFile.get(file) ?? []) {
      const around = fn.first > 0 && fn.first <= line && line <= fn.last;
      if (around && (!best || fn.first >= best.first)) best = fn;
    }
    return best;
  }

  /** What a source view without a file shows: what the sentence is about, or else the file of the
   * project that took most time. */
  get firstFile(): File {
    const told = this.files[this.raw.hottest?.[0] ?? -1];
    const own = this.files.filter((file) => file.kind === 0);
    const pool = own.length > 0 ? own : this.files;
    return told ?? pool.reduce((best, file) => (file.time > best.time ? file : best));
  }

  /** The line of a file that is shown first: the sentence's, or else the hottest; 0: none. */
  firstLine(file: number): number {
    const [told, line] = this.raw.hottest ?? [];
    if (told === file && line > 0) return line;
    const lines = this.linesByFile.get(file) ?? [];
    return (
      lines.reduce((best, line) => (line.time > (best?.time ?? -1) ? line : best), lines[0])
        ?.line ?? 0
    );
  }

  kindOfFn(fn: Fn): number {
    return fn.kind !== 0 ? 3 : (this.files[fn.file]?.kind ?? 4);
  }
}

function linesOf(raw: Level, s: number, incl: number[] | null, shared: number[] = []): Line[] {
  return raw.line.map((line, i) => ({
    file: raw.file[i],
    line,
    count: raw.n[i],
    time: raw.t[i] * s,
    incl: (incl ? incl[i] : raw.t[i]) * s,
    shared: shared[i] === 1,
  }));
}

/** Parents come before their children, so that inclusive times are a sum backwards. */
function nodesOf(raw: RawProfile, s: number): Node[] {
  const nodes = raw.node.fn.map((fn, i) => {
    const excl = raw.node.t[i] * s;
    return { fn, up: raw.node.up[i], excl, incl: excl };
  });
  for (let i = nodes.length - 1; i > 0; i--) {
    const up = nodes[nodes[i].up];
    if (up) up.incl += nodes[i].incl;
  }
  return nodes;
}
