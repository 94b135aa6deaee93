/**
 * Executing a plan: worker processes, one a job, as many at once as there are cores.
 *
 * A worker is `deno task job RUN INDEX`; it tells its progress in JSON lines and leaves its record. Whoever watches is
 * told through {@linkcode Watcher}; nothing here prints.
 */

import { StorageError } from "../core/errors.ts";
import { readRecord, type ResultRecord } from "../results/record.ts";
import {
  collectRecords,
  keptFolder,
  recordPath,
  removeRecord,
  weightsPath,
  writePlan,
  writeRecord,
} from "./folder.ts";
import { failedRecord, type Message, phases, type Progress } from "./job.ts";
import { workerPermissions } from "./permissions.ts";
import { type Job, type Plan, startOrder } from "./plan.ts";
import type { Prepared } from "./prepare.ts";

/** Who is told how a run goes. */
export interface Watcher {
  /** Jobs that are finished already, and those to be done, in the order in which they start. */
  planned(finished: readonly Job[], waiting: readonly Job[]): void;
  /** Something that is worth a line. */
  said(line: string): void;
  started(job: Job): void;
  progressed(job: Job, progress: Progress): void;
  ended(job: Job, record: ResultRecord): void;
  /** All jobs of one seed are there. */
  seedDone(seed: number): Promise<void>;
}

/** How a run ended. */
export interface Outcome {
  readonly records: readonly ResultRecord[];
  readonly failed: number;
}

/** Runs the jobs that are not done yet, `workers` at a time. Aborting the signal ends the workers and rejects. */
export async function execute(
  prepared: Prepared,
  workers: number,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Outcome> {
  const { folder, configuration, run, plan } = prepared;
  await writePlan(folder, run, plan, prepared.stale);
  const done = new Map<string, ResultRecord>();
  for (const job of plan.jobs) {
    const record = await readRecord(
      recordPath(folder, job),
      (reason) => watcher.said(`${reason}\n  it is run again`),
    );
    if (record !== undefined && await isCurrent(prepared, job, record, watcher)) done.set(job.record, record);
  }
  const waiting = startOrder(configuration, plan.jobs).filter((job) => !done.has(job.record));
  watcher.planned(plan.jobs.filter((job) => done.has(job.record)), waiting);

  const seedsDone = new Set<number>();
  const queue = [...waiting];
  // Where one of them cannot go on, the others are not left to themselves.
  const broken = new AbortController();
  const ended = AbortSignal.any([signal, broken.signal]);
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      ended.throwIfAborted();
      watcher.started(job);
      const record = await runWorker(prepared, job, watcher, ended);
      await assertThere(folder);
      done.set(job.record, record);
      watcher.ended(job, record);
      for (const seed of run.seeds) {
        const complete = plan.jobs.every((other) =>
          (other.seed !== seed && other.seed !== null) || done.has(other.record)
        );
        if (!complete || seedsDone.has(seed)) continue;
        seedsDone.add(seed);
        await collectRecords(folder, plan.jobs);
        await watcher.seedDone(seed);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, Math.min(workers, waiting.length)) }, work));
  } catch (error) {
    broken.abort(error);
    throw error;
  }
  await collectRecords(folder, plan.jobs);
  const records = plan.jobs.map((job) => done.get(job.record)!);
  return { records, failed: records.filter(({ state }) => state.kind === "failed").length };
}

