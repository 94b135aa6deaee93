/**
 * A run: what `run.json` says of it, and the records that it has so far.
 *
 * `run.json` is the whole configuration. Its `identity` is the part that makes two runs the same run, whose folder
 * may be gone on with; methods and seeds can be added to it, so they are no part of it.
 */

import { explain, UsageError } from "../core/errors.ts";
import { isThere, linesOf, readIfThere } from "../core/files.ts";
import type { Json } from "../core/json.ts";
import { fixRecord, readRecord, recordName, type ResultRecord, takeRecord } from "./record.ts";

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
  /** How its samples were measured, in a few words, where that is not the benchmark's way: in tables it stands apart. */
  readonly condition?: string;
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
  /**
   * The command that makes it, with every row and seed of the folder: benchmark, profile, settings, data, split, modules,
   * backend. Paths are those of the machine that ran it. Absent in runs of before `deno task reproduce`.
   */
  readonly order?: { readonly [key: string]: Json };
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
  /**
   * Files of `records/` that no job of the plan leaves, each in words: another run's record, a copy. Tables are the same
   * with them and without.
   */
  readonly strays?: readonly string[];
  /** Where a record's pictures are, of records from other folders than {@linkcode Run.folder}. */
  readonly origins?: ReadonlyMap<ResultRecord, string>;
}

/** The folder that a record's pictures are relative to. */
export function folderOf({ folder, origins }: Run, record: ResultRecord): string {
  return origins?.get(record) ?? folder;
}

/**
 * Reads a run's folder: `run.json`, and the records that are there: those of its plan, or, where only `records.jsonl` was
 * kept (or packed as `records.jsonl.gz`), its lines, which are read one at a time. A record that cannot be read, or that
 * belongs to another job or run, is refused by name, and the others stay valid. Files that lie beside the plan's records
 * are named, too.
 *
 * @throws {UsageError} where `run.json` or `plan.json` is damaged or not there, naming the file.
 */
export async function readRun(folder: string): Promise<Run> {
  const file = await readRunFile(folder);
  const records: ResultRecord[] = [];
  const refused: string[] = [];
  const refuse = (what: string, where: string) => refused.push(explain({ what, where, fix: fixRecord }));
  const taken = new Map<string, string>();
  const only = await onlyFile(folder);
  const jobs = only === undefined ? await plannedJobs(folder) : [];
  const unread = (reason: string) => refused.push(reason);
  const found = only === undefined ? recordsIn(folder, jobs, unread) : recordsOf(only, unread);
  for await (const { record, where, name } of found) {
    const job = recordName(record.method, record.seed);
    const what = name !== undefined && name !== job
      ? `the record is of ${nameOf(record)}, which is not what its file name says`
      : whyForeign(record, file);
    const earlier = taken.get(job);
    if (what !== undefined) refuse(what, where);
    else if (earlier !== undefined) refuse(`${nameOf(record)} has a record already, ${earlier}`, where);
    else {
      taken.set(job, where);
      records.push(record);
    }
  }
  return { folder, file, records, refused, strays: await straysIn(folder, jobs) };
}

/** What lies in `records/` and is of no job of the plan, which holds every row and seed that the folder ever had. */
async function straysIn(folder: string, jobs: readonly PlannedJob[]): Promise<string[]> {
  if (!await isThere(`${folder}/records`)) return [];
  const own = new Set(jobs.map(({ record }) => record));
  const names = (await Array.fromAsync(Deno.readDir(`${folder}/records`))).map(({ name }) => name);
  // Hidden files are the system's, and what is being written has a temporary name.
  const strange = names.filter((name) =>
    !own.has(name) && !name.startsWith(".") && !/\.json\.\d+-\d+\.tmp$/.test(name)
  );
  return strange.sort().map((name) =>
    explain({
      what: "no job of the run's plan leaves a record of this name",
      where: `${folder}/records/${name}`,
      fix: "move it elsewhere; deno task report puts records of several folders into one table",
    })
  );
}

async function readRunFile(folder: string): Promise<RunFile> {
  const path = `${folder}/run.json`;
  const text = await readIfThere(path);
  if (text === undefined) {
    throw new UsageError({
      what: "there is no run.json",
      where: folder,
      fix: "name the folder of a run, e.g. runs/mri-quick",
    });
  }
  const file = parseOwn<RunFile>(text, path, "identity");
  const wrong = (Object.keys(kinds) as (keyof RunFile)[]).find((name) => !kinds[name]!(file[name]));
  if (wrong === undefined) return file;
  throw new UsageError({
    what: `its "${wrong}" is missing or of the wrong kind, so it was not written by this program`,
    where: path,
    fix: "restore it, or give --fresh to start the run over",
  });
}

type Kind = (field: unknown) => boolean;

const isText: Kind = (field) => typeof field === "string";
const isTruth: Kind = (field) => typeof field === "boolean";
const isObject = (field: unknown): field is Record<string, unknown> =>
  typeof field === "object" && field !== null && !Array.isArray(field);
