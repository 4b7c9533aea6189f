/** The page: navigation, keys, and the view that the address names. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { tinykeys } from "tinykeys";
import { time, visible } from "../data/format";
import type { Profile } from "../data/model";
import { secondProfile } from "../data/second";
import { format, link, parse, START, type State, type View } from "../state";
import { Compare } from "./compare";
import { Context, type Shared } from "./context";
import { Flame } from "./flame";
import { Functions, FunctionView } from "./functions";
import { Guard } from "./guard";
import { Files, Imports, Threads } from "./lists";
import { Overview } from "./overview";
import { Help, Palette } from "./palette";
import { hotLines, next, Source } from "./source";
import { Treemap } from "./treemap";

const TABS: [View, string][] = [
  ["overview", "Overview"],
  ["source", "Source"],
  ["functions", "Functions"],
  ["flame", "Flame graph"],
  ["treemap", "Treemap"],
  ["imports", "Imports"],
  ["files", "Files"],
  ["threads", "Threads"],
  ["compare", "Compare"],
];

const VIEW: Record<View, () => preact.JSX.Element> = {
  overview: Overview,
  source: Source,
  functions: Functions,
  function: FunctionView,
  flame: Flame,
  treemap: Treemap,
  imports: Imports,
  files: Files,
  threads: Threads,
  compare: Compare,
};

/** The views that can show one thread or process alone. */
const BY_SECTION: View[] = ["overview", "source", "files"];

interface Props {
  profile: Profile;
  compared: Profile | null;
}

/** The document knows it before a render does. */
function isDialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}

