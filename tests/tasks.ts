/** The tasks of `deno.json` as they are called: what they are allowed to do is what tests run them with. */

import settings from "../deno.json" with { type: "json" };

/** Names of tasks that run a command of the suite. */
export type TaskName = keyof typeof settings.tasks;

/** The flags that a task gives to `deno run`, its shell's substitution done. */
export function flagsOf(task: TaskName): string[] {
  const [, flags] = /^deno run (.*) \S+\.ts$/.exec(settings.tasks[task])!;
  return flags
    .replace("$(deno eval -p 'Deno.execPath()')", Deno.execPath())
    .replace(/\$\(which (\w+) \|\| echo deno\)/g, (_, program) => pathOf(program) ?? "deno")
    .split(" ");
}

/** Where a program is that a person could call by its name. */
function pathOf(program: string): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.map((folder) => `${folder}/${program}`).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
