// Bundles tests/*.test.ts and hands them to node's own test runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const directory = mkdtempSync(join(tmpdir(), "page-tests-"));
const tests = readdirSync("tests").filter((name) => name.endsWith(".test.ts"));
if (tests.length === 0) throw new Error("no tests found");
await build({
  entryPoints: tests.map((name) => join("tests", name)),
  outdir: directory,
  bundle: true,
  platform: "node",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  external: ["node:*"],
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
const files = readdirSync(directory).map((name) => join(directory, name));
const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
rmSync(directory, { recursive: true });
process.exit(run.status ?? 1);
