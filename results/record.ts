/**
 * The record of one job: what one method with one seed did.
 *
 * A record is written once, when its job ends, as one JSON file; it holds every score of every sample, so that any
 * summary can be made later. Costs stand apart under `cost`: they alone differ between two identical runs.
 */

import { explain } from "../core/errors.ts";
import { readIfThere } from "../core/files.ts";
import { canonicalJson, type Json } from "../core/json.ts";

/** Version of the record's form. */
export const recordVersion = 1;

/** A score as records keep it: JSON has no infinity, so that is a word; null is none, with a reason. */
export interface ScoreRow {
  readonly metric: string;
  readonly convention: string;
  /** Empty for a score of the whole run, e.g. the certificate on validation data. */
  readonly subject: string;
  /** Empty for a score of the whole subject. */
  readonly sample: string;
  readonly value: number | "Inf" | "-Inf" | null;
  /** Why there is no value. */
  readonly reason?: string;
}

/** How a job ended. A run that diverged is a result; a job that failed is told with its reason. */
export type State =
  | { readonly kind: "done" }
  | { readonly kind: "diverged"; readonly update: number; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** One point of the course of a training run. */
export interface LogEntry {
  /** Generator updates done. */
  readonly update: number;
  /** Mean losses since the last point, and quantities followed on validation data. */
  readonly values: Readonly<Record<string, number>>;
}

/** A picture that the job left in the run's folder, for reports. */
export interface Picture {
  /**
   * `"truth"`, `"input"` or `"reconstruction"`; `"learned"` for what a method learned besides, whose `subject` is empty
   * and whose `sample` is its name.
   */
  readonly name: string;
  readonly subject: string;
  readonly sample: string;
  /** The values to be shown from black to white; the range of the truth where it is absent. */
  readonly window?: { readonly low: number; readonly high: number };
  /** Of a volume of so many slices it is the greatest value along its depth; absent of an image. */
  readonly slices?: number;
  /** Relative to the run's folder: little-endian float32 values, row-major. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

/** A curve of one test sample that reports draw, e.g. its Fourier ring correlation with the truth by frequency. */
export interface Curve {
  /** What it is, e.g. `frc`; curves of one name are drawn together. */
  readonly name: string;
  readonly subject: string;
  readonly sample: string;
  /** What the axes are, with their units. */
  readonly axes: { readonly x: string; readonly y: string };
  /** Ascending. */
  readonly x: readonly number[];
  /** As many. */
  readonly y: readonly number[];
  /** What it is held against at each x, e.g. the threshold `1/7`. */
  readonly limit?: { readonly label: string; readonly y: readonly number[] };
}

/** What a job cost. */
export interface Cost {
  readonly "train-seconds"?: number;
  readonly "updates-per-second"?: number;
  /** Milliseconds a reconstruction of one sample, warm-up excluded. */
  readonly "inference-ms"?: number;
  /** Megabytes resident at the most. */
  readonly "peak-memory"?: number;
  /** Training steps and reconstructions that were recorded: once for each shape and operator, and now and then to look. */
  readonly "steps-recorded"?: number;
  /** Those that were replayed. */
  readonly "steps-replayed"?: number;
}

/** What one job left. */
export interface ResultRecord {
  readonly version: number;
  readonly benchmark: string;
  readonly profile: string;
  /** Hash of the run's configuration that the job belongs to. */
  readonly configuration: string;
  /** The row of the table. */
  readonly method: string;
  /** Null where a method has no randomness. */
  readonly seed: number | null;
  readonly state: State;
  /** The method's settings as used, a tuned one with its chosen value. */
  readonly settings: { readonly [name: string]: Json };
  readonly parameters: number;
  /** Multiply-adds of one reconstruction; null where there is no fixed number. */
  readonly macs: number | null;
  /** SHA-256 over all weights as little-endian float32, in a fixed order; null where there are none. */
  readonly weights: string | null;
  readonly scores: readonly ScoreRow[];
  readonly log: readonly LogEntry[];
  readonly pictures: readonly Picture[];
  /** Absent where the benchmark has none. */
  readonly curves?: readonly Curve[];
  /** Commit, versions, backend, arithmetic class and processor that the job ran with. */
  readonly provenance: { readonly [key: string]: Json };
  /** What a reader of the table has to know of this row. */
  readonly notes: readonly string[];
  readonly cost: Cost;
}

/** File name of a job's record: safe on every file system, and the same for the same row and seed. */
export function recordName(method: string, seed: number | null): string {
  return seed === null ? `${method}.json` : `${method}.seed-${seed}.json`;
}

/** A finite number, or the word that records keep for it. */
export function encodeValue(value: number | null): ScoreRow["value"] {
  if (value === Infinity) return "Inf";
  if (value === -Infinity) return "-Inf";
  return value === null || Number.isNaN(value) ? null : value;
}

/** The number that a record's value stands for. */
export function decodeValue(value: ScoreRow["value"]): number | null {
  return value === "Inf" ? Infinity : value === "-Inf" ? -Infinity : value;
}

/** A record as one line of `records.jsonl`. */
export function recordLine(record: ResultRecord): string {
  return canonicalJson(record as unknown as Json) + "\n";
}

/** What to do about a record that cannot be taken. */
export const fixRecord = "delete it and run the benchmark again; the other records stay valid";

/** The record in a file, or undefined where there is none that can be read; `refused` is told why. */
export async function readRecord(
  path: string,
  refused: (reason: string) => void,
): Promise<ResultRecord | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : takeRecord(text, path, refused);
}

/** The record that a text holds, or undefined where it holds none; `refused` is told why. */
export function takeRecord(
  text: string,
  where: string,
  refused: (reason: string) => void,
): ResultRecord | undefined {
  try {
    return parseRecord(text, where);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    refused(error.message);
    return undefined;
  }
}

/**
 * Reads a record from JSON text.
 *
 * @throws {SyntaxError} where the text is no JSON object of this form; `where` names the file, and the line.
 */
export function parseRecord(text: string, where: string): ResultRecord {
  const refuse = (what: string, cause?: unknown): never => {
    const why = explain({ what: `cannot read a record: ${what}`, where, fix: fixRecord });
    throw new SyntaxError(why, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse(`expected one JSON object, found ${JSON.stringify(text.slice(0, 40))}`, cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("it is no object");
  const record = value as Record<string, unknown>;
  if (record.version !== recordVersion) {
    const its = record.version === undefined
      ? "it has no version"
      : `its version is ${JSON.stringify(record.version)}`;
    return refuse(`${its}, this program reads ${recordVersion}`);
  }
  const kinds: Record<string, (field: unknown) => boolean> = {
    benchmark: isText,
    profile: isText,
    configuration: isText,
    method: isText,
    seed: (field) => field === null || Number.isInteger(field),
    state: isState,
    settings: isObject,
    parameters: (field) => typeof field === "number",
    macs: (field) => field === undefined || field === null || typeof field === "number",
    weights: (field) => field === undefined || field === null || isText(field),
    scores: (field) => Array.isArray(field) && field.every(isScore),
    log: (field) => Array.isArray(field) && field.every(isLogEntry),
    pictures: (field) => Array.isArray(field) && field.every(isPicture),
    curves: (field) => field === undefined || (Array.isArray(field) && field.every(isCurve)),
    notes: (field) => Array.isArray(field) && field.every(isText),
    provenance: isObject,
    cost: (field) => isObject(field) && Object.values(field).every((value) => typeof value === "number"),
  };
  for (const [name, fits] of Object.entries(kinds)) {
    if (!fits(record[name])) return refuse(`its "${name}" is missing or of the wrong kind`);
  }
  return value as ResultRecord;
}

function isText(field: unknown): field is string {
  return typeof field === "string";
}

function isObject(field: unknown): field is Record<string, unknown> {
  return typeof field === "object" && field !== null && !Array.isArray(field);
}

function isState(field: unknown): field is State {
  if (!isObject(field)) return false;
  const { kind, update, reason } = field;
  return kind === "done" || (kind === "failed" && isText(reason)) ||
    (kind === "diverged" && Number.isInteger(update) && isText(reason));
}

function isLogEntry(field: unknown): field is LogEntry {
  return isObject(field) && Number.isInteger(field.update) && isObject(field.values);
}

function isPicture(field: unknown): field is Picture {
  if (!isObject(field)) return false;
  const { name, subject, sample, path, sha256, shape, window, slices } = field;
  return [name, subject, sample, path, sha256].every(isText) &&
    Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size > 0) &&
    (window === undefined || (isObject(window) && areNumbers([window.low, window.high]))) &&
    (slices === undefined || (Number.isInteger(slices) && slices as number > 0));
}

function isCurve(field: unknown): field is Curve {
  if (!isObject(field) || !isObject(field.axes)) return false;
  const { name, subject, sample, axes, x, y } = field;
  return [name, subject, sample, axes.x, axes.y].every(isText) && areNumbers(x) && areNumbers(y) &&
    x.length === y.length;
}

function areNumbers(field: unknown): field is number[] {
  return Array.isArray(field) && field.every(Number.isFinite);
}

function isScore(field: unknown): field is ScoreRow {
  if (!isObject(field)) return false;
  const { metric, convention, subject, sample, value, reason = "" } = field;
  return [metric, convention, subject, sample, reason].every(isText) &&
    (value === null || value === "Inf" || value === "-Inf" ||
      (typeof value === "number" && Number.isFinite(value)));
}
