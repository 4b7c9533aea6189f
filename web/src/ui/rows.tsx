/** A long list of rows of one height, of which only those in sight are in the document. */
import { type ComponentChildren, options } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const BEYOND = 20;
/** Paper shows so many rows. */
const MOST_PRINTED = 1000;

/** The browser prints as soon as its listeners are through. */
function atOnce(change: () => void): void {
  const usual = options.debounceRendering;
  options.debounceRendering = (render) => render();
  change();
  if (usual) options.debounceRendering = usual;
  else delete options.debounceRendering;
}

interface Props {
  count: number;
  height: number;
  /** A row that is to be in sight; -1: none. */
  at?: number;
  label: string;
  role?: "rowgroup" | "list" | undefined;
  class?: string;
  head?: ComponentChildren;
  row(index: number): ComponentChildren;
}

/** Stands for the rows that are out of sight. */
function Gap({ height }: { height: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without a cell takes no focus
    <tr class="gap" aria-hidden="true" style={{ height: `${height}px` }} />
  );
}

export function Rows({ count, height, at = -1, label, class: name = "", head, row }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState<[number, number]>([0, 60]);

  function look(): void {
    const element = box.current;
    if (!element) return;
    const first = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
    const seen = Math.ceil((element.clientHeight || 800) / height) + 2 * BEYOND;
    setRange((old) => {
      const next: [number, number] = [first, Math.min(count, first + seen)];
      return old[0] === next[0] && old[1] === next[1] ? old : next;
    });
  }

  useLayoutEffect(look, [count, height]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || at < 0) return;
    const top = at * height;
    const inSight =
      top >= element.scrollTop && top + height <= element.scrollTop + element.clientHeight;
    if (!inSight) element.scrollTop = Math.max(0, top - element.clientHeight / 3);
    look();
  }, [at, count]);
  useEffect(() => {
    const all = () => atOnce(() => setRange([0, Math.min(count, MOST_PRINTED)]));
    window.addEventListener("resize", look);
    window.addEventListener("beforeprint", all);
    window.addEventListener("afterprint", look);
    return () => {
      window.removeEventListener("resize", look);
      window.removeEventListener("beforeprint", all);
      window.removeEventListener("afterprint", look);
    };
  });

  const shown = [];
  for (let i = range[0]; i < Math.min(range[1], count); i++) shown.push(row(i));
  return (
    <section
      class={`rows ${name}`}
      ref={box}
      onScroll={look}
      style={{ "--row": `${height}px` }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label={label}
    >
      <table aria-rowcount={count + 1}>
        {head}
        <tbody>
          <Gap height={range[0] * height} />
          {shown}
          <Gap height={Math.max(0, count - range[1]) * height} />
        </tbody>
      </table>
    </section>
  );
}
