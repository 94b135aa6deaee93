/** Which code computes: a hash of all sources that decide a number. */

import { sha256 } from "../core/json.ts";

// Reports and commands decide none: they may change without any job being done again. Results hold the summary by which a
// weight is chosen on validation subjects.
const folders = [
  "baselines",
  "benchmarks",
  "core",
  "datasets",
  "engine",
  "harness",
  "methods",
  "metrics",
  "physics",
  "results",
];

let known: string | undefined;

/**
 * SHA-256 over the names and bytes of the sources, of the kernels and of `deno.json` with its exact versions of
 * packages; null where the suite does not run from files.
 */
export function codeHash(): string | null {
  if (!import.meta.url.startsWith("file:")) return null;
  if (known !== undefined) return known;
  const root = new URL("../", import.meta.url);
  const files = ["deno.json", ...folders.flatMap((folder) => filesIn(root, `${folder}/`))].sort();
  known = sha256(...files.flatMap((file) => [`${file}\n`, Deno.readFileSync(new URL(file, root))]));
  return known;
}

function filesIn(root: URL, folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return filesIn(root, `${folder}${name}/`);
    return /\.(ts|wasm)$/.test(name) ? [`${folder}${name}`] : [];
  });
}
