/**
 * Executing a plan: worker processes, one a job, as many at once as there are cores.
 *
 * A worker is `deno task job RUN INDEX`; it tells its progress in JSON lines and leaves its record. Whoever watches is
 * told through {@linkcode Watcher}; nothing here prints.
 */

import type { ResultRecord } from "../results/record.ts";
import { collectRecords, readRecord, writePlan, writeRecord } from "./folder.ts";
import { failedRecord, type Progress } from "./job.ts";
import { type Job, startOrder } from "./plan.ts";
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
  const done = new Map<string, ResultRecord>();
  for (const job of plan.jobs) {
    const record = await readRecord(folder, job, (reason) => watcher.said(`${reason}\n  it is run again`));
    if (record !== undefined && isCurrent(prepared, job, record, watcher)) done.set(job.record, record);
  }
  await writePlan(folder, run, plan);
  const waiting = startOrder(configuration, plan.jobs).filter((job) => !done.has(job.record));
  watcher.planned(plan.jobs.filter((job) => done.has(job.record)), waiting);

  const seedsDone = new Set<number>();
  const queue = [...waiting];
  const work = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      signal.throwIfAborted();
      watcher.started(job);
      const record = await runWorker(prepared, job, watcher, signal);
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
  await Promise.all(Array.from({ length: Math.max(1, Math.min(workers, waiting.length)) }, work));
  await collectRecords(folder, plan.jobs);
  const records = plan.jobs.map((job) => done.get(job.record)!);
  return { records, failed: records.filter(({ state }) => state.kind === "failed").length };
}

/** Whether a record that is there may stand: finished, of this configuration, and made with today's settings. */
function isCurrent(
  { plan, configuration }: Prepared,
  job: Job,
  record: ResultRecord,
  watcher: Watcher,
): boolean {
  const who = `${job.method}${job.seed === null ? "" : ` seed ${job.seed}`}`;
  if (record.state.kind === "failed") {
    watcher.said(`${who} failed before and is run again`);
    return false;
  }
  const { row, settings } = configuration.rows.find(({ row }) => row.name === job.method)!;
  const differing = Object.keys(settings).filter((name) =>
    name !== row.method.tune?.setting && record.settings[name] !== settings[name]
  );
  if (record.configuration === plan.configuration && differing.length === 0) return true;
  watcher.said(
    `${who} was run with other settings (${
      differing.join(", ") || "another configuration"
    }) and is run again`,
  );
  return false;
}

async function runWorker(
  { folder, plan, run }: Prepared,
  job: Job,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<ResultRecord> {
  // By name, since a launcher with few permissions may start "deno" only; the path is for where the name is unknown.
  const child = spawn("deno", folder, job) ?? spawn(Deno.execPath(), folder, job)!;
  const end = () => kill(child);
  signal.addEventListener("abort", end);
  try {
    const errors = readTail(child.stderr, 4000);
    for await (const line of lines(child.stdout)) watcher.progressed(job, JSON.parse(line) as Progress);
    const status = await child.status;
    signal.throwIfAborted();
    let broken = "";
    const record = await readRecord(folder, job, (reason) => broken = reason);
    if (status.success && record !== undefined) return record;
    const tail = (await errors).trim();
    const reason = broken || tail ||
      `the worker ended with code ${status.code}${status.signal === null ? "" : ` (${status.signal})`}`;
    const failed = failedRecord({ plan, profile: run.profile }, job, reason);
    await writeRecord(folder, job, failed);
    return failed;
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function spawn(deno: string, folder: string, job: Job): Deno.ChildProcess | undefined {
  try {
    return new Deno.Command(deno, {
      args: [
        "run",
        "--no-prompt",
        "--allow-all",
        new URL("../commands/job.ts", import.meta.url).href,
        folder,
        String(job.index),
        "--worker",
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
}

async function* lines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) if (part.startsWith("{")) yield part;
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
