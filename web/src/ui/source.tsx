/** A file's source with its figures, and NYTProf's notes about calls in place. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { type LineChange, lineChanges } from "../data/compare";
import type { Segment } from "../data/decode";
import {
  count,
  csvCell,
  lineTime,
  markdownCode,
  percent,
  SHARED,
  change as signed,
  time,
  visible,
} from "../data/format";
import type { Await, Call, File, Fn, Granularity, Line, Profile } from "../data/model";
import { link } from "../state";
import { useShared } from "./context";
import { editorLink } from "./editor";
import { heat } from "./heat";
import { highlight, type Piece } from "./highlight";
import { callInNotes, callOutNotes, type Note } from "./notes";
import { Code } from "./overview";
import { SharedNote, Time } from "./parts";
import { Rows } from "./rows";
import { Sections } from "./scope";
import { Take } from "./take";

const ROW = 24;

type Row =
  | {
      kind: "code";
      line: number;
      pieces: Piece[];
      figures: Line | undefined;
      awaited: Await | undefined;
      calls: Call[];
    }
  | { kind: "note"; note: Note; indent: number }
  | { kind: "gap"; lines: number; seconds: number };

interface Text {
  line: number;
  pieces: Piece[];
}

/** Every line that the page has; if it has none of this file, those that have figures. */
function textOf(profile: Profile, file: File, segments: Segment[]): Text[] {
  const language = profile.raw.language.startsWith("Perl") ? "perl" : "python";
  const texts: Text[] = [];
  for (const [first, lines] of segments) {
    highlight(lines, language).forEach((pieces, i) => {
      texts.push({ line: first + i, pieces });
    });
  }
  if (texts.length > 0) return texts;
  return (profile.linesByFile.get(file.id) ?? []).map(({ line }) => ({ line, pieces: [] }));
}

function isShared(row: Row): boolean {
  return row.kind === "code" && row.figures?.shared === true;
}

function indentOf(pieces: Piece[]): number {
  const text = pieces.map((piece) => piece.text).join("");
  return text.length - text.trimStart().length;
}

/** The rows of the view: notes stand above functions and below calling lines. */
export function rowsOf(
  profile: Profile,
  file: File,
  segments: Segment[],
  level: Granularity,
): Row[] {
  const figures = new Map(
    profile
      .level(level)
      .filter((line) => line.file === file.id)
      .map((line) => [line.line, line]),
  );
  const calls = new Map<number, Call[]>();
  for (const call of profile.callsByFile.get(file.id) ?? []) {
    calls.set(call.line, [...(calls.get(call.line) ?? []), call]);
  }
  const awaits = new Map(
    profile.awaits.filter((one) => one.file === file.id).map((one) => [one.line, one]),
  );
  const fns = new Map<number, Fn[]>();
  for (const fn of profile.fnsByFile.get(file.id) ?? []) {
    if (fn.first > 0) fns.set(fn.first, [...(fns.get(fn.first) ?? []), fn]);
  }
  const rows: Row[] = [];
  let last = 0;
  const leaveOut = (to: number) => {
    if (segments.length === 0 || to <= last + 1) return;
    let seconds = 0;
    for (let line = last + 1; line < to; line++) seconds += figures.get(line)?.time ?? 0;
    rows.push({ kind: "gap", lines: to - last - 1, seconds });
  };
  for (const { line, pieces } of textOf(profile, file, segments)) {
    leaveOut(line);
    last = line;
    const indent = indentOf(pieces);
    for (const fn of fns.get(line) ?? []) {
      for (const note of callInNotes(profile, fn)) rows.push({ kind: "note", note, indent });
    }
    const made = calls.get(line) ?? [];
    rows.push({
      kind: "code",
      line,
      pieces,
      figures: figures.get(line),
      awaited: awaits.get(line),
      calls: made,
    });
    for (const note of callOutNotes(profile, made)) rows.push({ kind: "note", note, indent });
  }
  leaveOut([...figures.keys()].reduce((most, line) => Math.max(most, line), 0) + 1);
  return rows;
}

/** The lines worth going to with n and p: a thousandth of the file's time and more. */
export function hotLines(profile: Profile, file: number): number[] {
  const lines = profile.linesByFile.get(file) ?? [];
  const most = Math.max(0, ...lines.map((line) => line.time));
  return lines
    .filter((line) => line.time > 0 && line.time >= most / 20)
    .map((line) => line.line)
    .sort((a, b) => a - b);
}

function Minimap({ rows, whole }: { rows: Row[]; whole: number }) {
  const { change } = useShared();
  const marks = rows
    .map((row, i) => ({ row, at: (100 * i) / Math.max(rows.length, 1) }))
    .filter(({ row }) => row.kind === "code" && row.figures && heat(row.figures.time, whole) > 2);
  return (
    <div class="minimap" aria-hidden="true">
      {marks.map(({ row, at }) =>
        row.kind === "code" && row.figures ? (
          <button
            type="button"
            key={row.line}
            tabIndex={-1}
            class={`mark heat${heat(row.figures.time, whole)}`}
            style={{ top: `${at}%` }}
            title={`line ${row.line}: ${lineTime(row.figures)}`}
            onClick={() => change({ line: row.line })}
          />
        ) : null,
      )}
    </div>
  );
}

