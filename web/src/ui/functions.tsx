/** All functions, and one with those that call it and those that it calls. */
import { useMemo } from "preact/hooks";
import { count, percent, change as signed, time, timeChange, visible } from "../data/format";
import type { Call, Fn, Profile } from "../data/model";
import { KINDS } from "../data/model";
import { fnInScope } from "../data/scope";
import { link } from "../state";
import { useShared } from "./context";
import { within } from "./notes";
import { FnLink, Kind, PlaceLink, Time } from "./parts";
import { Scope } from "./scope";
import { type Column, Table } from "./table";

function placesCalling(profile: Profile, fn: Fn): number {
  const calls = profile.callers.get(fn.id) ?? [];
  return new Set(calls.map((call) => `${call.file}:${call.line}`)).size;
}

function filesCalling(profile: Profile, fn: Fn): number {
  return new Set((profile.callers.get(fn.id) ?? []).map((call) => call.file)).size;
}

/** What changed since the other profile, if there is one. */
function changeColumns(other: Profile | null): Column<Fn>[] {
  if (!other) return [];
  const old = new Map(other.fns.map((fn) => [fn.name, fn]));
  const calls = (fn: Fn) => fn.calls - (old.get(fn.name)?.calls ?? 0);
  const own = (fn: Fn) => fn.excl - (old.get(fn.name)?.excl ?? 0);
  return [
    { key: "dcalls", title: "Δ calls", value: calls, text: (fn) => signed(calls(fn)) },
    { key: "down", title: "Δ own time", value: own, text: (fn) => timeChange(own(fn)) },
  ];
}

export function Functions() {
  const { profile, other, state, open } = useShared();
  const fns = useMemo(
    () => profile.fns.filter((fn) => fn.calls > 0 && fnInScope(profile, fn, state.scope)),
    [profile, state.scope],
  );
  const columns: Column<Fn>[] = [
    {
      key: "name",
      title: "Function",
      value: (fn) => fn.name,
      cell: (fn) => <FnLink fn={fn.id} />,
      text: (fn) => visible(fn.name),
    },
    ...changeColumns(other),
    { key: "calls", title: "Calls", value: (fn) => fn.calls, text: (fn) => count(fn.calls) },
    {
      key: "places",
      title: "Places",
      hint: "Lines that call it",
      value: (fn) => placesCalling(profile, fn),
    },
    {
      key: "files",
      title: "Files",
      hint: "Files that call it",
      value: (fn) => filesCalling(profile, fn),
    },
    {
      key: "excl",
      title: "Own time",
      hint: "Without the functions that it calls",
      value: (fn) => fn.excl,
      cell: (fn) => <Time seconds={fn.excl} whole={profile.time} />,
      text: (fn) => time(fn.excl),
    },
    {
      key: "incl",
      title: "With callees",
      hint: "Of outermost calls",
      value: (fn) => fn.incl,
      text: (fn) => time(fn.incl),
    },
    {
      key: "avg",
      title: "Per call",
      value: (fn) => fn.incl / fn.calls,
      text: (fn) => time(fn.incl / fn.calls),
    },
    { key: "depth", title: "Depth", hint: "Recursion", value: (fn) => fn.depth },
    {
      key: "kind",
      title: "Code",
      value: (fn) => KINDS[profile.kindOfFn(fn)] ?? "",
      cell: (fn) => <Kind kind={profile.kindOfFn(fn)} />,
    },
    {
      key: "place",
      title: "Place",
      value: (fn) => profile.place(fn.file, fn.first),
      cell: (fn) => <PlaceLink file={fn.file} line={fn.first} />,
    },
  ];
  return (
    <Table
      items={fns}
      columns={columns}
      lead={<Scope />}
      label="Functions"
      sort="excl"
      filterBy={(fn) => `${fn.name} ${profile.place(fn.file, fn.first)}`}
      placeholder="Filter functions"
      onOpen={(fn) => open("function", { fn: fn.id })}
    />
  );
}

function CallTable({
  title,
  calls,
  other,
}: {
  title: string;
  calls: Call[];
  other: "from" | "to";
}) {
  const { profile, open } = useShared();
  const columns: Column<Call>[] = [
    {
      key: "name",
      title: other === "from" ? "Caller" : "Called",
      value: (call) => (other === "from" ? profile.callerName(call) : profile.fns[call.to].name),
      cell: (call) => <FnLink fn={call[other]} />,
    },
    {
      key: "site",
      title: "Calling line",
      value: (call) => profile.place(call.file, call.line),
      cell: (call) => <PlaceLink file={call.file} line={call.line} />,
    },
    {
      key: "count",
      title: "Calls",
      value: (call) => call.count,
      text: (call) => count(call.count),
    },
    {
      key: "incl",
      title: "With callees",
      value: (call) => call.incl,
      cell: (call) => <Time seconds={call.incl} whole={profile.time} />,
      text: (call) => time(call.incl),
    },
    { key: "excl", title: "Own time", value: (call) => call.excl, text: (call) => time(call.excl) },
    {
      key: "avg",
      title: "Per call",
      value: (call) => (call.count > 0 ? call.incl / call.count : 0),
      text: (call) => time(call.count > 0 ? call.incl / call.count : 0),
    },
  ];
  return (
    <Table
      items={calls}
      columns={columns}
      label={title}
      sort="incl"
      onOpen={(call) => call[other] >= 0 && open("function", { fn: call[other] })}
    />
  );
}

export function FunctionView() {
  const { profile, state } = useShared();
  const fn = profile.fns[state.fn] ?? [...profile.fns].sort((a, b) => b.excl - a.excl)[0];
  if (!fn) return <p class="empty">The profile has no functions.</p>;
  const callers = profile.callers.get(fn.id) ?? [];
  const callees = (profile.callees.get(fn.id) ?? []).filter((call) => call.count > 0);
  return (
    <div class="function">
      <h2>{visible(fn.name)}</h2>
      <p>
        <Kind kind={profile.kindOfFn(fn)} /> <PlaceLink file={fn.file} line={fn.first} />,{" "}
        {fn.calls === 1 ? "1 call" : `${count(fn.calls)} calls`}, own time {time(fn.excl)} (
        {percent(fn.excl, profile.time)}), with callees {time(fn.incl)} (
        {percent(fn.incl, profile.time)}){fn.depth > 0 && `, recursion to depth ${fn.depth}`}.
      </p>
      {fn.calls > 0 && <pre class="note">{within(fn)}</pre>}
      <p class="links">
        {fn.first > 0 && <a href={link("source", { file: fn.file, line: fn.first })}>Source</a>}
      </p>
      <h3>Called by</h3>
      <CallTable title={`Callers of ${fn.name}`} calls={callers} other="from" />
      <h3>Calls</h3>
      <CallTable title={`Called by ${fn.name}`} calls={callees} other="to" />
    </div>
  );
}
