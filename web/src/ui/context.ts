/** What all views share. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Profile } from "../data/model";
import type { State, View } from "../state";

export interface Shared {
  /** What the view shows: all, or one thread or process alone. */
  profile: Profile;
  all: Profile;
  /** The profile to compare with, older than `profile`. */
  other: Profile | null;
  state: State;
  /** Goes to a view; the rest of the state begins anew. */
  open(view: View, part?: Partial<State>): void;
  /** Changes the state without a new entry in the history. */
  change(part: Partial<State>): void;
  /** Says something in the status line. */
  say(text: string): void;
  compareWith(file: globalThis.File): void;
}

export const Context = createContext<Shared | null>(null);

export function useShared(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error("no context");
  return shared;
}
