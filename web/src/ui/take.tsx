/** Buttons that take what is shown away: as Markdown, CSV or a picture. */
import { useShared } from "./context";

interface Props {
  name: string;
  markdown?: () => string;
  csv?: () => string;
  svg?: () => string;
}

export function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Copies, also where there is no clipboard for pages from files. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function Take({ name, markdown, csv, svg }: Props) {
  const { say } = useShared();
  const file = name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  async function copyMarkdown(text: string): Promise<void> {
    say(
      (await copy(text)) ? `Copied ${text.length} characters of Markdown.` : "Nothing was copied.",
    );
  }
  return (
    <span class="take">
      {markdown && (
        <button type="button" onClick={() => copyMarkdown(markdown())}>
          Copy as Markdown
        </button>
      )}
      {csv && (
        <button type="button" onClick={() => save(`${file}.csv`, "text/csv", csv())}>
          CSV
        </button>
      )}
      {svg && (
        <button type="button" onClick={() => save(`${file}.svg`, "image/svg+xml", svg())}>
          SVG
        </button>
      )}
    </span>
  );
}
