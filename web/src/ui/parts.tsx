/** Small parts that many views use. */
import { percent, SHARED, time, visible } from "../data/format";
import { KINDS } from "../data/model";
import { link } from "../state";
import { useShared } from "./context";
import { barLength, heat } from "./heat";

interface TimeProps {
  seconds: number;
  whole: number;
  /** It was not measured by itself. */
  shared?: boolean;
}

/** A time with its share as a bar: colour is never the only cue. */
export function Time({ seconds, whole, shared }: TimeProps) {
  return (
    <span class={`time heat${heat(seconds, whole)}`} title={percent(seconds, whole)}>
      <span class="track">
        <span class="bar" style={{ width: `${barLength(seconds, whole)}%` }} />
      </span>
      <span class="text">
        {shared && "~"}
        {time(seconds)}
      </span>
    </span>
  );
}

/** What a "~" means, where one is shown. */
export function SharedNote({ shown }: { shown: boolean }) {
  return shown ? <p class="dim shared">{SHARED}</p> : null;
}

export function FnLink({ fn }: { fn: number }) {
  const { profile } = useShared();
  const found = profile.fns[fn];
  if (!found) return <span>(start)</span>;
  return (
    <a class="fn" href={link("function", { fn })}>
      <bdi dir="ltr">{visible(found.name)}</bdi>
    </a>
  );
}

export function PlaceLink({ file, line }: { file: number; line: number }) {
  const { profile } = useShared();
  const found = profile.files[file];
  if (!found) return <span class="dim">(unknown)</span>;
  return (
    <a class="place" href={link("source", { file, line })} title={visible(found.name)}>
      <bdi dir="ltr">{visible(profile.place(file, line))}</bdi>
    </a>
  );
}

export function Kind({ kind }: { kind: number }) {
  return <span class={`kind kind${kind}`}>{KINDS[kind] ?? "?"}</span>;
}

/** What the colours of kinds mean. */
export function Legend() {
  return (
    <span class="legend">
      {KINDS.map((name, kind) => (
        <Kind key={name} kind={kind} />
      ))}
    </span>
  );
}
