// Builds the page's script and style: `node build.mjs [DIRECTORY]` writes page.js and page.css there
// (default: dist). lib/report/page.c puts them into every report.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const directory = process.argv[2] ?? "dist";

// Whose code is in the bundle, and under which licence.
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const notices = Object.keys(dependencies).map((name) => {
  const { version, license } = JSON.parse(
    readFileSync(`node_modules/${name}/package.json`, "utf8"),
  );
  const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8");
  const owner = /^.*copyright.*$/im.exec(text)?.[0].trim() ?? "";
  return `${name} ${version}, ${license}: ${owner}`;
});

await build({
  banner: { js: `/*! With ${notices.join("; ")} */` },
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
