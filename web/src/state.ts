/** What is shown, kept in the address behind '#', so that every view can be linked. */
import type { Granularity } from "./data/model";

export const VIEWS = [
  "overview",
  "source",
  "functions",
  "function",
  "flame",
  "treemap",
  "imports",
  "files",
  "threads",
  "compare",
] as const;
export type View = (typeof VIEWS)[number];

export interface State {
  view: View;
  /** Index of a file. */
  file: number;
  line: number;
  /** Index of a function; -1: none. */
  fn: number;
  level: Granularity;
  /** Column by which the table is sorted; empty: the view's own order. */
  sort: string;
  up: boolean;
  filter: string;
  /** Which kind of code is shown; empty: all. */
  scope: string;
  /** The thread or process whose lines are shown; -1: all together. */
  section: number;
  /** Node at which the flame graph begins. */
  node: number;
  inverted: boolean;
  libraries: boolean;
}

export const START: State = {
  view: "overview",
  file: -1,
  line: 0,
  fn: -1,
  level: "line",
  sort: "",
  up: false,
  filter: "",
  scope: "",
  section: -1,
  node: 0,
  inverted: false,
  libraries: false,
};

const LEVELS: Granularity[] = ["line", "block", "sub"];

function whole(text: string | null, otherwise: number): number {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

/** Reads "#/source?file=3&line=47"; what is not understood is left as at the start. */
export function parse(hash: string): State {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const values = new URLSearchParams(query ?? "");
  const view = VIEWS.find((v) => v === path) ?? START.view;
  const level = LEVELS.find((l) => l === values.get("level")) ?? START.level;
  return {
    view,
    level,
    file: whole(values.get("file"), START.file),
    line: whole(values.get("line"), START.line),
    fn: whole(values.get("fn"), START.fn),
    section: whole(values.get("section"), START.section),
    node: whole(values.get("node"), START.node),
    sort: values.get("sort") ?? "",
    up: values.get("up") === "1",
    filter: values.get("filter") ?? "",
    scope: values.get("scope") ?? "",
    inverted: values.get("inverted") === "1",
    libraries: values.get("libraries") === "1",
  };
}

/** The address of a state; only what differs from the start is in it. */
export function format(state: State): string {
  const values = new URLSearchParams();
  for (const key of Object.keys(START) as (keyof State)[]) {
    const value = state[key];
    if (key === "view" || value === START[key]) continue;
    values.set(key, value === true ? "1" : String(value));
  }
  const query = values.toString();
  return `#/${state.view}${query ? `?${query}` : ""}`;
}

/** The address of a view, from the start but for what `part` says. */
export function link(view: View, part: Partial<State> = {}): string {
  return format({ ...START, ...part, view });
}
