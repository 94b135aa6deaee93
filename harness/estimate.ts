/**
 * What a run will take, before it is begun: one job of each row is tried for a few updates and a few samples.
 *
 * Tried is the worker itself, in a folder of its own within the run's, which is removed again. What is told are hours of
 * one core of this machine while little else runs on it: a guess, within a third or so.
 */

import { UsageError } from "../core/errors.ts";
import { isOutOfMemory } from "../engine/out_of_memory.ts";
import type { ResultRecord } from "../results/record.ts";
import type { Watcher } from "./execute.ts";
import { checkpointBase, keptFolder, recordPath, writePlan } from "./folder.ts";
import type { Progress } from "./job.ts";
import type { Job, Plan } from "./plan.ts";
import type { Prepared } from "./prepare.ts";
import { runWorker } from "./workers.ts";

/** What the jobs of one row take. */
export interface RowEstimate {
  readonly method: string;
  /** Jobs to be done. */
  readonly jobs: number;
  /** Of one core, a job. */
  readonly seconds: number;
  /** Of memory, a job, at the most. */
  readonly megabytes: number;
  /** What a job leaves on the disk. */
  readonly bytesKept: number;
  /** What it keeps there while it runs, to go on from. */
  readonly bytesRunning: number;
}

// What is tried: recording an update and replaying it, and test samples, the first of which warm up for the others.
const triedUpdates = 3;
const triedSamples = 8;

// An update is timed when V8 has compiled what it runs (ENGINE.md: some 20 updates), or for so long.
const warmUpdates = 25;
const [shortestSeconds, longestSeconds] = [5, 60];

/** Estimates the jobs, row by row; `told` hears which row is being tried. */
export async function estimate(
  prepared: Prepared,
  jobs: readonly Job[],
  told: (line: string) => void,
  signal: AbortSignal,
): Promise<RowEstimate[]> {
  const folder = `${prepared.folder}/estimate`;
  const rows: RowEstimate[] = [];
  try {
    for (const [method, own] of Map.groupBy(jobs, (job) => job.method)) {
      told(`${method} is tried`);
      rows.push({ method, jobs: own.length, ...await estimateJob({ ...prepared, folder }, own[0], signal) });
    }
  } finally {
    await removed(folder);
  }
  return rows;
}

/** A batch smaller than `batch` with which a job fits the backend's memory; 0 where none does. */
async function fittingBatch(
  prepared: Prepared,
  job: Job,
  batch: number,
  signal: AbortSignal,
): Promise<number> {
  const megabytes = async (size: number) => {
    const { record } = await tried(prepared, job, [`batch=${size}`], signal);
    return record.state.kind === "failed" ? undefined : record.cost["peak-memory"];
  };
  const [one, two] = [await megabytes(1), batch > 2 ? await megabytes(2) : undefined];
  if (one === undefined) return 0;
  if (two === undefined) return 1;
  // Of wasm's memory it is known how large it is, and what a sample adds is the same for each; where that was too hopeful,
  // a fifth less is tried. Of another backend's it is not.
  const isWasm = prepared.plan.backend.name === "wasm";
  const hoped = isWasm ? Math.floor(1 + (4096 - one) / Math.max(1, two - one)) : Math.floor(batch / 2);
  let fits = Math.min(batch - 1, hoped);
  while (fits > 2 && await megabytes(fits) === undefined) fits = Math.floor((isWasm ? 0.8 : 0.5) * fits);
  return Math.max(2, fits);
}

async function estimateJob(
  prepared: Prepared,
  job: Job,
  signal: AbortSignal,
): Promise<Omit<RowEstimate, "method" | "jobs">> {
  const { configuration: { rows, settings }, plan } = prepared;
  const { trains } = rows.find(({ row }) => row.name === job.method)!.row.method;
  const { record, times, bytes } = await tried(prepared, job, [], signal);
  if (wasOutOfMemory(record)) throw await tooLarge(prepared, job, signal);
  if (record.state.kind === "failed") {
    throw new UsageError({
      what: `a job of "${job.method}" fails: ${record.state.reason}`,
      where: prepared.folder,
      fix: "mend that, or leave the row out of --methods",
    });
  }
  const test = plan.split.parts.test.length;
  const share = test / Math.min(test, triedSamples);
  const scoring = times.end - times.scoring + times.samples * (share - 1);
  const checks = trains ? Math.min(settings.updates as number, settings.checks as number) : 0;
  const checking = checks * Math.min(8, plan.split.parts.validation.length) * times.samples * share / test;
  const training = trains ? await trainingOf(prepared, job, signal) : { seconds: 0, bytes: 0 };
  return {
    seconds: times.preparing + training.seconds + checking + scoring,
    megabytes: record.cost["peak-memory"] ?? 0,
    bytesKept: bytes.record * share + bytes.reconstructions * share + bytes.others,
    bytesRunning: 2 * training.bytes,
  };
}

