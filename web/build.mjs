// Builds the page's script and style: `node build.mjs [DIRECTORY]` writes page.js and page.css there
// (default: dist). lib/report/page.c puts them into every report.
import { build } from "esbuild";

const directory = process.argv[2] ?? "dist";

await build({
  entryPoints: { page: "src/main.tsx" },
  outdir: directory,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "ascii",
  legalComments: "inline",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
});
await build({
  entryPoints: { page: "src/style.css" },
  outdir: directory,
  bundle: true,
  minify: true,
  charset: "ascii",
  logLevel: "warning",
});
