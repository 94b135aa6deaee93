/** Runs the commands as a person would, in processes of their own, and reads what they leave. */

import { fileURLToPath } from "node:url";
import type { ResultRecord } from "../results/record.ts";
import { withoutCosts } from "../reports/markdown.ts";
import { flagsOf, type TaskName } from "./tasks.ts";

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `deno task bench …`. */
export function bench(...args: string[]): Promise<Ended> {
  return ended(started("bench", ...args));
}

/** `deno task job …`. */
export function job(...args: string[]): Promise<Ended> {
  return ended(started("job", ...args));
}

/** `deno task check …`; what it adds to the summary of GitHub's job goes to the file `summary`. */
export function check(summary: string, ...args: string[]): Promise<Ended> {
  return ended(startedWith({ GITHUB_STEP_SUMMARY: summary }, "check", ...args));
}

/** Starts a command without waiting for its end. */
export function started(
  command: "bench" | "job" | "report" | "reproduce" | "verify" | "reconstruct",
  ...args: string[]
): Deno.ChildProcess {
  return startedWith({}, command, ...args);
}

/** {@linkcode started}, with more in its environment. */
export function startedWith(
  env: Record<string, string>,
  command: TaskName,
  ...args: string[]
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...flagsOf(command), pathOf(`../commands/${command}.ts`), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", GITHUB_STEP_SUMMARY: "", ...env },
  }).spawn();
}

/** Waits for a command's end. */
export async function ended(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** A path beside this file. */
export function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Runs a test in a folder of its own. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ot-cyclegan-bench-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The records of a run, by file name. */
export async function recordsOf(folder: string): Promise<Map<string, ResultRecord>> {
  const records = new Map<string, ResultRecord>();
  for (const name of (await namesIn(`${folder}/records`)).sort()) {
    records.set(name, JSON.parse(await Deno.readTextFile(`${folder}/records/${name}`)));
  }
  return records;
}

/** All that two identical runs have in common: tables and scores without their costs, records without theirs. */
export async function lasting(folder: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  const tables = ["table.md", "table.tex", "table-standalone.tex", "table.csv", "scores.csv"];
  for (const name of [...tables, "statistics.csv", "verdicts.json"]) {
    texts[name] = withoutCosts(await Deno.readTextFile(`${folder}/${name}`));
  }
  const lines = (await Deno.readTextFile(`${folder}/records.jsonl`)).trimEnd().split("\n");
  texts["records.jsonl"] = lines.map((line) => withoutCost(JSON.parse(line))).join("\n");
  for (const [name, record] of await recordsOf(folder)) texts[`records/${name}`] = withoutCost(record);
  return texts;
}

/** When each file of a run's records was written. */
export async function timesOf(folder: string): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  for (const name of await namesIn(`${folder}/records`)) {
    times[name] = (await Deno.stat(`${folder}/records/${name}`)).mtime!.getTime();
  }
  return times;
}

/** What is in a folder. */
export async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

function withoutCost({ cost: _, ...record }: ResultRecord): string {
  return JSON.stringify(record);
}
