/**
 * A baseline: the scores that `deno task check` holds a program against, in one file that is small enough to be committed.
 *
 * It keeps what a judgement needs and nothing else: of every job how it ended, the hash of its weights, and its score of
 * every test sample under the guarded metric. What is checked now has the same form, so that the two are compared
 * like with like.
 */

import { UsageError } from "../core/errors.ts";
import { canonicalJson, differences, type Json } from "../core/json.ts";
import type { ResultRecord, ScoreRow, State } from "./record.ts";
import type { MetricHead, Run, RunFile } from "./run.ts";
import { isOf } from "./summary.ts";

/** Version of the file's form. */
export const baselineVersion = 1;

/** What `deno task check` keeps. */
export interface Baseline {
  readonly version: number;
  /** One of each benchmark, by name. */
  readonly checks: readonly Checked[];
}

/** What one benchmark's rows scored. */
export interface Checked {
  readonly benchmark: string;
  readonly metric: MetricHead;
  /** The run's, without what may differ between machines and versions. */
  readonly identity: RunFile["identity"];
  /** Commit, versions, arithmetic class and processor. */
  readonly provenance: RunFile["provenance"];
  /** The test samples, subject and id, in the order of every list of scores. */
  readonly samples: readonly (readonly [subject: string, sample: string])[];
  readonly rows: readonly CheckedRow[];
}

/** A row of the table. */
export interface CheckedRow {
  readonly name: string;
  /** A loss that is to be found, in the metric's unit. */
  readonly margin: number;
  readonly settings: { readonly [name: string]: Json };
  readonly jobs: readonly CheckedJob[];
}

/** What is kept of a record. */
export interface CheckedJob {
  /** Null where the row has none. */
  readonly seed: number | null;
  readonly state: State;
  /** SHA-256 of the weights; null where there are none. */
  readonly weights: string | null;
  /** In the order of {@linkcode Checked.samples}. */
  readonly scores: readonly ScoreRow["value"][];
}

/** What a check needs of a finished run, under one of its metrics; `marginOf` says which loss of a row is to be found. */
export function checkedOf(
  { file, records }: Run,
  metric: MetricHead,
  marginOf: (row: string) => number,
): Checked {
  const scoresOf = ({ scores }: ResultRecord) =>
    scores.filter((score) => isOf(score, metric) && score.subject !== "");
  const keyOf = ({ subject, sample }: ScoreRow) => JSON.stringify([subject, sample]);
  const keys = [...new Set(records.flatMap(scoresOf).map(keyOf))].sort();
  // What may change without the question changing: code of a user's module, and the machine.
  const { use: _use, backend: _backend, arithmetic: _arithmetic, ...identity } = file.identity;
  return {
    benchmark: file.benchmark,
    metric,
    identity,
    provenance: file.provenance,
    samples: keys.map((key) => JSON.parse(key)),
    rows: file.rows.map(({ name, settings }) => ({
      name,
      margin: marginOf(name),
      settings,
      jobs: records.filter(({ method }) => method === name).map((record) => {
        const values = new Map(scoresOf(record).map((score) => [keyOf(score), score.value]));
        const { seed, state, weights } = record;
        return { seed, state, weights, scores: keys.map((key) => values.get(key) ?? null) };
      }),
    })),
  };
}

/** The baseline with these checks in the place of earlier ones of the same benchmarks, in the order of names. */
export function updated(baseline: Baseline | undefined, checks: readonly Checked[]): Baseline {
  const all = new Map([...baseline?.checks ?? [], ...checks].map((check) => [check.benchmark, check]));
  return {
    version: baselineVersion,
    checks: [...all.values()].sort((a, b) => (a.benchmark < b.benchmark ? -1 : 1)),
  };
}

/** How the question that `after` answers differs from the baseline's: data, split, settings, metric; empty where it does not. */
export function questionDifferences(before: Checked, after: Checked): string[] {
  const asked = ({ identity, metric: { id, convention, better } }: Checked) =>
    ({ ...identity, metric: { id, convention, better } }) satisfies Json;
  return differences(asked(before), asked(after));
}

/** A baseline as text: a line a job, so that what changed can be seen in a diff. */
export function baselineText({ version, checks }: Baseline): string {
  const list = (items: readonly string[], indent: string) =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => indent + "  " + item).join(",\n")}\n${indent}]`;
  const object = (members: Record<string, string>, indent: string) =>
    `{\n${
      Object.entries(members).map(([key, text]) => `${indent}  ${JSON.stringify(key)}: ${text}`).join(",\n")
    }\n${indent}}`;
  const line = (value: unknown) => canonicalJson(value as Json);
  const rowText = ({ name, margin, settings, jobs }: CheckedRow) =>
    object(
      {
        name: line(name),
        margin: line(margin),
        settings: line(settings),
        jobs: list(jobs.map(line), "          "),
      },
      "        ",
    );
  const checkText = ({ rows, ...head }: Checked) =>
    object({
      ...Object.fromEntries(Object.entries(head).map(([key, value]) => [key, line(value)])),
      rows: list(rows.map(rowText), "      "),
    }, "    ");
  return object({ version: line(version), checks: list(checks.map(checkText), "  ") }, "") + "\n";
}

/**
 * Reads a baseline from its text.
 *
 * @throws {UsageError} where it is none, or one of another version; `where` names the file.
 */
export function parseBaseline(text: string, where: string): Baseline {
  const refuse = (what: string, cause?: unknown): never => {
    const fix = "restore it, or make it anew with --update";
    throw new UsageError({ what: `cannot read a baseline: ${what}`, where, fix }, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse((cause as Error).message, cause);
  }
  if (!isObject(value) || !Array.isArray(value.checks)) return refuse('it has no list "checks"');
  if (value.version !== baselineVersion) {
    return refuse(`its version is ${JSON.stringify(value.version)}, this program reads ${baselineVersion}`);
  }
  for (const check of value.checks) {
    const wrong = whyNoCheck(check);
    if (wrong !== undefined) refuse(wrong);
  }
  return value as unknown as Baseline;
}

function whyNoCheck(check: unknown): string | undefined {
  if (!isObject(check) || typeof check.benchmark !== "string") return "one of its checks has no benchmark";
  const { benchmark, metric, identity, samples, rows } = check;
  const fits = isObject(metric) && isObject(identity) && Array.isArray(samples) && Array.isArray(rows);
  if (!fits) return `its check of ${benchmark} lacks a metric, an identity, samples or rows`;
  const isJob = (job: unknown) =>
    isObject(job) && (job.seed === null || Number.isInteger(job.seed)) && isObject(job.state) &&
    Array.isArray(job.scores) && job.scores.length === samples.length && job.scores.every(isValue);
  const strange = rows.find((row) =>
    !isObject(row) || typeof row.name !== "string" || !(Number(row.margin) > 0) || !isObject(row.settings) ||
    !Array.isArray(row.jobs) ||
    !row.jobs.every(isJob)
  );
  return strange === undefined
    ? undefined
    : `the row ${
      JSON.stringify(strange?.name)
    } of ${benchmark} has no margin, or jobs without a score for every sample`;
}

function isValue(value: unknown): boolean {
  return value === null || value === "Inf" || value === "-Inf" || Number.isFinite(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