const isListOf = (kind: Kind): Kind => (field) => Array.isArray(field) && field.every(kind);
/** An object that has at least these members. */
const isOf = (members: Record<string, Kind>): Kind => (field) =>
  isObject(field) && Object.entries(members).every(([name, fits]) => fits(field[name]));

/** What reports rely on in `run.json`. */
const kinds: { readonly [Name in keyof RunFile]?: Kind } = {
  benchmark: isText,
  title: isText,
  question: isText,
  profile: isText,
  identity: isObject,
  configuration: isText,
  dataset: isOf({ name: isText, kind: isText, hash: isText }),
  split: isOf({
    kind: isText,
    parts: (field) =>
      isObject(field) &&
      Object.values(field).every(isOf({ subjects: isListOf(isText), samples: Number.isInteger })),
  }),
  banners: isListOf(isText),
  notes: isListOf(isText),
  rows: isListOf(
    isOf({ name: isText, about: isText, source: isText, trains: isTruth, knows: isText, settings: isObject }),
  ),
  metrics: isListOf(
    isOf({
      id: isText,
      convention: isText,
      unit: isText,
      better: (field) => ["higher", "lower", "neither"].includes(field as string),
      about: isText,
    }),
  ),
  seeds: isListOf(Number.isInteger),
  claims: (field) =>
    field === undefined || isListOf(
      isOf({
        benchmark: isText,
        claim: isText,
        source: isText,
        methods: (pair) => isListOf(isText)(pair) && (pair as unknown[]).length === 2,
        metric: isText,
        direction: (word) => ["better", "comparable", "contributes"].includes(word as string),
        margin: (size) => size === undefined || Number.isFinite(size),
      }),
    )(field),
  order: (field) => field === undefined || isObject(field),
  provenance: isObject,
};

interface Found {
  readonly record: ResultRecord;
  /** The file, and the line where there are several. */
  readonly where: string;
  /** What the file is named, where that says which job it is of. */
  readonly name?: string;
}

/** The file of a folder that kept its records in one, plain or packed. */
async function onlyFile(folder: string): Promise<string | undefined> {
  if (await isThere(`${folder}/records`)) return undefined;
  for (const path of [`${folder}/records.jsonl`, `${folder}/records.jsonl.gz`]) {
    if (await isThere(path)) return path;
  }
}

async function* recordsIn(
  folder: string,
  jobs: readonly PlannedJob[],
  refused: (reason: string) => void,
): AsyncGenerator<Found> {
  for (const { record: name } of jobs) {
    const where = `${folder}/records/${name}`;
    const record = await readRecord(where, refused);
    if (record !== undefined) yield { record, where, name };
  }
}

interface PlannedJob {
  readonly record: string;
}

async function plannedJobs(folder: string): Promise<readonly PlannedJob[]> {
  const path = `${folder}/plan.json`;
  const text = await readIfThere(path);
  if (text !== undefined) return parsePlan(text, path).jobs;
  throw new UsageError({
    what: "there is neither a plan.json nor a records.jsonl (or records.jsonl.gz) without one",
    where: folder,
    fix: "restore one of them beside run.json, or give --fresh to start the run over",
  });
}

/** The records of one file; what comes before a place where a packed file is damaged stays valid. */
async function* recordsOf(path: string, refused: (reason: string) => void): AsyncGenerator<Found> {
  try {
    for await (const { text, where } of linesOf(path)) {
      const record = takeRecord(text, where, refused);
      if (record !== undefined) yield { record, where };
    }
  } catch (cause) {
    // What a damaged gzip stream ends in.
    if (!path.endsWith(".gz") || !(cause instanceof TypeError)) throw cause;
    const what = `the packed file is damaged: ${cause.message}`;
    refused(explain({ what, where: path, fix: "copy it once more from where it came" }));
  }
}

/** A record's job in words. */
export function nameOf({ method, seed }: ResultRecord): string {
  return `method "${method}"` + (seed === null ? "" : `, seed ${seed}`);
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

/**
 * Reads `plan.json`: a list of jobs, each with the name of its record, which is a file of `records/` and no path.
 *
 * @throws {UsageError} where it is damaged, or another program's.
 */
export function parsePlan<T extends { readonly jobs: readonly unknown[] } = { jobs: { record: string }[] }>(
  text: string,
  path: string,
  isJob: (job: Record<string, unknown>) => boolean = () => true,
): T {
  const plan = parseOwn<T>(text, path, "jobs");
  const isNamed: Kind = (job) =>
    isObject(job) && isText(job.record) && /^[^./\\][^/\\]*\.json$/.test(job.record as string) && isJob(job);
  if (isListOf(isNamed)(plan.jobs)) return plan;
  throw new UsageError({
    what: 'its "jobs" are no list of jobs, so it was not written by this program',
    where: path,
    fix: "restore it, or give --fresh to start the run over",
  });
}

/** Why a record is not of this run. */
function whyForeign({ configuration }: ResultRecord, file: RunFile): string | undefined {
  if (configuration === file.configuration) return undefined;
  const [its, ours] = [configuration, file.configuration].map((hash) => hash.slice(0, 12));
  return `the record is of another run: configuration ${its}, here it is ${ours}`;
}
