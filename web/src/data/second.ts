/** A second profile, out of a file that the reader drops in. */
import { Blocks } from "./decode";
import { fromJson } from "./json";
import { Profile } from "./model";

/** A page of ours, or what `nytprof convert --to json` wrote. Rejects with a sentence. */
export async function secondProfile(text: string): Promise<Profile> {
  if (/^\s*[{[]/.test(text)) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new Error("it is no whole JSON");
    }
    const { raw, sources } = fromJson(value);
    return new Profile(raw, { source: async (id) => sources[Number(id.slice(1))] ?? [] });
  }
  if (/^NYTProf \d/.test(text)) {
    throw new Error("it is a profile itself: make a page of it with nytprof html");
  }
  const blocks = Blocks.ofText(text);
  return new Profile(await blocks.profile(), blocks);
}