export function Source() {
  const { profile, other, state, change } = useShared();
  const file = profile.files[state.file] ?? profile.firstFile;
  const [segments, setSegments] = useState<Segment[] | null>(null);
  useEffect(() => {
    let alive = true;
    setSegments(null);
    profile.source(file.id).then(
      (found) => alive && setSegments(found),
      () => alive && setSegments([]),
    );
    return () => {
      alive = false;
    };
  }, [profile, file.id]);
  const changes = useChanges(file.id);
  const rows = useMemo(
    () => (segments ? rowsOf(profile, file, segments, state.level) : []),
    [profile, file.id, segments, state.level],
  );
  const awaits = profile.awaits.some((one) => one.file === file.id);
  const hot = useMemo(() => hotLines(profile, file.id), [profile, file.id]);
  const line = state.line || profile.firstLine(file.id);
  const at = rows.findIndex((row) => row.kind === "code" && row.line === line);
  const levels: Granularity[] = ["line"];
  if (profile.raw.block) levels.push("block");
  if (profile.raw.sub) levels.push("sub");

  const head = (
    <thead>
      <tr>
        <th scope="col" class="number">
          Line
        </th>
        <th scope="col" class="number">
          Count
        </th>
        {other && (
          <th scope="col" class="number">
            Δ count
          </th>
        )}
        <th scope="col" class="number">
          Time on line
        </th>
        <th scope="col" class="number incl">
          Inclusive
        </th>
        <th scope="col" class="number calls">
          Calls
        </th>
        <th scope="col" class="number subs">
          Time in subs
        </th>
        {awaits && (
          <th scope="col" class="number" title="Until it went on: beside its time, in no sum">
            Awaited
          </th>
        )}
        <th scope="col">Code</th>
      </tr>
    </thead>
  );
  return (
    <section class="source" aria-label={`Source of ${file.short}`}>
      <div class="bar">
        <h2 title={visible(file.name)}>{visible(file.short)}</h2>
        <Sections />
        <span class="dim">
          {percent(file.time, profile.time)}, {time(file.time)}, {count(file.count)} statements
        </span>
        {levels.length > 1 &&
          levels.map((level) => (
            <button
              type="button"
              key={level}
              aria-pressed={state.level === level}
              onClick={() => change({ level })}
            >
              {level}
            </button>
          ))}
        <button type="button" onClick={() => change({ line: next(hot, line, -1) })}>
          Previous hot line (p)
        </button>
        <button type="button" onClick={() => change({ line: next(hot, line, 1) })}>
          Next hot line (n)
        </button>
        {file.name.startsWith("/") && <a href={editorLink(file.name, line || 1)}>Open in editor</a>}
        <Take
          name={file.short}
          markdown={() => sourceMarkdown(profile, file, rows, line)}
          csv={() => sourceCsv(rows)}
        />
      </div>
      {segments?.length === 0 && (
        <p class="warning">The page does not hold the text of this file; its figures are below.</p>
      )}
      <SharedNote shown={rows.some(isShared)} />
      <div class="with-map">
        <Rows
          count={rows.length}
          height={ROW}
          at={at}
          label="Annotated source"
          class="code"
          head={head}
          row={(i) => (
            <SourceRow
              key={i}
              row={rows[i]}
              current={line}
              whole={profile.time}
              changes={other ? changes : null}
              awaits={awaits}
            />
          )}
        />
        <Minimap rows={rows} whole={profile.time} />
      </div>
    </section>
  );
}

/** How the lines of a file differ from the other profile's. */
function useChanges(file: number): Map<number, LineChange> {
  const { profile, other } = useShared();
  const [changes, setChanges] = useState(new Map<number, LineChange>());
  useEffect(() => {
    let alive = true;
    setChanges(new Map());
    if (other) {
      lineChanges(other, profile, file).then((found) => {
        if (alive) setChanges(new Map(found.filter((c) => c.after).map((c) => [c.line, c])));
      });
    }
    return () => {
      alive = false;
    };
  }, [other, profile, file]);
  return changes;
}

function Grown({ change }: { change: LineChange | undefined }) {
  if (!change?.after) return null;
  if (!change.before) return <span>new</span>;
  const grown = change.after.count - change.before.count;
  return <span>{grown === 0 ? (change.edited ? "edited" : "=") : signed(grown)}</span>;
}

interface RowProps {
  row: Row;
  current: number;
  whole: number;
  /** By line, if there is a profile to compare with. */
  changes: Map<number, LineChange> | null;
  /** There is a column of awaited time. */
  awaits: boolean;
}

