/** Own time by kind of code, file and function, as areas. */
import { type HierarchyRectangularNode, hierarchy, treemap } from "d3-hierarchy";
import { useMemo } from "preact/hooks";
import { markdownCode, percent, time, visible } from "../data/format";
import { KINDS, type Profile } from "../data/model";
import { fnInScope } from "../data/scope";
import { link } from "../state";
import { useShared } from "./context";
import { hottestFns } from "./overview";
import { Legend } from "./parts";
import { Scope } from "./scope";
import { Take } from "./take";

interface Item {
  name: string;
  seconds: number;
  fn: number;
  kind: number;
  children?: Item[];
}

type Area = HierarchyRectangularNode<Item>;

const WIDTH = 1200;
const DEPTH = 640;
const MOST = 250;
const HEAD = 16;
/** Room that a letter takes. */
const LETTER = 6.6;

/** Kinds of code, their files, and the functions in those. */
export function treemapItems(profile: Profile, scope = ""): Item {
  const fns = profile.fns
    .filter((fn) => fn.excl > 0 && fnInScope(profile, fn, scope))
    .sort((a, b) => b.excl - a.excl);
  const kinds = KINDS.map((name, kind) => ({
    name,
    seconds: 0,
    fn: -1,
    kind,
    children: [] as Item[],
  }));
  const files = new Map<string, Item>();
  fns.slice(0, MOST).forEach((fn) => {
    const kind = profile.kindOfFn(fn);
    const name =
      fn.kind === 0
        ? (profile.files[fn.file]?.short ?? "(unknown)")
        : (fn.name.split("::")[0] ?? "");
    const key = `${kind} ${name}`;
    let file = files.get(key);
    if (!file) {
      file = { name, seconds: 0, fn: -1, kind, children: [] };
      files.set(key, file);
      kinds[kind].children.push(file);
    }
    file.children?.push({ name: fn.name, seconds: fn.excl, fn: fn.id, kind });
  });
  return {
    name: profile.raw.title,
    seconds: 0,
    fn: -1,
    kind: 4,
    children: kinds.filter((k) => k.children.length > 0),
  };
}

function areasOf(items: Item): Area {
  const root = hierarchy(items).sum((item) => (item.children ? 0 : item.seconds));
  root.sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const layout = treemap<Item>()
    .size([WIDTH, DEPTH])
    .paddingInner(1)
    .paddingTop((area) => (hasHead(area as Area) ? HEAD : 0));
  return layout(root);
}

/** Files that are large enough carry their name. */
function hasHead(area: Area): boolean {
  return area.height === 1 && area.x1 - area.x0 > 60 && area.y1 - area.y0 > 2 * HEAD;
}

/** As much of a text as there is room for; of paths the end. */
export function cut(text: string, room: number, end: boolean): string {
  const most = Math.floor(room / LETTER);
  if (text.length <= most) return text;
  if (most < 3) return "";
  return end ? `…${text.slice(1 - most)}` : `${text.slice(0, most - 1)}…`;
}

function Leaf({ area, whole }: { area: Area; whole: number }) {
  const { name, seconds, kind, fn } = area.data;
  const [width, height] = [area.x1 - area.x0, area.y1 - area.y0];
  const label = `${visible(name)}: ${time(seconds)} (${percent(seconds, whole)})`;
  const short = cut(visible(name.split("::").pop() ?? ""), width - 8, false);
  return (
    <a href={link("function", { fn })}>
      <title>{label}</title>
      <rect x={area.x0} y={area.y0} width={width} height={height} class={`area kind${kind}`} />
      {height > 18 && short !== "" && (
        // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a part of the link's name, takes no focus
        <text x={area.x0 + 4} y={area.y0 + 14} class="label" aria-hidden="true">
          {short}
        </text>
      )}
      {height > 34 && width > 60 && (
        // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a part of the link's name, takes no focus
        <text x={area.x0 + 4} y={area.y0 + 28} class="label much" aria-hidden="true">
          {cut(`${time(seconds)}, ${percent(seconds, whole)}`, width - 8, false)}
        </text>
      )}
    </a>
  );
}

export function Treemap() {
  const { profile, state } = useShared();
  const root = useMemo(() => areasOf(treemapItems(profile, state.scope)), [profile, state.scope]);
  const large = root.leaves().filter((area) => area.x1 - area.x0 > 1 && area.y1 - area.y0 > 1);
  if (large.length === 0 || root.value === 0) return <p class="empty">Nothing to show.</p>;
  return (
    <section class="treemap" aria-label="Treemap of own time">
      <div class="bar">
        <Scope />
        <span class="dim">
          Own time of {MOST} functions at most, by file. A click opens a function.
        </span>
        <Take name="treemap" markdown={() => treemapMarkdown(profile, state.scope)} />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: SVG has no such element */}
      <svg viewBox={`0 0 ${WIDTH} ${DEPTH}`} role="group" aria-label="Functions by own time">
        {root
          .descendants()
          .filter(hasHead)
          .map((area) => (
            <text
              key={`${area.data.kind} ${area.data.name}`}
              x={area.x0 + 3}
              y={area.y0 + 12}
              class="head"
            >
              {cut(visible(area.data.name), area.x1 - area.x0 - 6, true)}
            </text>
          ))}
        {large.map((area) => (
          <Leaf key={area.data.fn} area={area} whole={profile.time} />
        ))}
      </svg>
      <Legend />
    </section>
  );
}

function treemapMarkdown(profile: Profile, scope: string): string {
  const lines = hottestFns(profile, scope, 30).map(
    (fn) =>
      `* ${markdownCode(fn.name)} (${markdownCode(profile.files[fn.file]?.name ?? "(unknown)")}): ` +
      `${time(fn.excl)} own (${percent(fn.excl, profile.time)}), ${fn.calls} calls`,
  );
  return `${lines.join("\n")}\n`;
}
