/** A sortable, filterable table. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { count, csvCell, markdownCell, visible } from "../data/format";
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
  /** Its values only tell the order: CSV has the text. */
  ordered?: boolean;
}

interface Props<T> {
  items: T[];
  columns: Column<T>[];
  label: string;
  sort: string;
  /** Sorted upwards unless it is a number. */
  filterBy?: (item: T) => string;
  placeholder?: string;
  /** Stands before the filter. */
  lead?: ComponentChildren;
  /** The sort's direction when nothing else is said. */
  upwards?: boolean;
  /** Opens an item. */
  onOpen?(item: T): void;
}

const ROW = 26;

function compare(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** Is this a column of numbers? Of no rows, nothing is known. */
function isNumber<T>(column: Column<T>, items: T[]): boolean {
  return items.length > 0 && !column.ordered && typeof column.value(items[0]) === "number";
}

export function sorted<T>(items: T[], column: Column<T> | undefined, up: boolean): T[] {
  if (!column) return items;
  const order = items.map((item) => ({ item, value: column.value(item) }));
  order.sort((a, b) => (up ? 1 : -1) * compare(a.value, b.value));
  return order.map((entry) => entry.item);
}

export function Table<T>({ items, columns, label, onOpen, ...rest }: Props<T>) {
  const { state, change } = useShared();
  const chosen = columns.some((c) => c.key === state.sort);
  const key = chosen ? state.sort : rest.sort;
  const up = chosen ? state.up : rest.upwards === true;
  const column = columns.find((c) => c.key === key);
  const filterBy = rest.filterBy;
  const wanted = filterBy ? state.filter.toLowerCase() : "";
  const shown = useMemo(() => {
    const kept =
      filterBy && wanted ? items.filter((i) => filterBy(i).toLowerCase().includes(wanted)) : items;
    return sorted(kept, column, up);
  }, [items, wanted, key, up]);
  const numbers = columns.map((c) => isNumber(c, items));

  const head = (
    <thead>
      <tr>
        {columns.map((c, i) => (
          <th
            key={c.key}
            scope="col"
            title={c.hint}
            aria-sort={key === c.key ? (up ? "ascending" : "descending") : "none"}
            class={numbers[i] ? `number col-${c.key}` : `col-${c.key}`}
          >
            <button
              type="button"
              onClick={() => change({ sort: c.key, up: key === c.key ? !up : !numbers[i] })}
            >
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
        {columns.map((c, i) => (
          <td key={c.key} class={numbers[i] ? `number col-${c.key}` : `col-${c.key}`}>
            {c.cell ? c.cell(item) : c.text ? c.text(item) : visible(String(c.value(item)))}
          </td>
        ))}
      </tr>
    );
  };

  return (
    <section class="table" aria-label={label}>
      <div class="bar">
        {rest.lead}
        {filterBy && (
          <input
            type="search"
            class="filter"
            placeholder={rest.placeholder ?? "Filter"}
            aria-label={rest.placeholder ?? "Filter"}
            value={state.filter}
            onInput={(e) => change({ filter: e.currentTarget.value })}
          />
        )}
        <span class="dim" role="status">
          {shown.length === items.length
            ? count(items.length)
            : `${count(shown.length)} of ${count(items.length)}`}
        </span>
        {items.length > 0 && (
          <Take
            name={label}
            csv={() => csvOf(shown, columns)}
            markdown={() => markdownOf(shown.slice(0, 20), columns)}
          />
        )}
      </div>
      {shown.length === 0 ? (
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
  for (const item of items) {
    lines.push(columns.map((c) => csvCell(c.ordered ? textOf(c, item) : c.value(item))).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

export function markdownOf<T>(items: T[], columns: Column<T>[]): string {
  const rows = items.map((item) => columns.map((c) => markdownCell(textOf(c, item))));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map((c) => c.title)),
    line(columns.map((c) => (isNumber(c, items) ? "--:" : "---"))),
    ...rows.map(line),
    "",
  ].join("\n");
}
