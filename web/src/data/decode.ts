/** From the page's data blocks to objects. */
import type { RawProfile } from "./raw";

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

/** The text in a block of base64 of raw deflate. Rejects if it is damaged. */
export async function unpack(base64: string): Promise<string> {
  return inflate(bytesOf(base64));
}

const COLUMNS: Record<string, string[]> = {
  file: ["name", "short", "kind", "parent", "line", "src", "n", "t"],
  line: ["file", "line", "n", "t", "i"],
  fn: ["name", "file", "first", "last", "n", "t", "i", "r", "depth", "kind", "part"],
  call: ["from", "to", "file", "line", "n", "t", "i", "r", "depth"],
  node: ["fn", "up", "t"],
};

/** Columns that hold what each value adds to the row before. */
const STEPS: [table: string, columns: string[]][] = [
  ["line", ["file", "line"]],
  ["block", ["file", "line"]],
  ["sub", ["file", "line"]],
  ["fn", ["name", "file", "first"]],
  ["call", ["to", "file", "line"]],
  ["node", ["up"]],
];
/** Columns that hold what they add to another one. */
const OVER: [table: string, column: string, base: string][] = [
  ["line", "i", "t"],
  ["fn", "i", "t"],
  ["fn", "last", "first"],
  ["call", "i", "t"],
];

/** Undoes both, in place. */
export function addedUp(raw: RawProfile): RawProfile {
  const tables = raw as unknown as Record<string, Record<string, number[]> | null>;
  for (const [name, columns] of STEPS) {
    for (const column of columns) {
      const cells = tables[name]?.[column] ?? [];
      for (let i = 1; i < cells.length; i++) cells[i] += cells[i - 1];
    }
  }
  for (const { i: lines } of raw.section ?? []) {
    for (let i = 1; i < lines.length; i++) lines[i] += lines[i - 1];
  }
  for (const [name, column, base] of OVER) {
    const table = tables[name] ?? {};
    for (let i = 0; i < table[column].length; i++) table[column][i] += table[base][i];
  }
  return raw;
}

/** Throws an Error with a sentence for the reader if `value` is no profile of ours. */
export function checked(value: unknown): RawProfile {
  const raw = value as RawProfile & Record<string, Record<string, unknown[]>>;
  if (typeof raw !== "object" || raw === null || raw.v !== 1 || !Array.isArray(raw.str)) {
    throw new Error("it holds no profile that this page can read");
  }
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const first = raw[table]?.[columns[0] as string];
    for (const column of columns) {
      const cells = raw[table]?.[column];
      if (!Array.isArray(cells) || cells.length !== first?.length) {
        throw new Error(`its table "${table}" is damaged`);
      }
    }
  }
  for (const { i, n, t } of raw.section ?? []) {
    if (n?.length !== i?.length || t?.length !== i.length) {
      throw new Error('its table "section" is damaged');
    }
  }
  return raw;
}

/** A part of a file's source: the number of its first line, and the lines. */
export type Segment = [first: number, lines: string[]];

/** The blocks of one page: those of this document, or of another page's text. */
export class Blocks {
  constructor(private readonly find: (id: string) => string | null) {}

  static ofDocument(document: Document): Blocks {
    return new Blocks((id) => document.getElementById(id)?.textContent ?? null);
  }

  /** Of a page that was written by us and is opened as a file. Throws if it is none. */
  static ofText(html: string): Blocks {
    const page = new DOMParser().parseFromString(html, "text/html");
    if (!page.getElementById("profile")) {
      throw new Error("it is no report written by nytprof html");
    }
    return Blocks.ofDocument(page);
  }

  async profile(): Promise<RawProfile> {
    return this.named("profile");
  }

  /** The profile that --compare put in; null: there is none. */
  async other(): Promise<RawProfile | null> {
    return this.find("other") === null ? null : this.named("other");
  }

  async source(id: string): Promise<Segment[]> {
    const base64 = this.find(id);
    return base64 === null ? [] : (JSON.parse(await unpack(base64)) as Segment[]);
  }

  private async named(id: string): Promise<RawProfile> {
    const base64 = this.find(id);
    if (base64 === null) throw new Error("the page's data is missing");
    let value: unknown;
    try {
      value = JSON.parse(await unpack(base64));
    } catch {
      throw new Error("the page's data is damaged");
    }
    return addedUp(checked(value));
  }
}
