/**
 * Executing a plan: what is finished stays, the rest goes to an executor, and what comes of it is put together.
 *
 * An executor is where jobs run: worker processes here (`workers.ts`), or a cluster's queue (`slurm.ts`). Whoever
 * watches is told through {@linkcode Watcher}; nothing here prints.
 */

import { StorageError } from "../core/errors.ts";
import type { ResultRecord } from "../results/record.ts";
import { codesOf, finishedRecords } from "./finished.ts";
import { collectRecords, removeRecord, writePlan } from "./folder.ts";
import type { Progress } from "./job.ts";
import { type Job, nameOfJob, startOrder } from "./plan.ts";
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
  /** All jobs of one seed are there; of many seeds not each is told of. */
  seedDone(seed: number): Promise<void>;
}

/** Does the jobs, in about this order, and hands over the record of each; rejects where it cannot go on, or is aborted. */
export type Executor = (
  prepared: Prepared,
  waiting: readonly Job[],
  during: {
    readonly watcher: Watcher;
    ended(job: Job, record: ResultRecord): Promise<void>;
    readonly signal: AbortSignal;
  },
) => Promise<void>;

/** Who does the jobs was told elsewhere to leave them. Worded; nothing failed, and the same command goes on. */
export class Cancelled extends Error {
  /** Tells it apart in a stack trace. */
  override readonly name = "Cancelled";
}

/** How a run ended. */
export interface Outcome {
  readonly records: readonly ResultRecord[];
  readonly failed: number;
}

// Ten thousand seeds would have ten thousand tables made: each is of so much more records than the one before.
const growth = 1.05;

/** Runs the jobs that are not done yet. Aborting the signal makes the executor leave them, and rejects. */
export async function execute(
  prepared: Prepared,
  executor: Executor,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Outcome> {
  const { folder, configuration, run, plan } = prepared;
  await writePlan(folder, run, plan, prepared.stale);
  const { done, refused } = await finishedRecords(prepared, (reason) => watcher.said(reason));
  // Whatever record comes next is then a new one.
  for (const job of refused) await removeRecord(folder, job);
  const waiting = startOrder(configuration, plan.jobs).filter((job) => !done.has(job.record));
  watcher.planned(plan.jobs.filter((job) => done.has(job.record)), waiting);

  const seeds = new Seeds(run.seeds, waiting);
  const codes = codesOf(prepared);
  let told = 0;
  // Where one of them cannot go on, the others are not left to themselves.
  const broken = new AbortController();
  const ended = async (job: Job, record: ResultRecord) => {
    done.set(job.record, record);
    watcher.ended(job, record);
    // Whoever edits a source meanwhile has rows of different code in one table.
    if (record.state.kind !== "failed" && record.provenance.code !== codes(job.method).hash) {
      watcher.said(
        `${
          nameOfJob(job)
        } was run by other code than was planned; the same command runs again what is not of its code`,
      );
    }
    for (const seed of seeds.completedBy(job)) {
      if (done.size < growth * told) continue;
      told = done.size;
      await collectRecords(folder, plan.jobs);
      await watcher.seedDone(seed);
    }
  };
  try {
    await executor(prepared, waiting, { watcher, ended, signal: AbortSignal.any([signal, broken.signal]) });
  } catch (error) {
    broken.abort(error);
    throw error;
  }
  await collectRecords(folder, plan.jobs);
  const records = plan.jobs.map((job) => done.get(job.record)!);
  return { records, failed: records.filter(({ state }) => state.kind === "failed").length };
}

/** Which seeds still lack jobs; those without randomness belong to each. */
class Seeds {
  readonly #left: Map<number | null, number>;

  constructor(seeds: readonly number[], waiting: readonly Job[]) {
    this.#left = new Map([...seeds, null].map((seed) => [seed, 0]));
    for (const { seed } of waiting) this.#left.set(seed, this.#left.get(seed)! + 1);
    // Of what was finished before nothing is told.
    for (const seed of seeds) {
      if (this.#left.get(seed) === 0 && this.#left.get(null) === 0) this.#left.delete(seed);
    }
  }

  /** The seeds that this job was the last to be done of, each once. */
  completedBy({ seed }: Job): number[] {
    this.#left.set(seed, this.#left.get(seed)! - 1);
    if (this.#left.get(null)! > 0) return [];
    const candidates = seed === null ? [...this.#left.keys()] : [seed];
    const complete = candidates.filter((seed) => seed !== null && this.#left.get(seed) === 0) as number[];
    for (const seed of complete) this.#left.delete(seed);
    return complete;
  }
}

/** A folder that was removed, or whose disk was, is not made anew with half a run in it. */
export async function assertThere(folder: string): Promise<void> {
  const path = `${folder}/run.json`;
  await Deno.stat(path).catch((cause) => {
    throw new StorageError(path, cause);
  });
}
