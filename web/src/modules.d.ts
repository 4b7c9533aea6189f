/** Modules that come without types, or whose types their package does not export. */
declare module "prismjs/components/prism-core" {
  import Prism from "prismjs";
  export default Prism;
}
declare module "prismjs/components/prism-python";
declare module "prismjs/components/prism-perl";
declare module "tinykeys" {
  export function tinykeys(
    target: Window | HTMLElement,
    keys: Record<string, (event: KeyboardEvent) => void>,
  ): () => void;
}
