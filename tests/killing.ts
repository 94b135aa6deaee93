/** Jobs that are killed at some moment, as a machine that goes down would. */

import { deepStrictEqual } from "node:assert/strict";
import { bench, recordsOf, started } from "./commands_running.ts";

/** How a killed job was doing: what its last sign of life said. */
export interface Killed {
  readonly phase: string;
  readonly done: number;
  /** Whether it had come to its end before it could be killed. */
  readonly finished: boolean;
}

/** Starts a job, and kills it as soon as `when` says so of what it tells. */
export async function kill(
  folder: string,
  index: number,
  when: (told: { phase: string; done: number }) => boolean,
): Promise<Killed> {
  const child = started("job", folder, String(index), "--worker");
  const errors = child.stderr.cancel();
  let last = { phase: "starting", done: 0 };
  let killed = false;
  let rest = "";
  for await (
    const text of child.stdout.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines.filter((line) => line.startsWith("{"))) {
      if (killed) continue;
      last = JSON.parse(line);
      killed = when(last);
      if (killed) child.kill("SIGKILL");
    }
  }
  const { signal } = await child.status;
  await errors;
  return { ...last, finished: signal !== "SIGKILL" };
}

/** Plans a run without doing it. */
export async function plan(folder: string, ...args: string[]): Promise<void> {
  const { code, err } = await bench(...args, "--plan", "--out", folder);
  if (code !== 0) throw new Error(err);
}

/** Compares the records of two runs, costs apart. */
export async function sameRecords(one: string, other: string): Promise<void> {
  const [a, b] = [await recordsOf(one), await recordsOf(other)];
  deepStrictEqual([...a.keys()], [...b.keys()]);
  for (const [name, { cost: _, ...record }] of a) {
    const { cost: _cost, ...twin } = b.get(name)!;
    deepStrictEqual(record, twin, name);
  }
}
