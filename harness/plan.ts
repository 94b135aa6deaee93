/**
 * The plan of a run, as a file: `plan.json` lists the jobs, and all that one needs to be done anywhere.
 *
 * A job is a pure function of (run folder, index): it leaves one record, named after its row and seed. The jobs stand
 * in the table's order, whatever order they are run in.
 */

import type { Contents, OpenOptions } from "../datasets/dataset.ts";
import { recordName } from "../results/record.ts";
import type { Sources } from "./code.ts";
import type { Configuration, Request } from "./configuration.ts";
import type { Split } from "./split.ts";

/** One row with one seed; a row without randomness has the seed null. */
export interface Job {
  readonly index: number;
  readonly method: string;
  readonly seed: number | null;
  /** File name of its record in `records/`. */
  readonly record: string;
  /** SHA-256 of the user's module that the row comes from. */
  readonly module?: string;
}

/** Where the samples come from. */
export interface DataSource {
  /** Files and folders; none for the embedded data. */
  readonly paths: readonly string[];
  /** Files that settings name. */
  readonly beside?: readonly string[];
  readonly options: Omit<OpenOptions, "settings">;
  /** Names the randomness of the data, the split and the task: `--data-seed`. */
  readonly stream: string;
  /** What was found when the data were first opened. */
  readonly contents: Contents;
}

/** What `plan.json` holds. */
export interface Plan {
  readonly version: 1;
  /** Hash of the configuration; stands in every record. */
  readonly configuration: string;
  readonly request: Request;
  readonly jobs: readonly Job[];
  readonly data: DataSource;
  readonly split: Split;
  /** User modules with further methods, datasets or benchmarks. */
  readonly use: readonly string[];
  readonly backend: {
    readonly name: string;
    readonly portable: boolean;
    readonly replay: boolean;
    readonly arithmetic: string;
  };
  /** The sources of all rows when this was planned: to say later which of them changed. */
  readonly code?: Sources;
  readonly keepImages: boolean;
  /** Whether each job leaves its weights, for use. */
  readonly keepWeights?: boolean;
  /** Seconds between two checkpoints of a job, where they were given. */
  readonly checkpointSeconds?: number;
  /** Seconds after which a worker that gives no sign of life is ended, where they were given. */
  readonly hangSeconds?: number;
}

/** The jobs of a configuration, in the table's order, seeds ascending. */
export function jobsOf({ rows, chosen, seeds }: Configuration): Job[] {
  const jobs = rows
    .filter(({ row }) => chosen.includes(row.name))
    .flatMap(({ row }) =>
      (row.method.trains ? seeds : [null]).map((seed) => ({
        method: row.name,
        seed,
        record: recordName(row.name, seed),
      }))
    );
  return jobs.map((job, index) => ({ index, ...job }));
}

/**
 * The order in which to start jobs: what completes the first seed's table first, and within a seed the longest
 * first, so that no long job is left over at the end.
 */
export function startOrder(configuration: Configuration, jobs: readonly Job[]): Job[] {
  const efforts = new Map(configuration.rows.map(({ row }) => [row.name, row.method.effort]));
  const rounds = new Map<number | null, number>(configuration.seeds.map((seed, round) => [seed, round]));
  const effort = ({ method }: Job) => efforts.get(method)!;
  // Seeds of an earlier run that are not asked for now come before those that are.
  const round = ({ seed }: Job) => seed === null ? 0 : rounds.get(seed) ?? -1;
  return [...jobs].sort((a, b) => round(a) - round(b) || effort(b) - effort(a) || a.index - b.index);
}

/** A job in words. */
export function nameOfJob({ method, seed }: Pick<Job, "method" | "seed">): string {
  return seed === null ? method : `${method} seed ${seed}`;
}
