/**
 * A run: what `run.json` says of it, and the records that it has so far.
 *
 * `run.json` is the whole configuration. Its `identity` is the part that makes two runs the same run, whose folder
 * may be gone on with; methods and seeds can be added to it, so they are no part of it.
 */

import { explain, UsageError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { fixRecord, readRecord, recordName, type ResultRecord } from "./record.ts";

/**
 * A metric as `run.json` keeps it and reports need it. Metrics and results do not know each other, so that `run.json`
 * stays what it is when metrics change; whoever writes it holds the two alike.
 */
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

/** What a paper says of two rows under one metric, for the reports to judge. */
export interface Claim {
  /** The benchmark that can answer it. */
  readonly benchmark: string;
  /** In words: what is claimed; for an ablation, the part that the second row lacks. */
  readonly claim: string;
  /** Who says so, and where: paper, section, table. */
  readonly source: string;
  /** Two rows; the first is what the claim is about. */
  readonly methods: readonly [string, string];
  /** Id of the metric. */
  readonly metric: string;
  /** The metric's convention; absent: the first that the table has. */
  readonly convention?: string;
  /**
   * What the first row is: `better` than the second in the metric's own sense, `comparable` with it, or better for
   * having a part that the second lacks (`contributes`: an ablation).
   */
  readonly direction: "better" | "comparable" | "contributes";
  /**
   * In the metric's unit. `better`: by more than this (absent: at all). `comparable`: how far apart is still comparable.
   * `contributes`: how much is as good as nothing.
   */
  readonly margin?: number;
  /**
   * The row that the compared ones must surely beat before their being alike says anything, e.g. the input: two networks
   * that have learned nothing are comparable, too.
   */
  readonly over?: string;
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
  /** What papers claim of these rows; absent in runs of before there were verdicts. */
  readonly claims?: readonly Claim[];
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
 * @throws {UsageError} where `run.json` or `plan.json` is damaged, naming the file.
 */
export async function readRun(folder: string): Promise<Run> {
  const own = async <T>(name: string, member: keyof T & string) =>
    parseOwn<T>(await Deno.readTextFile(`${folder}/${name}`), `${folder}/${name}`, member);
  const file = await own<RunFile>("run.json", "identity");
  const plan = await own<{ jobs: { record: string }[] }>("plan.json", "jobs");
  const records: ResultRecord[] = [];
  const refused: string[] = [];
  for (const { record: name } of plan.jobs) {
    const where = `${folder}/records/${name}`;
    const record = await readRecord(where, (reason) => refused.push(reason));
    if (record === undefined) continue;
    const what = whyForeign(record, name, file);
    if (what === undefined) records.push(record);
    else refused.push(explain({ what, where, fix: fixRecord }));
  }
  return { folder, file, records, refused };
}

/**
 * Reads a JSON file that a run left, which is told by one of its members.
 *
 * @throws {UsageError} where it is damaged, or another program's.
 */
export function parseOwn<T>(text: string, path: string, member: keyof T & string): T {
  const refuse = (what: string, cause?: unknown): never => {
    const fix = "restore it, or give --fresh to start the run over";
    throw new UsageError({ what, where: path, fix }, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse(`the file is not valid JSON: ${(cause as Error).message}`, cause);
  }
  const has = typeof value === "object" && value !== null && Object.hasOwn(value, member);
  return has ? value as T : refuse(`the file has no "${member}", so it is not of a run`);
}

/** Why a record is not of the job that its file is named after, or not of this run. */
function whyForeign({ method, seed, configuration }: ResultRecord, name: string, file: RunFile) {
  if (recordName(method, seed) !== name) {
    return `the record is of method "${method}", seed ${seed}, which is not what its file name says`;
  }
  if (configuration !== file.configuration) {
    const [its, ours] = [configuration, file.configuration].map((hash) => hash.slice(0, 12));
    return `the record is of another run: configuration ${its}, here it is ${ours}`;
  }
  return undefined;
}