function SourceRow({ row, current, whole, changes, awaits }: RowProps) {
  const columns = [...BEFORE, ...(changes ? ["delta"] : []), ...(awaits ? ["awaited"] : [])];
  if (row.kind === "gap") {
    return (
      <tr class="left-out">
        <td colSpan={columns.length + 1}>
          {row.lines === 1 ? "1 line" : `${count(row.lines)} lines`} left out: {time(row.seconds)}
        </td>
      </tr>
    );
  }
  if (row.kind === "note") return <NoteRow row={row} columns={columns} />;
  const figures = row.figures;
  const incl = row.calls.reduce((sum, call) => sum + call.incl, 0);
  const calls = row.calls.reduce((sum, call) => sum + call.count, 0);
  return (
    <tr
      class={`line ${row.line === current ? "current" : ""} heat-row${figures ? heat(figures.time, whole) : 0}`}
      aria-current={row.line === current ? "true" : undefined}
    >
      <td class="number">{row.line}</td>
      <td class="number">{figures ? count(figures.count) : ""}</td>
      {changes && <td class="number">{figures && <Grown change={changes.get(row.line)} />}</td>}
      <td class="number">
        {figures && <Time seconds={figures.time} whole={whole} shared={figures.shared} />}
      </td>
      <td class="number incl">
        {figures && figures.incl > figures.time ? time(figures.incl) : ""}
      </td>
      <td class="number calls">{calls > 0 ? count(calls) : ""}</td>
      <td class="number subs">{incl > 0 ? time(incl) : ""}</td>
      {awaits && <td class="number awaited">{row.awaited && time(row.awaited.time)}</td>}
      <td class="text">
        <Code pieces={row.pieces} />
      </td>
    </tr>
  );
}

/** The columns before the code. */
const BEFORE = ["line", "count", "time-on-line", "incl", "calls", "subs"];

function NoteRow({ row, columns }: { row: Row & { kind: "note" }; columns: string[] }) {
  const { note, indent } = row;
  const target =
    note.fn >= 0
      ? link("function", { fn: note.fn })
      : link("source", { file: note.file, line: note.line });
  return (
    <tr class="note">
      {columns.map((name) => (
        <td key={name} class={name} />
      ))}
      <td class="text">
        <a href={target} style={{ marginLeft: `${indent}ch` }}>
          {note.text}
        </a>
      </td>
    </tr>
  );
}

/** The hot line after (1) or before (-1) this one, around the ends. */
export function next(hot: number[], line: number, step: 1 | -1): number {
  if (hot.length === 0) return line;
  if (step > 0) return hot.find((candidate) => candidate > line) ?? hot[0];
  const before = hot.filter((candidate) => candidate < line);
  return before[before.length - 1] ?? hot[hot.length - 1];
}

function plain(pieces: Piece[]): string {
  return pieces.map((piece) => piece.text).join("");
}

export function sourceCsv(rows: Row[]): string {
  const shared = rows.some(isShared);
  const titles = "line,count,seconds,calls,seconds in subs,awaits,seconds awaited,source";
  const lines = [shared ? `${titles},shared` : titles];
  for (const row of rows) {
    if (row.kind !== "code") continue;
    const calls = row.calls.reduce((sum, call) => sum + call.count, 0);
    const incl = row.calls.reduce((sum, call) => sum + call.incl, 0);
    const cells = [
      row.line,
      row.figures?.count ?? 0,
      row.figures?.time ?? 0,
      calls,
      incl,
      row.awaited?.count ?? 0,
      row.awaited?.time ?? 0,
      plain(row.pieces),
      ...(shared ? [isShared(row) ? 1 : 0] : []),
    ];
    lines.push(cells.map(csvCell).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** The lines around the current one, as a table of text in a fence. */
export function sourceMarkdown(profile: Profile, file: File, rows: Row[], line: number): string {
  const at = Math.max(
    0,
    rows.findIndex((row) => row.kind === "code" && row.line === line),
  );
  const part = rows.slice(Math.max(0, at - 15), at + 16);
  const text = part.map((row) => {
    if (row.kind === "gap") return "      ...";
    if (row.kind === "note") return `${" ".repeat(34 + row.indent)}${row.note.text}`;
    const n = row.figures ? count(row.figures.count) : "";
    const t = row.figures ? lineTime(row.figures) : "";
    return `${String(row.line).padStart(6)} ${n.padStart(13)} ${t.padStart(11)}  ${visible(plain(row.pieces))}`;
  });
  const runs = text.join("\n").match(/`{3,}/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return [
    `${markdownCode(`${file.name}:${line}`)}: ${percent(file.time, profile.time)} of the time is in this file.`,
    "",
    `${fence}text`,
    `  line         count        time  code`,
    ...text,
    fence,
    ...(part.some(isShared) ? ["", SHARED] : []),
    "",
  ].join("\n");
}
