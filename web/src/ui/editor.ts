/** Links that open a place in the reader's editor. */

/** Addresses that editors take; %f is the file, %l the line. */
export const EDITORS: [name: string, address: string][] = [
  ["VS Code", "vscode://file%f:%l"],
  ["VSCodium", "vscodium://file%f:%l"],
  ["Cursor", "cursor://file%f:%l"],
  ["PyCharm", "pycharm://open?file=%f&line=%l"],
  ["IntelliJ IDEA", "idea://open?file=%f&line=%l"],
  ["Emacs", "emacs://open?url=file://%f&line=%l"],
  ["TextMate", "txmt://open?url=file://%f&line=%l"],
];

const KEY = "nytprof-editor";

/** Which editor was chosen; the browser may keep nothing for pages from files. */
export function chosenEditor(): string {
  try {
    const kept = localStorage.getItem(KEY);
    return EDITORS.find(([name]) => name === kept)?.[0] ?? EDITORS[0][0];
  } catch {
    return EDITORS[0][0];
  }
}

export function chooseEditor(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Nothing is kept: the first one is offered.
  }
}

/** `name` is what chosenEditor() told. */
export function editorLink(file: string, line: number, name = chosenEditor()): string {
  const address = EDITORS.find(([editor]) => editor === name)?.[1] ?? EDITORS[0][1];
  const path = encodeURI(file).replace(/[?#&]/g, encodeURIComponent);
  return address.replace("%l", String(line)).replace("%f", () => path);
}
