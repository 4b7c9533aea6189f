/** The flame graph: the call tree as an icicle, and the same as a tree for keyboards and readers. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { markdownCode, percent, time, visible } from "../data/format";
import type { Node, Profile } from "../data/model";
import { link } from "../state";
import { useShared } from "./context";
import { Legend } from "./parts";
import { Take } from "./take";

export interface Box {
  /** A node of the profile's tree, the first of those drawn as one. */
  node: number;
  fn: number;
  depth: number;
  /** From 0 to 1. */
  left: number;
  width: number;
  seconds: number;
  own: number;
  /** How many calls of one function into itself it stands for. */
  folded: number;
}

interface Branch {
  node: number;
  fn: number;
  seconds: number;
  own: number;
  folded: number;
  children: Map<number, Branch>;
}

function branch(node: number, fn: number): Branch {
  return { node, fn, seconds: 0, own: 0, folded: 1, children: new Map() };
}

function child(of: Branch, node: number, fn: number): Branch {
  let found = of.children.get(fn);
  if (!found) {
    found = branch(node, fn);
    of.children.set(fn, found);
  }
  return found;
}

/** Is this function shown? Libraries are folded into what called them unless asked for. */
function shown(profile: Profile, fn: number, libraries: boolean): boolean {
  const found = profile.fns[fn];
  if (libraries || !found) return true;
  const kind = profile.kindOfFn(found);
  return kind === 0 || kind === 4;
}

/** The tree below `from` with recursion folded, and with libraries in their callers. */
function treeOf(profile: Profile, from: number, libraries: boolean): Branch {
  const nodes = profile.nodes;
  const root = branch(from, nodes[from]?.fn ?? -1);
  const at: (Branch | undefined)[] = new Array(nodes.length);
  const own = nodes[from]?.excl ?? 0;
  at[from] = root;
  root.own = own;
  for (let i = from + 1; i < nodes.length; i++) {
    const above = at[nodes[i].up];
    if (!above) continue;
    const same = above.fn === nodes[i].fn && above !== root;
    if (same) above.folded++;
    const here =
      same || !shown(profile, nodes[i].fn, libraries) ? above : child(above, i, nodes[i].fn);
    here.own += nodes[i].excl;
    at[i] = here;
  }
  sumUp(root);
  return root;
}

/** Callers below the functions that they call: each function once at the top, by its own time. */
function invertedTree(profile: Profile, libraries: boolean): Branch {
  const root = branch(0, -1);
  profile.nodes.forEach((node: Node, i) => {
    if (i === 0 || node.excl <= 0) return;
    let at = root;
    let last = -2;
    for (let up = i; up > 0; up = profile.nodes[up].up) {
      const fn = profile.nodes[up].fn;
      if (fn === last || !shown(profile, fn, libraries)) continue;
      at = child(at, up, fn);
      at.seconds += node.excl;
      last = fn;
    }
    at.own += node.excl;
    root.seconds += node.excl;
  });
  return root;
}

function sumUp(of: Branch): void {
  const order: Branch[] = [];
  const stack = [of];
  for (let at = stack.pop(); at; at = stack.pop()) {
    order.push(at);
    stack.push(...at.children.values());
  }
  for (const at of order.reverse()) {
    at.seconds = at.own;
    for (const below of at.children.values()) at.seconds += below.seconds;
  }
}

const NARROWEST = 1 / 4000;

/** Boxes from the left in order of their time; what is too narrow to be seen is not among them. */
export function boxesOf(
  profile: Profile,
  from: number,
  inverted: boolean,
  libraries: boolean,
): Box[] {
  if (profile.nodes.length === 0) return [];
  const root = inverted ? invertedTree(profile, libraries) : treeOf(profile, from, libraries);
  const whole = root.seconds || 1;
  const boxes: Box[] = [];
  const stack: [Branch, number, number][] = [[root, 0, 0]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [at, depth, left] = top;
    const width = at.seconds / whole;
    if (width < NARROWEST) continue;
    boxes.push({
      node: at.node,
      fn: at.fn,
      depth,
      left,
      width,
      seconds: at.seconds,
      own: at.own,
      folded: at.folded,
    });
    let next = left;
    for (const below of [...at.children.values()].sort((a, b) => b.seconds - a.seconds)) {
      stack.push([below, depth + 1, next]);
      next += below.seconds / whole;
    }
  }
  return boxes.sort((a, b) => a.depth - b.depth || a.left - b.left);
}

const HEIGHT = 20;
/** Room that a letter takes at most, on the average of a name. */
const LETTER = 7;

function nameOf(profile: Profile, box: Box): string {
  if (box.fn < 0) return profile.raw.title;
  const name = visible(profile.fns[box.fn]?.name ?? "(did not return)");
  return box.folded > 1 ? `${name} ×${box.folded}` : name;
}

