/** Files, imports, threads and processes. */
import { useMemo } from "preact/hooks";
import { count, percent, time, visible } from "../data/format";
import { type Import, importTree } from "../data/imports";
import { type File, KINDS } from "../data/model";
import { fileInScope } from "../data/scope";
import { link } from "../state";
import { useShared } from "./context";
import { FnLink, Kind, PlaceLink, Time } from "./parts";
import { Scope } from "./scope";
import { type Column, Table } from "./table";

export function Files() {
  const { profile, state, open } = useShared();
  const files = useMemo(
    () =>
      profile.files.filter(
        (file) => (file.count > 0 || file.time > 0) && fileInScope(profile, file.id, state.scope),
      ),
    [profile, state.scope],
  );
  const columns: Column<File>[] = [
    {
      key: "name",
      title: "File",
      value: (f) => f.name,
      cell: (f) => <PlaceLink file={f.id} line={0} />,
      text: (f) => visible(f.name),
    },
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
  ];
  return (
    <Table
      items={files}
      columns={columns}
      lead={<Scope />}
      label="Files"
      sort="time"
      filterBy={(f) => f.name}
      placeholder="Filter files"
      onOpen={(f) => open("source", { file: f.id })}
    />
  );
}

export function Imports() {
  const { profile } = useShared();
  const imports = useMemo(() => importTree(profile), [profile]);
  const columns: Column<Import>[] = [
    {
      key: "name",
      title: "Module",
      ordered: true,
      hint: "Sorted by it, modules stand below those that import them",
      value: (i) => i.order,
      cell: (i) => (
        <span class="indent" style={{ paddingLeft: `${1.4 * Math.min(i.depth, 20)}em` }}>
          <FnLink fn={i.fn} />
        </span>
      ),
      text: (i) => "  ".repeat(i.depth) + profile.fns[i.fn].name,
    },
    {
      key: "incl",
      title: "Cumulative",
      hint: "With the imports that it makes",
      value: (i) => i.seconds,
      cell: (i) => <Time seconds={i.seconds} whole={profile.time} />,
      text: (i) => time(i.seconds),
    },
    { key: "own", title: "Own time", value: (i) => i.own, text: (i) => time(i.own) },
    {
      key: "place",
      title: "File",
      value: (i) => profile.place(profile.fns[i.fn].file, 0),
      cell: (i) => <PlaceLink file={profile.fns[i.fn].file} line={0} />,
    },
  ];
  return (
    <Table
      items={imports}
      columns={columns}
      label="Imports"
      sort="name"
      upwards
      filterBy={(i) => profile.fns[i.fn].name}
      placeholder="Filter modules"
    />
  );
}

type Group = { id: number; parent: number; start: number; end: number; seconds: number };

export function Threads() {
  const { profile } = useShared();
  const { raw } = profile;
  const s = raw.tps > 0 ? 1 / raw.tps : 0;
  const sections = new Map((raw.section ?? []).map(({ id, t }) => [id, t]));
  const groups = raw.group.map((group) => ({
    ...group,
    seconds: (sections.get(group.id) ?? []).reduce((sum, ticks) => sum + ticks, 0) * s,
  }));
  const columns: Column<Group>[] = [
    {
      key: "id",
      title: "Thread or process",
      ordered: true,
      value: (g) => g.id,
      cell: (g) =>
        sections.has(g.id) ? <a href={link("overview", { section: g.id })}>{g.id}</a> : g.id,
      text: (g) => String(g.id),
    },
    {
      key: "parent",
      title: "Parent",
      ordered: true,
      value: (g) => g.parent,
      text: (g) => String(g.parent),
    },
    {
      key: "start",
      title: "Start",
      value: (g) => g.start - profile.raw.started,
      text: (g) => time(g.start - profile.raw.started),
    },
    {
      key: "wall",
      title: "Time on the clock",
      value: (g) => g.end - g.start,
      text: (g) => (g.end > 0 ? time(g.end - g.start) : "(no end)"),
    },
  ];
  if (sections.size > 0) {
    columns.push({
      key: "time",
      title: "Time of its lines",
      value: (g) => g.seconds,
      cell: (g) => <Time seconds={g.seconds} whole={profile.time} />,
      text: (g) => time(g.seconds),
    });
  }
  return (
    <div>
      <p>
        {groups.length === 1
          ? "The profile is of one thread."
          : `The profile is of ${count(groups.length)} threads and processes; its other figures are their sums.`}
      </p>
      <Table items={groups} columns={columns} label="Threads and processes" sort="wall" />
    </div>
  );
}