async function tooLarge(prepared: Prepared, job: Job, signal: AbortSignal): Promise<UsageError> {
  const { batch, patch } = prepared.configuration.settings as { batch: number; patch: number };
  const fits = batch > 1 ? await fittingBatch(prepared, job, batch, signal) : 0;
  const { name } = prepared.plan.backend;
  const memory = name === "wasm"
    ? "the 4 GB that WebAssembly can address"
    : `the memory that ${name} has here`;
  const elsewhere = name === "wasm" ? "; or --backend native" : "";
  const patches = patch > 0 ? `, patches of ${patch} x ${patch},` : "";
  return new UsageError({
    what: `"${job.method}" with batches of ${batch}${patches} does not fit ${memory}`,
    where: `--backend ${name}`,
    fix: (fits > 0
      ? `--set batch=${fits} fits`
      : "smaller patches or images (--set patch=…, --set matrix=…) or narrower networks (--set width=…)") +
      elsewhere,
  });
}

const wasOutOfMemory = ({ state }: ResultRecord) => state.kind === "failed" && isOutOfMemory(state.reason);

interface Tried {
  readonly record: ResultRecord;
  /** Seconds since the start, and those that the samples would take if the program were warm. */
  readonly times: {
    readonly preparing: number;
    readonly scoring: number;
    readonly end: number;
    readonly samples: number;
  };
  readonly bytes: { readonly record: number; readonly reconstructions: number; readonly others: number };
}

/** Does a job with few updates and test samples. */
async function tried(
  { folder, plan, run, ...rest }: Prepared,
  job: Job,
  set: readonly string[],
  signal: AbortSignal,
): Promise<Tried> {
  const { request, split } = plan;
  const trains = job.seed !== null;
  const few: Plan = {
    ...plan,
    request: {
      ...request,
      set: [...request.set, ...(trains ? [`updates=${triedUpdates}`, "checks=1"] : []), ...set],
    },
    split: { ...split, parts: { ...split.parts, test: split.parts.test.slice(0, triedSamples) } },
  };
  await removed(folder);
  await writePlan(folder, run, few, []);
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  const times: Partial<Record<Progress["phase"], number>> = {};
  const scored: { seconds: number; done: number }[] = [];
  const watcher = listener(({ phase, done }) => {
    times[phase] ??= since();
    if (phase === "scoring" && done > 0) scored.push({ seconds: since(), done });
  });
  const record = await runWorker({ folder, plan: few, run, ...rest }, job, watcher, signal);
  const end = since();
  const scoring = times.scoring ?? end;
  const samples = slopeOf(scored) ?? end - scoring;
  const sizeOf = (path: string) => Deno.stat(path).then(({ size }) => size, () => 0);
  const own = await sizeOf(recordPath(folder, job));
  const reconstructions = await bytesIn(`${folder}/${keptFolder(job)}`);
  const plans = await sizeOf(`${folder}/plan.json`) + await sizeOf(`${folder}/run.json`);
  return {
    record,
    times: { preparing: times.training ?? scoring, scoring, end, samples },
    bytes: { record: own, reconstructions, others: await bytesIn(folder) - own - reconstructions - plans },
  };
}

/** Trains as the run would, until it can be said how long that takes. */
async function trainingOf(
  { folder, plan, run, ...rest }: Prepared,
  job: Job,
  signal: AbortSignal,
): Promise<{ seconds: number; bytes: number }> {
  const real: Plan = { ...plan, checkpointSeconds: 1 };
  await removed(folder);
  await writePlan(folder, run, real, []);
  const updates = rest.configuration.settings.updates as number;
  const enough = new AbortController();
  const seen: { seconds: number; done: number }[] = [];
  const watcher = listener(({ phase, done }) => {
    if (phase === "preparing") return;
    if (phase === "training") seen.push({ seconds: performance.now() / 1000, done });
    const long = seen.length === 0 ? 0 : seen.at(-1)!.seconds - seen[0].seconds;
    const warm = done * updates >= warmUpdates && long >= shortestSeconds;
    if (warm || phase === "scoring" || (long >= longestSeconds && seen.length > 2)) enough.abort();
  });
  try {
    await runWorker(
      { folder, plan: real, run, ...rest },
      job,
      watcher,
      AbortSignal.any([signal, enough.signal]),
    );
  } catch (error) {
    if (!enough.signal.aborted || signal.aborted) throw error;
  }
  const bytes = await Deno.stat(`${checkpointBase(folder, job)}.checkpoint`).then(
    ({ size }) => size,
    () => 0,
  );
  return { seconds: slopeOf(seen) ?? 0, bytes };
}

/** Seconds that all of it takes, by the second half of what was seen, which is past the warming up. */
function slopeOf(
  seen: readonly { readonly seconds: number; readonly done: number }[],
): number | undefined {
  const [from, to] = [seen.length > 3 ? seen[Math.floor(seen.length / 2)] : seen[0], seen.at(-1)];
  if (from === undefined || to === undefined || to.done === from.done) return undefined;
  return (to.seconds - from.seconds) / (to.done - from.done);
}

/** A watcher that hears of progress alone. */
function listener(progressed: (progress: Progress) => void): Watcher {
  return {
    planned() {},
    said() {},
    started() {},
    progressed: (_job, progress) => progressed(progress),
    ended() {},
    seedDone: () => Promise.resolve(),
  };
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      bytes += isDirectory ? await bytesIn(path) : (await Deno.stat(path)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}

async function removed(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