function kindOf(profile: Profile, box: Box): number {
  const fn = profile.fns[box.fn];
  return fn ? profile.kindOfFn(fn) : 3;
}

/** How much darker a box is than its kind's colour, by its name: neighbours can be told apart. */
export function shade(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) & 0xffff;
  return ((hash % 7) / 6) * 0.28;
}

interface Drawing {
  canvas: HTMLCanvasElement;
  boxes: Box[];
  profile: Profile;
  wanted: string;
  chosen: number;
}

function draw({ canvas, boxes, profile, wanted, chosen }: Drawing): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = (1 + Math.max(0, ...boxes.map((box) => box.depth))) * HEIGHT;
  const style = getComputedStyle(canvas);
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.height = `${height}px`;
  context.scale(scale, scale);
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "middle";
  boxes.forEach((box, i) => {
    const name = nameOf(profile, box);
    const hit = wanted !== "" && name.toLowerCase().includes(wanted);
    const [x, y, w] = [box.left * width, box.depth * HEIGHT, box.width * width];
    context.fillStyle = style.getPropertyValue(hit ? "--found" : `--kind${kindOf(profile, box)}`);
    context.fillRect(x, y, Math.max(w - 0.5, 0.5), HEIGHT - 1);
    if (!hit) {
      context.fillStyle = `rgba(0, 0, 0, ${shade(name)})`;
      context.fillRect(x, y, Math.max(w - 0.5, 0.5), HEIGHT - 1);
    }
    if (i === chosen) {
      context.strokeStyle = style.getPropertyValue("--ink");
      context.lineWidth = 2;
      context.strokeRect(x + 1, y + 1, Math.max(w - 2.5, 0.5), HEIGHT - 3);
    }
    if (w < 30) return;
    context.fillStyle = style.getPropertyValue("--on-kind");
    const room = Math.floor((w - 8) / LETTER);
    const text = name.length > room ? `${name.slice(0, Math.max(room - 1, 1))}…` : name;
    context.fillText(text, x + 4, y + HEIGHT / 2);
  });
}

