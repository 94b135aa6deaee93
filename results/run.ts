/**
 * A run: what `run.json` says of it, and the records that it has so far.
 *
 * `run.json` is the whole configuration. Its `identity` is the part that makes two runs the same run, whose folder
 * may be gone on with; methods and seeds can be added to it, so they are no part of it.
 */

import { explain } from "../core/errors.ts";
import { readIfThere } from "../core/files.ts";
import type { Json } from "../core/json.ts";
import { parseRecord, recordName, type ResultRecord } from "./record.ts";

/** A metric as reports need it. */
export interface MetricHead {
  readonly id: string;
  readonly convention: string;
  readonly unit: string;
  readonly better: "higher" | "lower" | "neither";
  readonly about: string;
}

/** A row of the table. */
export interface RowHead {
  /** Its name, as in records. */
  readonly name: string;
  readonly about: string;
  readonly source: string;
  /** Whether it has seeds. */
  readonly trains: boolean;
  /** What it was allowed to know, in words. */
  readonly knows: string;
  /** Its settings; a tuned one's value is in the records. */
  readonly settings: { readonly [name: string]: Json };
}

/** Which subjects play which part. */
export interface SplitSummary {
  /** `subjects`, `slabs`, `shuffled`, or the file. */
  readonly kind: string;
  /** By part: subject ids and how many samples they have. */
  readonly parts: Readonly<
    Record<string, { readonly subjects: readonly string[]; readonly samples: number }>
  >;
}

/** What `run.json` holds. */
export interface RunFile {
  readonly version: number;
  readonly benchmark: string;
  readonly title: string;
  readonly question: string;
  readonly profile: string;
  /** What makes it this run: benchmark, profile, data, split, settings, backend, arithmetic. */
  readonly identity: { readonly [key: string]: Json };
  /** SHA-256 of `identity`. */
  readonly configuration: string;
  readonly dataset: { readonly name: string; readonly kind: string; readonly hash: string };
  readonly split: SplitSummary;
  /** What every table must say: simulated k-space, slabs, … */
  readonly banners: readonly string[];
  /** What the table's text says: counts, what was left out, why controls are there. */
  readonly notes: readonly string[];
  /** Rows in the table's order. */
  readonly rows: readonly RowHead[];
  /** Metrics in the table's order; a metric's first row is the benchmark's own convention. */
  readonly metrics: readonly MetricHead[];
  readonly seeds: readonly number[];
  /** Commit, versions, backend, arithmetic class, processor. */
  readonly provenance: { readonly [key: string]: Json };
}

/** A run's folder as reports see it. */
export interface Run {
  readonly folder: string;
  readonly file: RunFile;
  /** In the plan's order. */
  readonly records: readonly ResultRecord[];
  /** Records that could not be taken, each in words with its file; the others stay valid. */
  readonly refused?: readonly string[];
}

/**
 * Reads a run's folder: `run.json`, and the records of its plan that are there. A record that cannot be read, or that
 * belongs to another job or run, is refused by name, and the others stay valid.
 *
 * @throws {SyntaxError} where `run.json` or `plan.json` cannot be read, naming the file.
 */
export async function readRun(folder: string): Promise<Run> {
  const file = await readJson<RunFile>(`${folder}/run.json`);
  const plan = await readJson<{ jobs: { record: string }[] }>(`${folder}/plan.json`);
  const records: ResultRecord[] = [];
  const refused: string[] = [];
  for (const { record: name } of plan.jobs) {
    const path = `${folder}/records/${name}`;
    const text = await readIfThere(path);
    if (text === undefined) continue;
    try {
      const record = parseRecord(text, path);
      assertBelongs(record, name, file, path);
      records.push(record);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      refused.push(error.message);
    }
  }
  return { folder, file, records, refused };
}

function assertBelongs(record: ResultRecord, name: string, file: RunFile, where: string): void {
  const { method, seed, configuration } = record;
  const fix = "delete it and run the benchmark again; the other records stay valid";
  if (recordName(method, seed) !== name) {
    const what = `the record is of method "${method}", seed ${seed}, which is not what its file name says`;
    throw new SyntaxError(explain({ what, where, fix }));
  }
  if (configuration !== file.configuration) {
    const what = `the record is of another run: configuration ${configuration.slice(0, 12)}, here it is ${
      file.configuration.slice(0, 12)
    }`;
    throw new SyntaxError(explain({ what, where, fix }));
  }
}

async function readJson<T>(path: string): Promise<T> {
  const text = await Deno.readTextFile(path);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    const what = `not valid JSON: ${(cause as Error).message}`;
    const fix = "restore the file, or start the run over with --fresh";
    throw new SyntaxError(explain({ what, where: path, fix }), { cause });
  }
}