function editing(event: Event): boolean {
  const target = event.target as HTMLElement | null;
  return target !== null && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function App({ profile, compared }: Props) {
  const [state, setState] = useState<State>(() => parse(location.hash));
  const [other, setOther] = useState<Profile | null>(compared);
  const [dialog, setDialog] = useState<"" | "palette" | "help">("");
  const [said, setSaid] = useState("");

  const change = useCallback((part: Partial<State>) => {
    setState((old) => {
      const now = { ...old, ...part };
      history.replaceState(null, "", format(now));
      return now;
    });
  }, []);
  const open = useCallback((view: View, part: Partial<State> = {}) => {
    setState((old) => {
      const now = { ...START, scope: old.scope, section: old.section, ...part, view };
      history.pushState(null, "", format(now));
      return now;
    });
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, []);
  const compareWith = useCallback(
    (file: globalThis.File) => {
      file
        .text()
        .then(secondProfile)
        .then((second) => {
          setOther(second);
          setSaid("");
          open("compare");
        })
        .catch((error: unknown) => {
          setSaid(
            `${file.name} cannot be compared: ${error instanceof Error ? error.message : error}.`,
          );
        });
    },
    [open],
  );

  useEffect(() => {
    // A link in a view says nothing of the thread, which stays.
    const follow = () =>
      setState((old) => {
        const said = /[?&]section=/.test(location.hash);
        const now = parse(location.hash);
        const kept = said ? now : { ...now, section: old.section };
        if (!said && kept.section !== START.section) history.replaceState(null, "", format(kept));
        return kept;
      });
    window.addEventListener("hashchange", follow);
    window.addEventListener("popstate", follow);
    return () => {
      window.removeEventListener("hashchange", follow);
      window.removeEventListener("popstate", follow);
    };
  }, []);

  useEffect(() => {
    const away = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) compareWith(file);
    };
    window.addEventListener("dragover", away);
    window.addEventListener("drop", drop);
    return () => {
      window.removeEventListener("dragover", away);
      window.removeEventListener("drop", drop);
    };
  }, [compareWith]);

  // Keys are heard by one listener from the start on, which asks for the state when one is pressed:
  // of a listener for each state the next one comes after a frame, and "g" is forgotten till then.
  const shown = useRef(state);
  shown.current = state;
  useLayoutEffect(() => {
    const key = (act: () => void) => (event: KeyboardEvent) => {
      // Of "g d", the second key alone means something else.
      if (editing(event) || isDialogOpen() || event.defaultPrevented) return;
      event.preventDefault();
      act();
    };
    const hot = (step: 1 | -1) => () => {
      const { view, file: chosen, line, section } = shown.current;
      if (view !== "source") return;
      const looked = profile.alone(section) ?? profile;
      const file = chosen >= 0 ? chosen : looked.firstFile.id;
      change({ file, line: next(hotLines(looked, file), line, step) });
    };
    const level = (wanted: State["level"]) => () => {
      if (wanted === "line" || profile.raw[wanted]) change({ level: wanted });
    };
    return tinykeys(window, {
      "/": key(() => setDialog("palette")),
      "$mod+k": (event) => {
        event.preventDefault();
        if (!isDialogOpen()) setDialog("palette");
      },
      "?": key(() => setDialog("help")),
      "Shift+?": key(() => setDialog("help")),
      "g o": key(() => open("overview")),
      "g s": key(() => open("source")),
      "g f": key(() => open("functions")),
      "g l": key(() => open("flame")),
      "g t": key(() => open("treemap")),
      "g i": key(() => open("imports")),
      "g d": key(() => open("files")),
      "g c": key(() => open("compare")),
      n: key(hot(1)),
      p: key(hot(-1)),
      "1": key(level("line")),
      "2": key(level("block")),
      "3": key(level("sub")),
      x: key(() => change({ libraries: !shown.current.libraries })),
      d: key(switchTheme),
    });
  }, [profile, change, open]);

  const alone = BY_SECTION.includes(state.view) ? profile.alone(state.section) : null;
  const looked = alone ?? profile;
  const shared = useMemo<Shared>(
    () => ({
      profile: looked,
      all: profile,
      other: alone ? null : other,
      state,
      open,
      change,
      say: setSaid,
      compareWith,
    }),
    [looked, profile, other, state, open, change, compareWith],
  );
  const Shown = VIEW[state.view];
  const raw = profile.raw;
  return (
    <Context.Provider value={shared}>
      <header>
        <h1>
          <a href={link("overview")}>{visible(raw.title)}</a>
        </h1>
        <span class="run">
          {[visible(raw.language), `${time(raw.wall)} on the clock`, date(raw.started)]
            .filter((part) => part !== "")
            .join(" · ")}
        </span>
        <span class="spacer" />
        <button type="button" onClick={() => setDialog("palette")}>
          Search <kbd>/</kbd>
        </button>
        <button type="button" onClick={switchTheme} aria-label="Dark or light">
          ◐
        </button>
        <button type="button" onClick={() => setDialog("help")} aria-label="Help: keys">
          ?
        </button>
      </header>
      <nav aria-label="Views">
        {TABS.map(([view, title]) => (
          <a
            key={view}
            href={link(view, { scope: state.scope, section: state.section })}
            aria-current={tabOf(state.view) === view ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      {raw.snapshot && (
        <p class="warning" role="note">
          Snapshot: the program was still running when this profile was written.
        </p>
      )}
      {state.section >= 0 && !alone && (
        <p class="warning" role="note">
          Calls are known of all threads and processes together only, and so is what this view
          shows.
        </p>
      )}
      {raw.fault && (
        <p class="warning" role="note">
          The profile is incomplete: {visible(raw.fault)}.
        </p>
      )}
      <p class="said" role="status" aria-live="polite">
        {said}
      </p>
      <main id="main" tabIndex={-1}>
        <Guard at={format(state)}>
          <Shown key={state.view} />
        </Guard>
      </main>
      {dialog === "palette" && <Palette onClose={() => setDialog("")} />}
      {dialog === "help" && <Help onClose={() => setDialog("")} />}
    </Context.Provider>
  );
}

/** "2026-11-28 14:05", in the reader's time zone. */
function date(epoch: number): string {
  if (!(epoch > 0)) return "";
  const at = new Date((epoch - new Date(epoch * 1000).getTimezoneOffset() * 60) * 1000);
  return at.toISOString().slice(0, 16).replace("T", " ");
}

function tabOf(view: View): View {
  return view === "function" ? "functions" : view;
}

function switchTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  window.dispatchEvent(new Event("resize"));
}
