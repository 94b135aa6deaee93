/** Runs a script of the tests in a process of its own, where its memory can be told: files of tests share one process. */

import { pathOf } from "./commands_running.ts";

/** What the script printed, as JSON. */
export async function alone<Answer>(script: string, ...args: readonly string[]): Promise<Answer> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", pathOf(script), ...args],
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${script}: ${text.decode(stderr)}`);
  return JSON.parse(text.decode(stdout));
}
