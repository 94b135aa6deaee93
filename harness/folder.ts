/**
 * A run's folder: opened, gone on with, or refused.
 *
 * A folder that holds a run of the same identity is gone on with: its finished jobs stay, missing ones are added. One
 * that holds another run is refused with the settings that differ, and one that holds something else is left alone.
 */

import { UsageError, whyNot } from "../core/errors.ts";
import { readIfThere, removeLeftovers, writeWhole, writeWholeAtOnce } from "../core/files.ts";
import { canonicalJson, differences, type Json, prettyJson } from "../core/json.ts";
import { readRecord, recordLine, recordName, type ResultRecord } from "../results/record.ts";
import { parseOwn, parsePlan, type RunFile } from "../results/run.ts";
import type { Job, Plan } from "./plan.ts";

// What a run leaves in its folder, and what --fresh therefore removes.
const ownEntries = [
  "run.json",
  "plan.json",
  "records",
  "records.jsonl",
  "checkpoints",
  "locks",
  "run.lock",
  "slurm",
  "estimate",
  "images",
  "logs",
  "panels",
  "reconstructions",
  "weights",
  "table.md",
  "table.tex",
  "table-standalone.tex",
  "table.csv",
  "scores.csv",
  "results.json",
  "report.html",
  "figures",
  "statistics.csv",
  "verdicts.json",
];

/**
 * Opens a folder for a run: checks that it may be written, and returns the plan of an earlier run of it. Whoever calls
 * holds the run's lock.
 */
export async function openFolder(folder: string, run: RunFile, fresh: boolean): Promise<Plan | undefined> {
  const entries = await listed(folder);
  await removeLeftovers(...ownEntries.map((name) => `${folder}/${name}`));
  if (fresh && entries.includes("run.json")) {
    // Whoever starts over holds the run's lock already.
    for (const entry of ownEntries.filter((name) => name !== "run.lock" && entries.includes(name))) {
      await Deno.remove(`${folder}/${entry}`, { recursive: true });
    }
    return undefined;
  }
  const text = await readIfThere(`${folder}/run.json`);
  if (text === undefined) {
    const foreign = entries.filter((name) => !ownEntries.includes(name));
    if (foreign.length > 0) {
      throw new UsageError({
        what: `the folder is not empty and holds no run, but ${foreign.slice(0, 3).join(", ")}`,
        where: `--out ${folder}`,
        fix: "name a new or an empty folder",
      });
    }
    return undefined;
  }
  const there = parseOwn<RunFile>(text, `${folder}/run.json`, "identity");
  if (there.configuration !== run.configuration) {
    throw new UsageError({
      what: `the folder holds another run: ${differences(there.identity, run.identity).join("; ")}`,
      where: `--out ${folder}`,
      fix: "name another folder, set the same, or give --fresh to start over",
    });
  }
  const plan = await readIfThere(`${folder}/plan.json`);
  return plan === undefined ? undefined : parsePlan<Plan>(plan, `${folder}/plan.json`, isJob);
}

/**
 * Writes `run.json` and `plan.json`. Records of `stale` jobs are removed first, so that nobody takes them for the new
 * plan's, whenever this is interrupted.
 */
export async function writePlan(
  folder: string,
  run: RunFile,
  plan: Plan,
  stale: readonly Job[],
): Promise<void> {
  for (const job of stale) await removeRecord(folder, job);
  await writeWhole(`${folder}/run.json`, prettyJson(run as unknown as Json));
  await writeWhole(`${folder}/plan.json`, canonicalJson(plan as unknown as Json) + "\n");
}

/** Reads the plan of a folder. */
export async function readPlan(folder: string): Promise<Plan> {
  const text = await readIfThere(`${folder}/plan.json`);
  if (text === undefined) {
    throw new UsageError({
      what: "there is no plan.json",
      where: folder,
      fix:
        "name the folder of a run, e.g. runs/mri-quick; deno task bench … --plan makes one without running it",
    });
  }
  return parsePlan<Plan>(text, `${folder}/plan.json`, isJob);
}

