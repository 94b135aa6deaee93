/** Whether two records of one job are the same, and where they are not, what differs and by how much. */

import { canonicalJson, type Json } from "../core/json.ts";
import { decodeValue, type ResultRecord, type ScoreRow } from "./record.ts";

/** What two identical runs may differ in: what the job cost, and who ran it. */
const mayDiffer: readonly string[] = ["cost", "provenance"] satisfies (keyof ResultRecord)[];

/** Whether a backend promises the same bits in each run; TensorFlow's threads and a device's driver do not. */
export function repeatsBits(backend: Json | undefined): boolean {
  return backend !== "native" && backend !== "webgpu";
}

/** What differs between two records of one job, a phrase for each of their members; none where they are the same. */
export function whatDiffers(one: ResultRecord, other: ResultRecord): string[] {
  const [a, b] = [one, other] as unknown as Record<string, Json | undefined>[];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) =>
    !mayDiffer.includes(name)
  );
  const differing = names.filter((name) => canonicalJson(a[name] ?? null) !== canonicalJson(b[name] ?? null));
  return differing.sort().map((name) => name === "scores" ? scoresDiffer(one.scores, other.scores) : name);
}

/** Two lists of scores in words: how many differ, and the largest difference. */
function scoresDiffer(one: readonly ScoreRow[], other: readonly ScoreRow[]): string {
  const there = new Map(one.map((row) => [keyOf(row), row]));
  const here = new Map(other.map((row) => [keyOf(row), row]));
  const lacking = [...there.keys(), ...here.keys()].filter((key) => !there.has(key) || !here.has(key));
  const pairs = [...there].flatMap(([key, row]) => here.has(key) ? [{ row, twin: here.get(key)! }] : []);
  const differing = pairs.filter(({ row, twin }) => row.value !== twin.value || row.reason !== twin.reason);
  const parts = [
    ...(lacking.length > 0 ? [`${lacking.length} scores only one of them has`] : []),
    ...(differing.length > 0 ? [`${differing.length} of ${pairs.length} scores${byHowMuch(differing)}`] : []),
  ];
  return parts.join(", ") || "the order of the scores";
}

interface Pair {
  readonly row: ScoreRow;
  readonly twin: ScoreRow;
}

function byHowMuch(pairs: readonly Pair[]): string {
  const sized = pairs.map(({ row, twin }) => ({ row, size: relative(row.value, twin.value) }));
  const most = sized.reduce((a, b) => (b.size > a.size ? b : a));
  const { metric, convention, subject, sample } = most.row;
  const what = `${metric} (${convention}) of ${[subject, sample].filter((part) => part !== "").join(" ")}`;
  return Number.isFinite(most.size)
    ? `, by ${most.size.toExponential(1)} of its value at the most: ${what}`
    : `, e.g. ${what}`;
}

/** |a − b| / max(|a|, |b|), in [0, 2]; infinite where a value is missing or infinite and the other is not the same. */
export function relative(a: ScoreRow["value"], b: ScoreRow["value"]): number {
  if (a === b) return 0;
  const [x, y] = [decodeValue(a), decodeValue(b)];
  if (x === null || y === null || !Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
  return Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
}

/** What a score is of: a record has at most one of each. */
export function keyOf({ metric, convention, subject, sample }: ScoreRow): string {
  return JSON.stringify([metric, convention, subject, sample]);
}
