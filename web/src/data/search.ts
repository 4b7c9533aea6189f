/** The palette's search over functions, files and places. */
import uFuzzy from "@leeoniya/ufuzzy";
import type { Profile } from "./model";

export interface Found {
  title: string;
  detail: string;
  /** What to open. */
  target: { fn: number } | { file: number; line: number };
}

const MOST = 50;

export class Search {
  private readonly fuzzy = new uFuzzy();
  private readonly names: string[];

  constructor(private readonly profile: Profile) {
    this.names = [...profile.fns.map((fn) => fn.name), ...profile.files.map((file) => file.short)];
  }

  /** Best first. "re:..." is a regular expression, "file.py:12" a place. */
  find(query: string): Found[] {
    const text = query.trim();
    if (!text) return [];
    const place = /^(.*):(\d{1,7})$/.exec(text);
    if (place) return this.places(place[1], Number(place[2]));
    if (text.startsWith("re:")) return this.byPattern(text.slice(3));
    const [found, info, order] = this.fuzzy.search(this.names, text, 0, 1000);
    if (!found) return [];
    const ranked = info && order ? order.map((i) => info.idx[i]) : found;
    return ranked.slice(0, MOST).map((i) => this.entry(i));
  }

  private byPattern(source: string): Found[] {
    let pattern: RegExp;
    try {
      pattern = new RegExp(source, "i");
    } catch {
      return [];
    }
    const found: Found[] = [];
    for (let i = 0; i < this.names.length && found.length < MOST; i++) {
      if (pattern.test(this.names[i])) found.push(this.entry(i));
    }
    return found;
  }

  private places(name: string, line: number): Found[] {
    return this.profile.files
      .filter((file) => file.name.includes(name))
      .slice(0, MOST)
      .map((file) => ({
        title: `${file.short}:${line}`,
        detail: file.name,
        target: { file: file.id, line },
      }));
  }

  private entry(i: number): Found {
    const { fns, files } = this.profile;
    if (i < fns.length) {
      const fn = fns[i];
      return { title: fn.name, detail: this.profile.place(fn.file, fn.first), target: { fn: i } };
    }
    const file = files[i - fns.length];
    return { title: file.short, detail: file.name, target: { file: file.id, line: 0 } };
  }
}
