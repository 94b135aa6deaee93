/** The tasks of `deno.json` as they are called: what they are allowed to do is what tests run them with. */

import settings from "../deno.json" with { type: "json" };

/** Names of tasks that run a command of the suite. */
export type TaskName = keyof typeof settings.tasks;

/** The flags that a task gives to `deno run`, its shell's substitution done. */
export function flagsOf(task: TaskName): string[] {
  const [, flags] = /^deno run (.*) \S+\.ts$/.exec(settings.tasks[task])!;
  return flags.replace("$(deno eval -p 'Deno.execPath()')", Deno.execPath()).split(" ");
}
