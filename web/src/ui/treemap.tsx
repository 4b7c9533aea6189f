/** Own time by package, file and function, as areas. */
import { hierarchy, treemap } from "d3-hierarchy";
import { useMemo } from "preact/hooks";
import { percent, time, visible } from "../data/format";
import { KINDS, type Profile } from "../data/model";
import { link } from "../state";
import { useShared } from "./context";

interface Item {
  name: string;
  seconds: number;
  fn: number;
  kind: number;
  children?: Item[];
}

const WIDTH = 1200;
const DEPTH = 640;
const MOST = 250;

/** Kinds of code, their files, and the functions in those. */
export function treemapItems(profile: Profile): Item {
  const fns = [...profile.fns].filter((fn) => fn.excl > 0).sort((a, b) => b.excl - a.excl);
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

export function Treemap() {
  const { profile } = useShared();
  const leaves = useMemo(() => {
    const root = hierarchy(treemapItems(profile)).sum((item) => (item.children ? 0 : item.seconds));
    const layout = treemap<Item>()
      .size([WIDTH, DEPTH])
      .paddingInner(1)
      .paddingTop((n) => (n.height === 1 ? 16 : 0));
    return layout(root);
  }, [profile]);
  const files = leaves.descendants().filter((node) => node.height === 1);
  return (
    <section class="treemap" aria-label="Treemap of own time">
      <p class="dim">
        Own time of the {MOST} dearest functions, by file. A click opens a function.
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: SVG has no such element */}
      <svg viewBox={`0 0 ${WIDTH} ${DEPTH}`} role="group" aria-label="Functions by own time">
        {files.map((node) => (
          <text
            key={`${node.data.kind} ${node.data.name}`}
            x={node.x0 + 3}
            y={node.y0 + 12}
            class="head"
          >
            {node.x1 - node.x0 > 60
              ? visible(node.data.name).slice(0, Math.floor((node.x1 - node.x0) / 6.6))
              : ""}
          </text>
        ))}
        {leaves.leaves().map((node) => (
          <a
            key={node.data.fn}
            href={link("function", { fn: node.data.fn })}
            aria-label={`${node.data.name}, ${time(node.data.seconds)}`}
          >
            <title>{`${visible(node.data.name)}: ${time(node.data.seconds)} (${percent(node.data.seconds, profile.time)})`}</title>
            <rect
              x={node.x0}
              y={node.y0}
              width={node.x1 - node.x0}
              height={node.y1 - node.y0}
              class={`area kind${node.data.kind}`}
            />
            {node.x1 - node.x0 > 50 && node.y1 - node.y0 > 16 && (
              <text x={node.x0 + 4} y={node.y0 + 14} class="label">
                {visible(node.data.name.split("::").pop() ?? "").slice(
                  0,
                  Math.floor((node.x1 - node.x0 - 8) / 6.6),
                )}
              </text>
            )}
          </a>
        ))}
      </svg>
    </section>
  );
}
