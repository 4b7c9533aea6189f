/** Two profiles side by side: work first, then time. */
import { useEffect, useMemo, useState } from "preact/hooks";
import {
  type Change,
  callsGrown,
  functionChanges,
  type LineChange,
  lineChanges,
  lineTimeGrown,
  sharedChange,
  timeGrown,
  verdict,
} from "../data/compare";
import { count, change as signed, time, timeChange, visible } from "../data/format";
import { useShared } from "./context";
import { FnLink, PlaceLink, SharedNote } from "./parts";
import { type Column, Table } from "./table";

export function Compare() {
  const { profile, other, compareWith } = useShared();
  if (!other) {
    return (
      <div class="drop">
        <p>
          Drop the report of an earlier run here, a page that <code>nytprof html</code> or a text
          that <code>nytprof convert --to json</code> has written, or choose it:
        </p>
        <input
          type="file"
          accept=".html,.json,text/html,application/json"
          aria-label="Report to compare with"
          onChange={(e) => {
            const file = e.currentTarget.files?.[0];
            if (file) compareWith(file);
          }}
        />
        <p class="dim">
          The same at once: <code>nytprof html after.out --compare before.out</code>
        </p>
      </div>
    );
  }
  return <Changes key={other.raw.title + other.raw.started + profile.raw.started} />;
}

function Changes() {
  const { profile, other, state, change } = useShared();
  const before = other as NonNullable<typeof other>;
  const changes = useMemo(() => functionChanges(before, profile), [before, profile]);
  const sentence = useMemo(() => verdict(before, profile, changes), [before, profile, changes]);
  const columns: Column<Change>[] = [
    {
      key: "name",
      title: "Function",
      value: (c) => c.name,
      cell: (c) => (c.fn >= 0 ? <FnLink fn={c.fn} /> : <span class="gone">{visible(c.name)}</span>),
    },
    {
      key: "calls",
      title: "Δ calls",
      value: (c) => Math.abs(callsGrown(c)),
      text: (c) => signed(callsGrown(c)),
    },
    {
      key: "now",
      title: "Calls now",
      value: (c) => c.after?.calls ?? 0,
      text: (c) => count(c.after?.calls ?? 0),
    },
    {
      key: "time",
      title: "Δ own time",
      value: (c) => Math.abs(timeGrown(c)),
      text: (c) => timeChange(timeGrown(c)),
    },
    {
      key: "own",
      title: "Own time now",
      value: (c) => c.after?.excl ?? 0,
      text: (c) => time(c.after?.excl ?? 0),
    },
    {
      key: "what",
      title: "What",
      value: (c) => (c.before ? (c.after ? "" : "gone") : "new"),
    },
    { key: "place", title: "Place", value: (c) => c.place },
  ];
  return (
    <div class="compare">
      <p class="sentence">{visible(sentence)}</p>
      <p class="dim">
        {count(before.raw.statements)} → {count(profile.raw.statements)} statements,{" "}
        {count(before.raw.calls)} → {count(profile.raw.calls)} calls, {time(before.time)} →{" "}
        {time(profile.time)}
      </p>
      <label>
        Lines of{" "}
        <select
          value={state.file}
          onChange={(e) => change({ file: Number(e.currentTarget.value), filter: "", sort: "" })}
        >
          <option value={-1}>(functions)</option>
          {profile.files
            .filter((file) => file.count > 0)
            .sort((a, b) => a.kind - b.kind || b.time - a.time)
            .map((file) => (
              <option key={file.id} value={file.id}>
                {visible(file.short)}
              </option>
            ))}
        </select>
      </label>
      {state.file >= 0 ? (
        <Lines file={state.file} />
      ) : (
        <Table
          items={changes}
          columns={columns}
          label="Changes by function"
          sort="calls"
          filterBy={(c) => `${c.name} ${c.place}`}
          placeholder="Filter functions"
        />
      )}
    </div>
  );
}

function Lines({ file }: { file: number }) {
  const { profile, other } = useShared();
  const [changes, setChanges] = useState<LineChange[]>([]);
  useEffect(() => {
    let alive = true;
    if (other) lineChanges(other, profile, file).then((found) => alive && setChanges(found));
    return () => {
      alive = false;
    };
  }, [other, profile, file]);
  const grown = (c: LineChange) => (c.after?.count ?? 0) - (c.before?.count ?? 0);
  const columns: Column<LineChange>[] = [
    {
      key: "at",
      ordered: true,
      title: "Line",
      value: (c) => c.line,
      cell: (c) => (c.file >= 0 ? <PlaceLink file={c.file} line={c.line} /> : visible(c.place)),
      text: (c) => c.place,
    },
    {
      key: "count",
      title: "Δ count",
      value: (c) => Math.abs(grown(c)),
      text: (c) => signed(grown(c)),
    },
    {
      key: "now",
      title: "Count now",
      value: (c) => c.after?.count ?? 0,
      text: (c) => count(c.after?.count ?? 0),
    },
    {
      key: "time",
      title: "Δ time",
      value: (c) => Math.abs(lineTimeGrown(c)),
      text: (c) => (sharedChange(c) ? "~" : "") + timeChange(lineTimeGrown(c)),
    },
    {
      key: "what",
      title: "What",
      value: (c) => (c.before ? (c.after ? (c.edited ? "edited" : "") : "gone") : "new"),
    },
    {
      key: "text",
      title: "Code",
      value: (c) => c.text.trim(),
      cell: (c) => <code>{visible(c.text.trim())}</code>,
    },
  ];
  return (
    <>
      <Table
        items={changes}
        columns={columns}
        label="Changes by line"
        sort="count"
        filterBy={(c) => c.text}
        placeholder="Filter lines"
      />
      <SharedNote shown={changes.some(sharedChange)} />
    </>
  );
}
