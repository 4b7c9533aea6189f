/** What imports cost, as a tree: which module brought in which. */
import type { Profile } from "./model";

export interface Import {
  /** Its place in the order of the tree. */
  order: number;
  fn: number;
  depth: number;
  /** With the imports that it makes. */
  seconds: number;
  own: number;
}

interface Branch {
  fn: number;
  seconds: number;
  children: Map<number, Branch>;
}

/** A module's body: what an import runs. */
export function isModule(name: string): boolean {
  return /::\(module\)(@\d+)*$/.test(name) && !name.startsWith("__main__::");
}

/** Perl's `use` runs in BEGIN blocks. */
function isBegin(name: string): boolean {
  return /::BEGIN@\d+$/.test(name);
}

function fromNodes(profile: Profile): Branch {
  const root: Branch = { fn: -1, seconds: 0, children: new Map() };
  const at: Branch[] = [root];
  const wanted = profile.fns.map((fn) => isModule(fn.name) || isBegin(fn.name));
  for (let i = 1; i < profile.nodes.length; i++) {
    const node = profile.nodes[i];
    const above = at[node.up] ?? root;
    at[i] = above;
    if (!wanted[node.fn]) continue;
    let found = above.children.get(node.fn);
    if (!found) {
      found = { fn: node.fn, seconds: 0, children: new Map() };
      above.children.set(node.fn, found);
    }
    found.seconds += node.incl;
    at[i] = found;
  }
  return root;
}

/** Without a call tree: each module for itself. */
function fromFns(profile: Profile): Branch {
  const root: Branch = { fn: -1, seconds: 0, children: new Map() };
  for (const fn of profile.fns) {
    const known = fn.calls > 0 && (isModule(fn.name) || isBegin(fn.name));
    if (known) root.children.set(fn.id, { fn: fn.id, seconds: fn.incl, children: new Map() });
  }
  return root;
}

/** The dearest first, each followed by what it imports. */
export function importTree(profile: Profile): Import[] {
  const list: Import[] = [];
  const tree = fromNodes(profile);
  const stack: [Branch, number][] = [[tree.children.size > 0 ? tree : fromFns(profile), -1]];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const [branch, depth] = top;
    const children = [...branch.children.values()].sort((a, b) => a.seconds - b.seconds);
    const below = children.reduce((sum, child) => sum + child.seconds, 0);
    if (depth >= 0) {
      const own = Math.max(0, branch.seconds - below);
      list.push({ order: list.length, fn: branch.fn, depth, seconds: branch.seconds, own });
    }
    for (const child of children) stack.push([child, depth + 1]);
  }
  return list;
}
