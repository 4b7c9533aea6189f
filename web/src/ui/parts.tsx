/** Small parts that many views use. */
import { count, percent, time, visible } from "../data/format";
import { KINDS } from "../data/model";
import { link } from "../state";
import { useShared } from "./context";
import { barLength, heat } from "./heat";

/** A time with its share as a bar: colour is never the only cue. */
export function Time({ seconds, whole }: { seconds: number; whole: number }) {
  return (
    <span class={`time heat${heat(seconds, whole)}`} title={percent(seconds, whole)}>
      <span class="bar" style={{ width: `${barLength(seconds, whole)}%` }} />
      <span class="text">{time(seconds)}</span>
    </span>
  );
}

export function FnLink({ fn }: { fn: number }) {
  const { profile } = useShared();
  const found = profile.fns[fn];
  if (!found) return <span>(start)</span>;
  return (
    <a class="fn" href={link("function", { fn })}>
      {visible(found.name)}
    </a>
  );
}

export function PlaceLink({ file, line }: { file: number; line: number }) {
  const { profile } = useShared();
  const found = profile.files[file];
  if (!found) return <span class="dim">(unknown)</span>;
  return (
    <a class="place" href={link("source", { file, line })} title={visible(found.name)}>
      {visible(profile.place(file, line))}
    </a>
  );
}

export function Kind({ kind }: { kind: number }) {
  return <span class={`kind kind${kind}`}>{KINDS[kind] ?? "?"}</span>;
}

export function Share({ part, whole }: { part: number; whole: number }) {
  return <span>{percent(part, whole)}</span>;
}

export function Count({ n }: { n: number }) {
  return <span>{count(n)}</span>;
}
