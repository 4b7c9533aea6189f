/** A sortable, filterable table. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { csvCell, markdownCell } from "../data/format";
import { useShared } from "./context";
import { Rows } from "./rows";
import { Take } from "./take";

export interface Column<T> {
  key: string;
  title: string;
  hint?: string;
  /** What the column is sorted by, and what CSV and Markdown have. */
  value(item: T): number | string;
  cell?(item: T): ComponentChildren;
  text?(item: T): string;
}

interface Props<T> {
  items: T[];
  columns: Column<T>[];
  label: string;
  sort: string;
  /** Sorted upwards unless it is a number. */
  filterBy?: (item: T) => string;
  placeholder?: string;
  /** Opens an item. */
  onOpen?(item: T): void;
}

const ROW = 26;

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

export function sorted<T>(items: T[], column: Column<T> | undefined, up: boolean): T[] {
  if (!column) return items;
  const order = items.map((item) => ({ item, value: column.value(item) }));
  order.sort((a, b) => (up ? 1 : -1) * compare(a.value, b.value));
  return order.map((entry) => entry.item);
}

export function Table<T>({ items, columns, label, sort, filterBy, placeholder, onOpen }: Props<T>) {
  const { state, change } = useShared();
  const column = columns.find((c) => c.key === (state.sort || sort));
  const wanted = state.filter.toLowerCase();
  const shown = useMemo(() => {
    const kept =
      filterBy && wanted ? items.filter((i) => filterBy(i).toLowerCase().includes(wanted)) : items;
    return sorted(kept, column, state.up);
  }, [items, wanted, column?.key, state.up]);

  function sortBy(key: string): void {
    const same = (state.sort || sort) === key;
    change({ sort: key, up: same ? !state.up : false });
  }

  const head = (
    <thead>
      <tr>
        {columns.map((c) => (
          <th
            key={c.key}
            scope="col"
            title={c.hint}
            aria-sort={column?.key === c.key ? (state.up ? "ascending" : "descending") : "none"}
            class={typeof c.value(items[0] ?? ({} as T)) === "number" ? "number" : ""}
          >
            <button type="button" onClick={() => sortBy(c.key)}>
              {c.title}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  );

  const row = (index: number) => {
    const item = shown[index];
    return (
      <tr
        key={index}
        class={onOpen ? "opens" : ""}
        onClick={onOpen && (() => onOpen(item))}
        aria-rowindex={index + 2}
      >
        {columns.map((c) => {
          const value = c.value(item);
          return (
            <td key={c.key} class={typeof value === "number" ? "number" : ""}>
              {c.cell ? c.cell(item) : c.text ? c.text(item) : value}
            </td>
          );
        })}
      </tr>
    );
  };

  return (
    <section class="table" aria-label={label}>
      <div class="bar">
        {filterBy && (
          <input
            type="search"
            class="filter"
            placeholder={placeholder ?? "Filter"}
            aria-label={placeholder ?? "Filter"}
            value={state.filter}
            onInput={(e) => change({ filter: e.currentTarget.value })}
          />
        )}
        <span class="dim">
          {shown.length === items.length ? `${items.length}` : `${shown.length} of ${items.length}`}
        </span>
        <Take
          name={label}
          csv={() => csvOf(shown, columns)}
          markdown={() => markdownOf(shown.slice(0, 20), columns)}
        />
      </div>
      {items.length === 0 ? (
        <p class="empty">Nothing to show.</p>
      ) : (
        <Rows count={shown.length} height={ROW} label={label} head={head} row={row} />
      )}
    </section>
  );
}

function textOf<T>(column: Column<T>, item: T): string {
  return column.text ? column.text(item) : String(column.value(item));
}

export function csvOf<T>(items: T[], columns: Column<T>[]): string {
  const lines = [columns.map((c) => csvCell(c.title)).join(",")];
  for (const item of items) lines.push(columns.map((c) => csvCell(c.value(item))).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

export function markdownOf<T>(items: T[], columns: Column<T>[]): string {
  const rows = items.map((item) => columns.map((c) => markdownCell(textOf(c, item))));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map((c) => c.title)),
    line(columns.map((c) => (typeof c.value(items[0] ?? ({} as T)) === "number" ? "--:" : "---"))),
    ...rows.map(line),
    "",
  ].join("\n");
}
