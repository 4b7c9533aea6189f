/** Which part of the code a view shows; empty: all of it. The parts are those of the split. */
import type { Fn, Line, Profile } from "./model";

export const SCOPES = ["project", "packages", "library", "imports", "waiting"] as const;

export const SCOPE_TITLES: Record<string, string> = {
  project: "Project",
  packages: "Packages",
  library: "Standard library",
  imports: "Imports",
  waiting: "Waiting",
};

const PARTS: Record<string, number> = { imports: 1, waiting: 2 };
const FILE_KINDS = ["project", "packages", "library"];
const BUILT_IN = 3;

/** A function written in C belongs where it is called from. */
export function fnInScope(profile: Profile, fn: Fn, scope: string): boolean {
  if (scope === "") return true;
  if (scope in PARTS) return fn.part === PARTS[scope];
  const wanted = FILE_KINDS.indexOf(scope);
  const kind = profile.kindOfFn(fn);
  if (kind !== BUILT_IN) return kind === wanted;
  const callers = profile.callers.get(fn.id) ?? [];
  return callers.some((call) => profile.files[call.file]?.kind === wanted);
}

export function lineInScope(profile: Profile, line: Line, scope: string): boolean {
  if (scope === "") return true;
  if (scope === "imports") return profile.fnAt(line.file, line.line)?.part === PARTS.imports;
  if (scope === "waiting") {
    const calls = profile.callsByFile.get(line.file) ?? [];
    return calls.some(
      (call) => call.line === line.line && profile.fns[call.to]?.part === PARTS.waiting,
    );
  }
  return profile.files[line.file]?.kind === FILE_KINDS.indexOf(scope);
}

export function fileInScope(profile: Profile, file: number, scope: string): boolean {
  if (scope === "") return true;
  if (scope in PARTS) {
    const lines = profile.linesByFile.get(file) ?? [];
    return lines.some((line) => lineInScope(profile, line, scope));
  }
  return profile.files[file]?.kind === FILE_KINDS.indexOf(scope);
}
