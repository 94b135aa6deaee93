/** Holds the table of folders in docs/architecture.md true: who may import whom. */

import { deepStrictEqual, ok } from "node:assert/strict";
import { walkSources } from "./tree.ts";

/** What each folder may import; `type:` means types only. A folder may always import from itself. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  engine: ["core"],
  datasets: ["core"],
  physics: ["core", "engine"],
  methods: ["core", "engine", "type:physics"],
  baselines: ["core", "engine", "type:methods", "type:physics"],
  metrics: ["core"],
  results: ["core"],
  benchmarks: [
    "core",
    "type:engine",
    "datasets",
    "physics",
    "methods",
    "baselines",
    "metrics",
    "type:results",
  ],
  harness: [
    "core",
    "engine",
    "results",
    "type:benchmarks",
    "type:datasets",
    "type:methods",
    "type:metrics",
    "type:physics",
  ],
  reports: ["core", "results"],
  commands: ["core", "engine", "datasets", "benchmarks", "harness", "results", "reports"],
};

/** Imports of one file from the project's own folders: `["type:physics", …]`. */
function importsOf(path: string, text: string): string[] {
  const found: string[] = [];
  const pattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?([^;]*?)\s*from\s+"(\.[^"]+)"/g;
  for (const [, typeOnly, names, target] of text.matchAll(pattern)) {
    const folder = new URL(target, `file:///${path}`).pathname.split("/")[1];
    const inner = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1].split(",").map((name) => name.trim()).filter(
      Boolean,
    );
    const onlyTypes = typeOnly !== undefined ||
      (inner !== undefined && inner.every((name) => name.startsWith("type ")));
    found.push(onlyTypes ? `type:${folder}` : folder);
  }
  for (const [, target] of text.matchAll(/import\(\s*"(\.[^"]+)"\s*\)/g)) {
    found.push(new URL(target, `file:///${path}`).pathname.split("/")[1]);
  }
  return found;
}

Deno.test("importsOf() tells a value from a type, over several lines and in exports", () => {
  const text = [
    'import { a } from "../core/a.ts";',
    'import type { B } from "../physics/b.ts";',
    'import {\n  type C,\n  type D,\n} from "../methods/c.ts";',
    'import { type E, f } from "../metrics/e.ts";',
    'export { g } from "../results/g.ts";',
    'import * as tf from "@tensorflow/tfjs-core";',
    'await import("../engine/h.ts");',
  ].join("\n");
  deepStrictEqual(importsOf("harness/x.ts", text), [
    "core",
    "type:physics",
    "type:methods",
    "metrics",
    "results",
    "engine",
  ]);
});

Deno.test("the table of docs/architecture.md names the folders that are held to it", async () => {
  const page = await Deno.readTextFile(new URL("../docs/architecture.md", import.meta.url));
  const named = [...page.matchAll(/^\| `(\w+)\/`/gm)].map(([, folder]) => folder);
  deepStrictEqual(named.sort(), Object.keys(allowed).sort());
});

Deno.test("every import goes the way that the table of folders allows", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for await (const { path, text } of walkSources()) {
    const folder = path.split("/")[0];
    const may = allowed[folder];
    seen += 1;
    if (may === undefined) {
      wrong.push(`${path} is in a folder that the table does not name`);
      continue;
    }
    for (const target of importsOf(path, text)) {
      // What is pinned there is data, not a folder's.
      const name = target.replace("type:", "");
      if (
        name === "deno.json" || name === folder || may.includes(name) ||
        (target.startsWith("type:") && may.includes(target))
      ) {
        continue;
      }
      wrong.push(`${path} imports ${target}`);
    }
  }
  deepStrictEqual(wrong, []);
  ok(seen > 20, `only ${seen} files were looked at`);
});

Deno.test("only physics and what comes after it know tensors", async () => {
  for await (const { path, text } of walkSources()) {
    if (/^(core|datasets|metrics|results|reports)\//.test(path)) {
      ok(!text.includes("@tensorflow/"), `${path} imports TensorFlow.js`);
    }
  }
});

Deno.test("nothing that decides a number reads the clock or an unnamed random source", async () => {
  for await (const { path, text } of walkSources()) {
    if (/^(core|datasets|physics|methods|baselines|metrics|results|benchmarks)\//.test(path)) {
      ok(!/Math\.random|Date\.now|new Date\(|performance\.now|tf\.random/.test(text), path);
    }
  }
});

Deno.test("no tensor is read while the program waits: WebGPU cannot", async () => {
  const waiting: string[] = [];
  for await (const { path, text } of walkSources()) {
    if (/\b(dataSync|arraySync|bytesSync)\b/.test(text)) waiting.push(path);
  }
  deepStrictEqual(waiting, []);
});
