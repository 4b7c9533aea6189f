/** The first screen: the answer in words, where the time went, and the source that cost most. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { functionChanges, verdict } from "../data/compare";
import {
  count,
  lineTime,
  markdownCode,
  percent,
  SHARED,
  sentence,
  time,
  visible,
} from "../data/format";
import type { Fn, Line, Profile } from "../data/model";
import { fnInScope, lineInScope, SCOPE_TITLES } from "../data/scope";
import { link } from "../state";
import { useShared } from "./context";
import { highlight, type Piece } from "./highlight";
import { calledBy, making } from "./notes";
import { FnLink, PlaceLink, SharedNote, Time } from "./parts";
import { Sections, Split } from "./scope";
import { Take } from "./take";

const AROUND = 2;

/** The lines that cost most; unless a scope is asked for, those of the project, if it has any. */
export function hottestLines(profile: Profile, scope: string, n: number): Line[] {
  const lines = profile.lines.filter((line) => lineInScope(profile, line, scope));
  const project = lines.filter((line) => profile.files[line.file]?.kind === 0);
  const pool = scope === "" && project.length > 0 ? project : lines;
  return [...pool].sort((a, b) => b.time - a.time).slice(0, n);
}

/** The line that the sentence is about stands first, if it is among those asked for. */
function sentenceFirst(profile: Profile, lines: Line[], scope: string): Line[] {
  const [file, number] = profile.raw.hottest ?? [];
  const told = profile.lines.find((line) => line.file === file && line.line === number);
  if (!told || !lineInScope(profile, told, scope)) return lines;
  return [told, ...lines.filter((line) => line !== told)];
}

/** The hottest line, and the hottest of another function. */
export function excerptLines(profile: Profile, lines: Line[]): Line[] {
  const first = lines[0];
  if (!first) return [];
  const around = profile.fnAt(first.file, first.line);
  const second = lines.find((line) => {
    const fn = profile.fnAt(line.file, line.line);
    return fn !== around || (fn === undefined && Math.abs(line.line - first.line) > 2 * AROUND);
  });
  return second ? [first, second] : [first];
}

export function hottestFns(profile: Profile, scope: string, n: number): Fn[] {
  return profile.fns
    .filter((fn) => fn.calls > 0 && fnInScope(profile, fn, scope))
    .sort((a, b) => b.excl - a.excl)
    .slice(0, n);
}

function Excerpt({ line }: { line: Line }) {
  const { profile } = useShared();
  const [pieces, setPieces] = useState<{ first: number; rows: Piece[][] } | null>(null);
  useEffect(() => {
    let alive = true;
    profile.source(line.file).then((segments) => {
      const segment = segments.find(
        ([first, lines]) => first <= line.line && line.line < first + lines.length,
      );
      if (!alive || !segment) return;
      const [first, lines] = segment;
      const from = Math.max(first, line.line - AROUND);
      const language = profile.raw.language.startsWith("Perl") ? "perl" : "python";
      const rows = highlight(lines, language).slice(from - first, line.line - first + AROUND + 1);
      setPieces({ first: from, rows });
    });
    return () => {
      alive = false;
    };
  }, [profile, line]);

  const fn = profile.fnAt(line.file, line.line);
  const callers = fn
    ? [...(profile.callers.get(fn.id) ?? [])].sort((a, b) => b.incl - a.incl).slice(0, 2)
    : [];
  const figures = new Map(
    (profile.linesByFile.get(line.file) ?? []).map((other) => [other.line, other]),
  );
  const calls = (profile.callsByFile.get(line.file) ?? [])
    .filter((call) => call.line === line.line && call.count > 0)
    .sort((a, b) => b.incl - a.incl)
    .slice(0, 2);
  return (
    <article class="excerpt">
      <h3>
        <PlaceLink file={line.file} line={line.line} />
        {fn && (
          <span class="in">
            {" in "}
            <FnLink fn={fn.id} />
          </span>
        )}
        <span class="figures">
          {percent(line.time, profile.time)}, {lineTime(line)}, {count(line.count)}×
          {line.count > 1 && `, ${time(line.time / line.count)} each`}
          {line.incl > 1.1 * line.time &&
            `; with its calls ${percent(line.incl, profile.time)}, ${time(line.incl)}`}
        </span>
      </h3>
      <pre class="code">
        {fn &&
          callers.map((call) => (
            <a key={call.id} class="note" href={link("function", { fn: fn.id })}>
              {calledBy(profile, call, line.file).text}
              {"\n"}
            </a>
          ))}
        {pieces?.rows.map((row, i) => (
          <span key={i} class={pieces.first + i === line.line ? "row hot" : "row"}>
            <span class="number">{pieces.first + i}</span>
            <Figures line={figures.get(pieces.first + i)} />
            <Code pieces={row} />
            {"\n"}
          </span>
        ))}
        {calls.map((call) => (
          <a key={call.id} class="note" href={link("function", { fn: call.to })}>
            {making(profile, call).text}
            {"\n"}
          </a>
        ))}
      </pre>
    </article>
  );
}