/** Whether a record that is there may stand: finished, of this configuration, and with all that is asked for. */
async function isCurrent(
  { folder, plan, run, configuration }: Prepared,
  job: Job,
  record: ResultRecord,
  watcher: Watcher,
): Promise<boolean> {
  const again = (why: string) => {
    watcher.said(`${job.method}${job.seed === null ? "" : ` seed ${job.seed}`} ${why} and is run again`);
    return false;
  };
  if (record.method !== job.method || record.seed !== job.seed) return again("has the record of another job");
  if (record.state.kind === "failed") return again("failed before");
  if (record.provenance.code !== run.provenance.code) return again("was run by other code");
  const { row, settings, given } = configuration.rows.find(({ row }) => row.name === job.method)!;
  const tuned = row.method.tune?.setting ?? "";
  const differing = Object.keys(settings).filter((name) =>
    (name !== tuned || given.includes(tuned)) && record.settings[name] !== settings[name]
  );
  if (differing.length > 0 || record.configuration !== plan.configuration) {
    return again(`was run with other settings (${differing.join(", ") || "another configuration"})`);
  }
  const lacksImages = plan.keepImages && record.state.kind === "done" &&
    !await isThere(`${folder}/${keptFolder(job)}`);
  const lacksWeights = plan.keepWeights && record.state.kind === "done" &&
    !await isThere(`${folder}/${weightsPath(job)}`);
  if (lacksWeights) return again("was run without --keep-weights");
  return lacksImages ? again("was run without --keep-images") : true;
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** Runs a job in a worker; one that is killed or hangs gets a second worker, which goes on from its checkpoint. */
async function runWorker(
  prepared: Prepared,
  job: Job,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<ResultRecord> {
  const { folder, plan, run } = prepared;
  const first = await tryWorker(prepared, job, watcher, signal);
  if ("version" in first) return first;
  await assertThere(folder);
  let { reason } = first;
  if (first.again) {
    watcher.said(
      `${job.method}${job.seed === null ? "" : ` seed ${job.seed}`}: ${reason}; it is tried once more`,
    );
    const second = await tryWorker(prepared, job, watcher, signal);
    if ("version" in second) return second;
    reason = `twice: ${second.reason}`;
  }
  const failed = failedRecord({ plan, profile: run.profile }, job, reason);
  await writeRecord(folder, job, failed);
  return failed;
}

/** A folder that was removed, or whose disk was, is not made anew with half a run in it. */
async function assertThere(folder: string): Promise<void> {
  const path = `${folder}/run.json`;
  await Deno.stat(path).catch((cause) => {
    throw new StorageError(path, cause);
  });
}

/** Why a worker left no record, and whether another one may. */
interface Lost {
  readonly reason: string;
  readonly again: boolean;
}

async function tryWorker(
  { folder, plan }: Prepared,
  job: Job,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<ResultRecord | Lost> {
  // What is read afterwards is then of this worker.
  await removeRecord(folder, job);
  const child = spawn(folder, plan, job);
  const end = () => kill(child, "SIGTERM");
  signal.addEventListener("abort", end);
  const patience = plan.hangSeconds ?? hangSeconds;
  let hung = false;
  const giveUp = () => {
    hung = true;
    kill(child, "SIGKILL");
  };
  let timer = setTimeout(giveUp, 1000 * patience);
  try {
    const errors = readTail(child.stderr, 4000);
    let saidLines = 0;
    for await (const message of messages(child.stdout)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, 1000 * patience);
      if ("phase" in message) watcher.progressed(job, message);
      else if (++saidLines <= mostSaid) watcher.said(`${job.method} says: ${message.said}`);
      else if (saidLines === mostSaid + 1) watcher.said(`${job.method} says more, which is left out`);
    }
    const status = await child.status;
    signal.throwIfAborted();
    let broken = "";
    const record = await readRecord(recordPath(folder, job), (reason) => broken = reason);
    if (record !== undefined) return record;
    const tail = (await errors).trim();
    const how = hung
      ? `the worker did nothing for ${patience} seconds and was ended`
      : `the worker ended with code ${status.code}${status.signal === null ? "" : ` (${status.signal})`}`;
    const killed = hung || status.signal !== null;
    return { reason: broken || (killed && tail ? `${how}: ${tail}` : tail || how), again: killed };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

// What a worker may take between two signs of life unless said: an update of the paper's size takes half a minute.
const hangSeconds = 1800;

// Lines that a user's module may print in one job; a print inside a method would be thousands.
const mostSaid = 20;

function spawn(folder: string, plan: Plan, job: Job): Deno.ChildProcess {
  const program = new URL("../commands/job.ts", import.meta.url).href;
  const options: Deno.CommandOptions = {
    // Optimising for size keeps a worker some 50 MB smaller and, measured, no slower: its time is in WebAssembly.
    args: [
      "run",
      "--v8-flags=--optimize-for-size",
      "--no-prompt",
      "--no-remote",
      ...workerPermissions(folder, plan),
      program,
      folder,
      String(job.index),
      "--worker",
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  };
  try {
    return new Deno.Command(Deno.execPath(), options).spawn();
  } catch {
    // A launcher with few permissions may start "deno" by its name only. It is second, since that may be npm's script
    // of this name, which does not hand on the signal that ends a worker.
    return new Deno.Command("deno", options).spawn();
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** What a worker tells. Its user's module may write to stdout too: what is no message is left out. */
async function* messages(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  let rest = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const message = messageOf(part);
      if (message !== undefined) yield message;
    }
  }
}

function messageOf(line: string): Message | undefined {
  try {
    const { phase, done, said } = JSON.parse(line);
    if (phases.includes(phase) && typeof done === "number") return { phase, done };
    return typeof said === "string" ? { said } : undefined;
  } catch {
    return undefined;
  }
}

async function readTail(bytes: ReadableStream<Uint8Array>, limit: number): Promise<string> {
  let tail = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    tail = (tail + text).slice(-limit);
  }
  return tail;
}
