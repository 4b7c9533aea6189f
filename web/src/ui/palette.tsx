/** The search palette. */
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { visible } from "../data/format";
import { type Found, Search } from "../data/search";
import { useShared } from "./context";
import { chooseEditor, chosenEditor, EDITORS } from "./editor";

export function Palette({ onClose }: { onClose(): void }) {
  const { profile, open } = useShared();
  const dialog = useRef<HTMLDialogElement>(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const search = useMemo(() => new Search(profile), [profile]);
  const found = useMemo(() => search.find(query), [search, query]);

  // Before the next key: it belongs to the dialog.
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);

  function take(entry: Found | undefined): void {
    if (!entry) return;
    onClose();
    if ("fn" in entry.target) open("function", { fn: entry.target.fn });
    else open("source", { file: entry.target.file, line: entry.target.line });
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") take(found[at]);
    else return;
    event.preventDefault();
  }

  return (
    <dialog ref={dialog} class="palette" aria-label="Search" onClose={onClose}>
      <input
        type="text"
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls="found"
        aria-activedescendant={found[at] ? `found-${at}` : undefined}
        aria-label="Function, file, file:line or re:pattern"
        placeholder="Function, file, file:line or re:pattern"
        value={query}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKey}
      />
      <div id="found" role="listbox" aria-label="Results">
        {found.map((entry, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the input's
          <div
            key={i}
            id={`found-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            onClick={() => take(entry)}
          >
            <span>{visible(entry.title)}</span> <span class="dim">{visible(entry.detail)}</span>
          </div>
        ))}
      </div>
      {query !== "" && found.length === 0 && <p class="empty">Nothing found.</p>}
    </dialog>
  );
}

const KEYS: [string, string][] = [
  ["/ or Ctrl K", "search functions, files and places"],
  ["g o", "overview"],
  ["g s", "source"],
  ["g f", "functions"],
  ["g l", "flame graph"],
  ["g t", "treemap"],
  ["g i", "imports"],
  ["g d", "files"],
  ["g c", "compare"],
  ["n, p", "next and previous hot line"],
  ["1, 2, 3", "line, block, sub"],
  ["x", "libraries in the flame graph"],
  ["d", "dark or light"],
  ["?", "this help"],
  ["Esc", "close"],
];

export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [editor, setEditor] = useState(chosenEditor);
  const choose = (name: string) => {
    chooseEditor(name);
    setEditor(name);
  };
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="help" aria-label="Help" onClose={onClose}>
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p>
        <label>
          Open sources in{" "}
          <select value={editor} onChange={(e) => choose(e.currentTarget.value)}>
            {EDITORS.map(([name]) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </p>
      <button type="button" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
