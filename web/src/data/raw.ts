/** The data as lib/report/page_data.c writes it: columns, one array for each. Times are in ticks. */

export interface RawProfile {
  /** Version of this layout. */
  v: 1;
  title: string;
  /** The program that wrote the page. */
  made: string;
  /** Seconds since the epoch. */
  started: number;
  language: string;
  /** Ticks a second. */
  tps: number;
  wall: number;
  statements: number;
  calls: number;
  /** Time of all statements. */
  time: number;
  /** What the profiler took, already removed from the times; -1: not known. */
  overhead: number;
  /** The program was still running when the profile was written. */
  snapshot: boolean;
  /** Why reading the profile ended early. */
  fault: string | null;
  sentence: string;
  /** File and line that the sentence is about; empty or absent: none. */
  hottest?: number[];
  /** Where the time went, largest first. */
  split: [kind: string, time: number][];
  notes: string[];
  str: string[];
  file: {
    name: number[];
    short: number[];
    /** 0 project, 1 installed packages, 2 standard library, 3 built in, 4 generated. */
    kind: number[];
    parent: number[];
    line: number[];
    src: number[];
    /** Statements and time of all its lines, with those that are left out of the page. */
    n: number[];
    t: number[];
  };
  /** `s`: 1 of lines with a shared time; absent: there is none. */
  line: Level & { i: number[]; s?: number[] };
  block: Level | null;
  sub: Level | null;
  /** What lines of coroutines waited for, on the clock; absent: an older page. */
  await?: Level;
  fn: {
    name: number[];
    file: number[];
    first: number[];
    last: number[];
    n: number[];
    t: number[];
    i: number[];
    r: number[];
    depth: number[];
    /** 0 code, 1 C function or xsub, 2 opcode. */
    kind: number[];
    /** 1: runs an import; 2: does nothing but wait. */
    part: number[];
  };
  call: {
    from: number[];
    to: number[];
    file: number[];
    line: number[];
    n: number[];
    t: number[];
    i: number[];
    r: number[];
    depth: number[];
  };
  node: { fn: number[]; up: number[]; t: number[] };
  /** Threads and processes. */
  group: { id: number; parent: number; start: number; end: number }[];
  /** Those whose lines can be looked at alone, by most time; absent: an older page. */
  section?: RawSection[];
}

/** The lines of one thread or process: their indexes in `line`, counts and ticks. */
export interface RawSection {
  id: number;
  i: number[];
  n: number[];
  t: number[];
}

/** Figures by line. */
export interface Level {
  file: number[];
  line: number[];
  n: number[];
  t: number[];
}
