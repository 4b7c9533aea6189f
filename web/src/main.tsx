/** Starts the page: data out of the document, then the views. */
import { render } from "preact";
import { Blocks } from "./data/decode";
import { Profile } from "./data/model";
import { App } from "./ui/app";

function tell(root: HTMLElement, error: unknown): void {
  const text = document.createElement("p");
  text.className = "warning";
  text.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}.`;
  root.replaceChildren(text);
}

/** When what the document already holds, title and sentence, has been painted. */
function painted(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 100); // a hidden tab has no frames
  });
}

async function start(root: HTMLElement): Promise<void> {
  await painted();
  const blocks = Blocks.ofDocument(document);
  const profile = new Profile(await blocks.profile(), blocks);
  const raw = await blocks.other();
  const compared = raw ? new Profile(raw, blocks, "o") : null;
  root.replaceChildren();
  render(<App profile={profile} compared={compared} />, root);
}

const root = document.getElementById("app");
if (root) start(root).catch((error: unknown) => tell(root, error));
