/** Files, imports, threads and processes. */
import { count, percent, time, visible } from "../data/format";
import { type Call, type File, KINDS } from "../data/model";
import { useShared } from "./context";
import { inScope } from "./functions";
import { FnLink, Kind, PlaceLink, Time } from "./parts";
import { type Column, Table } from "./table";

export function Files() {
  const { profile, state, open } = useShared();
  const files = profile.files.filter(
    (file) => (file.count > 0 || file.time > 0) && inScope(profile, file.kind, state.scope),
  );
  const columns: Column<File>[] = [
    { key: "count", title: "Statements", value: (f) => f.count, text: (f) => count(f.count) },
    {
      key: "time",
      title: "Time",
      value: (f) => f.time,
      cell: (f) => <Time seconds={f.time} whole={profile.time} />,
      text: (f) => time(f.time),
    },
    {
      key: "share",
      title: "Share",
      value: (f) => f.time / (profile.time || 1),
      text: (f) => percent(f.time, profile.time),
    },
    {
      key: "kind",
      title: "Code",
      value: (f) => KINDS[f.kind],
      cell: (f) => <Kind kind={f.kind} />,
    },
    {
      key: "name",
      title: "File",
      value: (f) => f.name,
      cell: (f) => <PlaceLink file={f.id} line={0} />,
      text: (f) => visible(f.name),
    },
  ];
  return (
    <Table
      items={files}
      columns={columns}
      label="Files"
      sort="time"
      filterBy={(f) => f.name}
      placeholder="Filter files"
      onOpen={(f) => open("source", { file: f.id })}
    />
  );
}

/** A module's body: what an import runs. */
function isModule(name: string): boolean {
  return /::\(module\)(@\d+)*$/.test(name) && !name.startsWith("__main__::");
}

export function Imports() {
  const { profile } = useShared();
  const imports = profile.calls.filter((call) => isModule(profile.fns[call.to]?.name ?? ""));
  const columns: Column<Call>[] = [
    {
      key: "incl",
      title: "Cumulative",
      value: (call) => call.incl,
      cell: (call) => <Time seconds={call.incl} whole={profile.time} />,
      text: (call) => time(call.incl),
    },
    { key: "excl", title: "Own time", value: (call) => call.excl, text: (call) => time(call.excl) },
    {
      key: "name",
      title: "Module",
      value: (call) => profile.fns[call.to].name,
      cell: (call) => <FnLink fn={call.to} />,
    },
    {
      key: "place",
      title: "File",
      value: (call) => profile.place(profile.fns[call.to].file, 0),
      cell: (call) => <PlaceLink file={profile.fns[call.to].file} line={0} />,
    },
  ];
  return (
    <Table
      items={imports}
      columns={columns}
      label="Imports"
      sort="incl"
      filterBy={(call) => profile.fns[call.to].name}
      placeholder="Filter modules"
    />
  );
}

type Group = { id: number; parent: number; start: number; end: number };

export function Threads() {
  const { profile } = useShared();
  const columns: Column<Group>[] = [
    { key: "id", title: "Thread or process", value: (g) => g.id },
    { key: "parent", title: "Parent", value: (g) => g.parent },
    {
      key: "start",
      title: "Start",
      value: (g) => g.start - profile.raw.started,
      text: (g) => time(g.start - profile.raw.started),
    },
    {
      key: "wall",
      title: "Wall time",
      value: (g) => g.end - g.start,
      text: (g) => time(g.end - g.start),
    },
  ];
  return (
    <div>
      <p>
        {profile.raw.processes} processes, {profile.raw.threads} threads, {time(profile.raw.wall)}{" "}
        of wall time.
      </p>
      <Table
        items={profile.raw.group}
        columns={columns}
        label="Threads and processes"
        sort="wall"
      />
    </div>
  );
}