function boxAt(boxes: Box[], canvas: HTMLCanvasElement, x: number, y: number): number {
  const left = x / canvas.clientWidth;
  const depth = Math.floor(y / HEIGHT);
  return boxes.findIndex((b) => b.depth === depth && b.left <= left && left < b.left + b.width);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** The drawing as a picture that stands alone. */
export function svgOf(profile: Profile, boxes: Box[]): string {
  const width = 1200;
  const height = (1 + Math.max(0, ...boxes.map((box) => box.depth))) * HEIGHT;
  const colours = ["#2f6db0", "#8a5a00", "#2e7d4f", "#5f6670", "#7a4a93"];
  const shapes = boxes.map((box) => {
    const name = nameOf(profile, box);
    const [x, y, w] = [box.left * width, box.depth * HEIGHT, box.width * width];
    const room = Math.floor((w - 8) / LETTER);
    const label = room > 3 ? escaped(name.slice(0, room)) : "";
    return (
      `<g><title>${escaped(`${name} ${time(box.seconds)}`)}</title>` +
      `<rect x="${x.toFixed(2)}" y="${y}" width="${Math.max(w - 0.5, 0.5).toFixed(2)}" height="${HEIGHT - 1}" fill="${colours[kindOf(profile, box)]}"/>` +
      `<text x="${(x + 4).toFixed(2)}" y="${y + 14}" font-size="12" font-family="sans-serif" fill="#fff">${label}</text></g>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">${shapes.join("")}</svg>\n`;
}

/** The widest boxes as an indented list. */
export function flameMarkdown(profile: Profile, boxes: Box[]): string {
  const widest = [...boxes].sort((a, b) => b.width - a.width || a.depth - b.depth).slice(0, 30);
  const lines = inOrder(widest).map(
    (box) =>
      `${"  ".repeat(box.depth)}* ${markdownCode(nameOf(profile, box))}: ${time(box.seconds)} ` +
      `(${percent(box.seconds, profile.time)}), own ${time(box.own)}`,
  );
  return `${lines.join("\n")}\n`;
}

export function Flame() {
  const { profile, state, change, open } = useShared();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [chosen, setChosen] = useState(0);
  const from = profile.nodes[state.node] ? state.node : 0;
  const boxes = useMemo(
    () => boxesOf(profile, from, state.inverted, state.libraries),
    [profile, from, state.inverted, state.libraries],
  );
  const wanted = state.filter.toLowerCase();
  useEffect(() => {
    function again(): void {
      if (canvas.current) draw({ canvas: canvas.current, boxes, profile, wanted, chosen });
    }
    again();
    window.addEventListener("resize", again);
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", again);
    return () => {
      window.removeEventListener("resize", again);
      dark.removeEventListener("change", again);
    };
  }, [boxes, wanted, chosen, profile]);

  function pick(event: MouseEvent): number {
    const at = canvas.current;
    return at ? boxAt(boxes, at, event.offsetX, event.offsetY) : -1;
  }

  const box = boxes[chosen];
  if (profile.nodes.length < 2) {
    return <p class="empty">The profile has no call tree.</p>;
  }
  return (
    <section class="flame" aria-label="Flame graph">
      <div class="bar">
        <input
          type="search"
          class="filter"
          placeholder="Find functions"
          aria-label="Find functions in the flame graph"
          value={state.filter}
          onInput={(e) => change({ filter: e.currentTarget.value })}
        />
        <button
          type="button"
          aria-pressed={state.inverted}
          onClick={() => change({ inverted: !state.inverted, node: 0 })}
        >
          Inverted
        </button>
        <button
          type="button"
          aria-pressed={state.libraries}
          onClick={() => change({ libraries: !state.libraries })}
        >
          Libraries (x)
        </button>
        <button
          type="button"
          disabled={from === 0 || state.inverted}
          onClick={() => change({ node: 0 })}
        >
          Whole program
        </button>
        <Take
          name="flame graph"
          markdown={() => flameMarkdown(profile, boxes)}
          svg={() => svgOf(profile, boxes)}
        />
      </div>
      <p class="status" aria-live="polite">
        {box
          ? `${nameOf(profile, box)}: ${time(box.seconds)} (${percent(box.seconds, profile.time)}), own time ${time(box.own)}. `
          : ""}
        <span class="dim">
          {!state.libraries && "Libraries are folded into what calls them. "}
          {state.inverted
            ? "A click opens the function."
            : "A click zooms in, one more opens the function."}
        </span>
      </p>
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus; its twin is the table below */}
      <canvas
        ref={canvas}
        aria-hidden="true"
        onMouseMove={(e) => setChosen(Math.max(0, pick(e)))}
        onMouseLeave={() => setChosen(0)}
        onClick={(e) => {
          const hit = boxes[pick(e)];
          if (!hit) return;
          if (state.inverted || hit.node === from) open("function", { fn: hit.fn });
          else change({ node: hit.node });
        }}
      />
      <Legend />
      <Tree boxes={boxes} />
    </section>
  );
}

/** The same boxes as a tree with figures, for keyboards and screen readers. */
function Tree({ boxes }: { boxes: Box[] }) {
  const { profile, open } = useShared();
  const rows = useMemo(() => inOrder(boxes).slice(0, 400), [boxes]);
  const [at, setAt] = useState(0);
  const table = useRef<HTMLTableElement>(null);

  function move(to: number): void {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    table.current?.querySelectorAll<HTMLElement>("tbody tr")[next]?.focus();
  }

  function onKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "ArrowLeft") move(rows.indexOf(above(rows, at)));
    else if (event.key === "ArrowRight") move(rows[at + 1]?.depth > rows[at].depth ? at + 1 : at);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "Enter" && rows[at].fn >= 0) open("function", { fn: rows[at].fn });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <details class="twin">
      <summary>The same as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the pattern for a tree with columns */}
      <table role="treegrid" aria-label="Call tree" class="grid" ref={table} onKeyDown={onKey}>
        <thead>
          <tr>
            <th scope="col">Function</th>
            <th scope="col" class="number">
              Time
            </th>
            <th scope="col" class="number">
              Share
            </th>
            <th scope="col" class="number">
              Own time
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((box, i) => (
            <tr
              key={i}
              aria-level={box.depth + 1}
              aria-expanded={rows[i + 1]?.depth > box.depth ? true : undefined}
              tabIndex={i === at ? 0 : -1}
              onFocus={() => setAt(i)}
            >
              <td style={{ paddingLeft: `${box.depth}em` }}>
                {box.fn >= 0 ? (
                  <a href={link("function", { fn: box.fn })} tabIndex={-1}>
                    {nameOf(profile, box)}
                  </a>
                ) : (
                  nameOf(profile, box)
                )}
              </td>
              <td class="number">{time(box.seconds)}</td>
              <td class="number">{percent(box.seconds, profile.time)}</td>
              <td class="number">{time(box.own)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function above(rows: Box[], at: number): Box {
  for (let i = at; i >= 0; i--) if (rows[i].depth < rows[at].depth) return rows[i];
  return rows[0];
}

/** Parents before children, as a tree is read. */
function inOrder(boxes: Box[]): Box[] {
  return [...boxes].sort((a, b) => a.left - b.left || a.depth - b.depth);
}
