/** The project's own sources, for tests that read them. */

const root = new URL("../", import.meta.url);
const folders = [
  "core",
  "engine",
  "datasets",
  "physics",
  "methods",
  "baselines",
  "metrics",
  "benchmarks",
  "harness",
  "results",
  "reports",
  "commands",
];

/** Every TypeScript file of the project's folders with its text; AssemblyScript, which only looks like it, left out. */
export async function* walkSources(): AsyncGenerator<{ path: string; text: string }> {
  for (const folder of folders) yield* walk(folder);
}

async function* walk(folder: string): AsyncGenerator<{ path: string; text: string }> {
  for await (const entry of Deno.readDir(new URL(`${folder}/`, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else if (path.endsWith(".ts")) yield { path, text: await Deno.readTextFile(new URL(path, root)) };
  }
}

/** Whether the shared data are beside the project, and where. */
export const sharedFolder = new URL("../../shared/data", import.meta.url).pathname;

/** Whether {@linkcode sharedFolder} is there. */
export const sharedExists = await Deno.stat(sharedFolder).then(() => true, () => false);
