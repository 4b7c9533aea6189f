/** The split of the time, as the switch for what views show. */
import { percent, time } from "../data/format";
import { SCOPE_TITLES } from "../data/scope";
import { useShared } from "./context";

function useSplit() {
  const { profile } = useShared();
  const parts = profile.raw.split.filter(([, ticks]) => ticks > 0);
  return { parts, whole: parts.reduce((sum, [, ticks]) => sum + ticks, 0) };
}

/** The bar of the first screen. */
export function Split() {
  const { profile, state, change } = useShared();
  const { parts, whole } = useSplit();
  return (
    <fieldset class="split">
      <legend>Where the time went; a part shows that code alone</legend>
      {parts.map(([kind, ticks]) => (
        <button
          type="button"
          key={kind}
          class={`part split-${kind}`}
          aria-pressed={state.scope === kind}
          style={{ flexGrow: Math.max(ticks / whole, 0.02) }}
          onClick={() => change({ scope: state.scope === kind ? "" : kind })}
        >
          <span class="what">{SCOPE_TITLES[kind] ?? kind}</span>
          <span class="much">
            {percent(ticks, whole)}, {time(ticks / profile.raw.tps)}
          </span>
        </button>
      ))}
    </fieldset>
  );
}

/** The same, as small as a menu, for the other views. */
export function Scope() {
  const { state, change } = useShared();
  const { parts, whole } = useSplit();
  return (
    <>
      <select
        aria-label="Whose code"
        value={state.scope}
        onChange={(e) => change({ scope: e.currentTarget.value })}
      >
        <option value="">All code</option>
        {parts.map(([kind, ticks]) => (
          <option key={kind} value={kind}>
            {`${SCOPE_TITLES[kind] ?? kind}, ${percent(ticks, whole)}`}
          </option>
        ))}
      </select>
      <Sections />
    </>
  );
}

/** Which thread or process a view shows; nothing where there is one alone. */
export function Sections() {
  const { all, state, change } = useShared();
  const sections = all.raw.section ?? [];
  if (sections.length < 2) return null;
  const whole = all.raw.time;
  return (
    <select
      aria-label="Thread or process"
      value={String(state.section)}
      onChange={(e) => change({ section: Number(e.currentTarget.value) })}
    >
      <option value="-1">All threads and processes</option>
      {sections.map(({ id, t }) => (
        <option key={id} value={String(id)}>
          {`${id}: ${percent(
            t.reduce((sum, ticks) => sum + ticks, 0),
            whole,
          )}`}
        </option>
      ))}
    </select>
  );
}