/** A row and a seed that name files, and the record that is named after them. */
function isJob({ index, method, seed, record }: Record<string, unknown>): boolean {
  return typeof method === "string" && /^[a-z0-9][\w-]*$/i.test(method) && Number.isInteger(index) &&
    (seed === null || Number.isInteger(seed)) && record === recordName(method, seed as number | null);
}

/** Where the record of a job is, or will be. */
export function recordPath(folder: string, { record }: Job): string {
  return `${folder}/records/${record}`;
}

/** Writes the record of a job. */
export async function writeRecord(folder: string, job: Job, record: ResultRecord): Promise<void> {
  await writeWhole(recordPath(folder, job), recordLine(record));
}

/** {@linkcode writeRecord} for a process that may not go on to anything else, not even while it is written. */
export function writeRecordAtOnce(folder: string, job: Job, record: ResultRecord): void {
  writeWholeAtOnce(recordPath(folder, job), recordLine(record));
}

/** Where `--keep-images` puts the reconstructions of a job, in the run's folder. */
export function keptFolder({ method, seed }: Pick<Job, "method" | "seed">): string {
  return `reconstructions/${method}/${seed === null ? "seed-none" : `seed-${seed}`}`;
}

/** Where it puts those of one subject, without the ending. */
export function keptBase(job: Pick<Job, "method" | "seed">, subject: string): string {
  // A subject's name may come from a user's dataset: what could leave the folder is written as in an address.
  return `${keptFolder(job)}/${encodeURIComponent(subject.toWellFormed()).replace(/^\.+/, "_")}`;
}

/** Where `--keep-weights` puts the weights of a job, in the run's folder. */
export function weightsPath({ method, seed }: Pick<Job, "method" | "seed">): string {
  return `weights/${recordName(method, seed).replace(/\.json$/, "")}.safetensors`;
}

/** The lock of whoever executes the plan. */
export function runLock(folder: string): string {
  return `${folder}/run.lock`;
}

/** The lock of whoever does a job. */
export function jobLock(folder: string, { record }: Job): string {
  return `${folder}/locks/${record.replace(/\.json$/, "")}.lock`;
}

/** Where the checkpoints of a job are while it runs, without their ending. */
export function checkpointBase(folder: string, { record }: Job): string {
  return `${folder}/checkpoints/${record.replace(/\.json$/, "")}`;
}

/** Removes the record of a job, where there is one. */
export async function removeRecord(folder: string, job: Job): Promise<void> {
  try {
    await Deno.remove(recordPath(folder, job));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

// Records that are read at once: on a shared file system each takes its time, and they do not wait for each other.
const readAtOnce = 32;

/** The jobs with their records, as far as they are there, in this order; `refused` hears which job's cannot be read, and why. */
export async function* recordsOf(
  folder: string,
  jobs: readonly Job[],
  refused: (reason: string, job: Job) => void,
): AsyncGenerator<readonly (readonly [Job, ResultRecord | undefined])[]> {
  for (let at = 0; at < jobs.length; at += readAtOnce) {
    yield await Promise.all(
      jobs.slice(at, at + readAtOnce).map(async (job) =>
        [job, await readRecord(recordPath(folder, job), (reason) => refused(reason, job))] as const
      ),
    );
  }
}

/** Puts `records.jsonl` together from the records that are there, in the plan's order, a few at a time. */
export async function collectRecords(folder: string, jobs: readonly Job[]): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const some of recordsOf(folder, jobs, () => {})) {
      yield some.map(([, record]) => record === undefined ? "" : recordLine(record)).join("");
    }
  }
  await writeWhole(`${folder}/records.jsonl`, lines());
}

async function listed(folder: string): Promise<string[]> {
  try {
    await Deno.mkdir(folder, { recursive: true });
    const entries: string[] = [];
    for await (const { name } of Deno.readDir(folder)) entries.push(name);
    const probe = await Deno.makeTempFile({ dir: folder, suffix: ".tmp" });
    await Deno.remove(probe);
    return entries.filter((name) => !name.endsWith(".tmp")).sort();
  } catch (cause) {
    throw new UsageError({
      what: `the folder cannot be written: ${whyNot(cause)}`,
      where: `--out ${folder}`,
      fix: "name a folder that this user may write to",
    }, { cause });
  }
}
