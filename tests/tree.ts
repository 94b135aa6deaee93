/** The project's own sources, for tests that read them. */

const root = new URL("../", import.meta.url);
/** What is no source: tests, texts, what runs and tools leave, and folders whose name begins with a dot. */
const others = ["tests", "docs", "runs", "node_modules"];

/** Every TypeScript file of the project's folders with its text; AssemblyScript, which only looks like it, included. */
export async function* walkSources(): AsyncGenerator<{ path: string; text: string }> {
  const folders: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    if (isDirectory && !name.startsWith(".") && !others.includes(name)) folders.push(name);
  }
  for (const folder of folders.sort()) yield* walk(folder);
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