/** Count and time in front of a line of the excerpt. */
function Figures({ line }: { line: Line | undefined }) {
  return (
    <>
      <span class="number count">{line ? `${count(line.count)}×` : ""}</span>
      <span class="number">{line ? lineTime(line) : ""}</span>
    </>
  );
}

export function Code({ pieces }: { pieces: Piece[] }) {
  return (
    <code>
      {pieces.map((piece, i) => (
        <span key={i} class={piece.kind ? `tok-${piece.kind}` : undefined}>
          {visible(piece.text)}
        </span>
      ))}
    </code>
  );
}

/** What a colleague or a ticket needs: two to four thousand characters. */
export function overviewMarkdown(profile: Profile): string {
  const raw = profile.raw;
  const whole = raw.split.reduce((sum, [, ticks]) => sum + ticks, 0);
  const parts = raw.split.map(
    ([kind, ticks]) => `${SCOPE_TITLES[kind] ?? kind} ${percent(ticks, whole)}`,
  );
  const hottest = hottestLines(profile, "", 10);
  const lines = hottest.map((line) => {
    const fn = profile.fnAt(line.file, line.line);
    const name = profile.files[line.file]?.name ?? "(unknown)";
    return (
      `* ${markdownCode(`${name}:${line.line}`)}: ${lineTime(line)} (${percent(line.time, profile.time)}), ` +
      `${count(line.count)} executions${fn ? `, in ${markdownCode(fn.name)}` : ""}`
    );
  });
  const fns = hottestFns(profile, "", 10).map(
    (fn) =>
      `* ${markdownCode(fn.name)}: ${time(fn.excl)} own, ${time(fn.incl)} with callees, ${count(fn.calls)} calls`,
  );
  return [
    `## ${raw.title}`,
    "",
    sentence(raw.sentence),
    "",
    `Time: ${parts.join(", ")}.`,
    "",
    "Hottest lines:",
    ...lines,
    ...(hottest.some((line) => line.shared) ? ["", SHARED] : []),
    "",
    "Functions:",
    ...fns,
    "",
  ].join("\n");
}

/** With a profile to compare with: what changed, and the way to it. */
function Verdict() {
  const { profile, other } = useShared();
  const text = useMemo(
    () => (other ? verdict(other, profile, functionChanges(other, profile)) : ""),
    [other, profile],
  );
  if (!other) return null;
  return (
    <p class="verdict">
      Since the other run: {visible(text)} <a href={link("compare")}>What changed</a>
    </p>
  );
}

function TopFunctions({ fns }: { fns: Fn[] }) {
  const { profile } = useShared();
  return (
    <section aria-label="Functions that cost most">
      <h2>Functions</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number">
              Calls
            </th>
            <th scope="col" class="number">
              Own time
            </th>
            <th scope="col" class="number">
              With callees
            </th>
          </tr>
        </thead>
        <tbody>
          {fns.map((fn) => (
            <tr key={fn.id}>
              <td>
                <FnLink fn={fn.id} />
              </td>
              <td class="number">{count(fn.calls)}</td>
              <td class="number">
                <Time seconds={fn.excl} whole={profile.time} />
              </td>
              <td class="number">{time(fn.incl)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Overview() {
  const { profile, all, state } = useShared();
  const raw = profile.raw;
  const lines = hottestLines(profile, state.scope, 12);
  const fns = hottestFns(profile, state.scope, 12);
  return (
    <div class="overview">
      <p class="sentence">{sentence(raw.sentence)}</p>
      {raw.notes.map((note) => (
        <p key={note} class="warning" role="note">
          {visible(note)}
        </p>
      ))}
      <Verdict />
      <Split />
      <Sections />
      <div class="excerpts">
        {excerptLines(profile, sentenceFirst(profile, lines, state.scope)).map((line) => (
          <Excerpt key={`${line.file}:${line.line}`} line={line} />
        ))}
      </div>
      <div class="columns">
        <section aria-label="Lines that cost most">
          <h2>Lines</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">Line</th>
                <th scope="col" class="number">
                  Count
                </th>
                <th scope="col" class="number">
                  Time on line
                </th>
                <th scope="col" class="number">
                  Inclusive
                </th>
              </tr>
            </thead>
            <tbody>
              {lines.map((line) => (
                <tr key={`${line.file}:${line.line}`}>
                  <td>
                    <PlaceLink file={line.file} line={line.line} />
                  </td>
                  <td class="number">{count(line.count)}</td>
                  <td class="number">
                    <Time seconds={line.time} whole={profile.time} shared={line.shared} />
                  </td>
                  <td class="number">{time(line.incl)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <SharedNote shown={lines.some((line) => line.shared)} />
        </section>
        {profile === all ? (
          <TopFunctions fns={fns} />
        ) : (
          <p class="dim">
            Calls are known of all threads and processes together only: the inclusive time of a line
            is its own here, and functions have no figures.
          </p>
        )}
      </div>
      <Take name="overview" markdown={() => overviewMarkdown(profile)} />
    </div>
  );
}
