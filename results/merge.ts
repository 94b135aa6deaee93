/**
 * Run folders put together: seeds that were added later, rows that were run elsewhere, benchmarks side by side.
 *
 * Runs of one benchmark and profile are one table, and must be the same run: of the same configuration, with the same
 * settings of every row. A record that two folders have is taken once.
 */

import { explain, UsageError } from "../core/errors.ts";
import { differences } from "../core/json.ts";
import { fixRecord, recordName, type ResultRecord } from "./record.ts";
import { folderOf, type MetricHead, nameOf, type RowHead, type Run, type RunFile } from "./run.ts";
import { whatDiffers } from "./sameness.ts";

/**
 * The tables that these runs make, a run for each benchmark and profile, in the order in which they were given.
 *
 * @throws {UsageError} where two of them cannot stand in one table, naming the settings that differ.
 */
export function mergeRuns(runs: readonly Run[]): Run[] {
  const tables = Map.groupBy(runs, ({ file }) => JSON.stringify([file.benchmark, file.profile]));
  return [...tables.values()].map(mergeTable);
}

function mergeTable(runs: readonly Run[]): Run {
  const [first, ...others] = runs;
  if (others.length === 0) return first;
  for (const other of others) assertComparable(first, other);
  const kept = new Map<string, { record: ResultRecord; run: Run }>();
  const refused = runs.flatMap(({ refused = [] }) => refused);
  for (const run of runs) {
    for (const record of run.records) {
      const job = recordName(record.method, record.seed);
      const earlier = kept.get(job);
      if (earlier === undefined || isBetter(record, earlier.record)) kept.set(job, { record, run });
      else if (!isBetter(earlier.record, record)) {
        // Notes say what a folder was asked for, which another one may not have been.
        const differing = whatDiffers(earlier.record, record).filter((part) => part !== "notes");
        if (differing.length > 0) refused.push(conflict(record, run, earlier.run, differing));
      }
    }
  }
  const found = [...kept.values()];
  return {
    folder: first.folder,
    file: mergeFiles(runs.map(({ file }) => file)),
    records: found.map(({ record }) => record),
    refused: [...new Set(refused)],
    strays: runs.flatMap(({ strays = [] }) => strays),
    origins: new Map(found.map(({ record, run }) => [record, folderOf(run, record)])),
  };
}

/** A job that failed on one machine may be done on another. */
function isBetter(one: ResultRecord, other: ResultRecord): boolean {
  return one.state.kind !== "failed" && other.state.kind === "failed";
}

function conflict(record: ResultRecord, run: Run, earlier: Run, differing: readonly string[]): string {
  return explain({
    what: `${nameOf(record)} has another record in ${earlier.folder}, which was taken; what differs: ${
      differing.join("; ")
    }`,
    where: folderOf(run, record),
    fix: `${fixRecord}; or report the two folders apart`,
  });
}

function assertComparable(first: Run, other: Run): void {
  const settings = (rows: readonly RowHead[]) =>
    Object.fromEntries(rows.map(({ name, settings }) => [name, settings]));
  const [ours, theirs] = [settings(first.file.rows), settings(other.file.rows)];
  const common = Object.keys(theirs).filter((name) => name in ours);
  const only = (rows: typeof ours) => Object.fromEntries(common.map((name) => [name, rows[name]]));
  const what = [
    ...differences(first.file.identity, other.file.identity),
    ...differences(only(ours), only(theirs)),
  ];
  if (what.length === 0 && first.file.configuration === other.file.configuration) return;
  throw new UsageError({
    what: `${first.folder} and ${other.folder} are not comparable: ${
      what.join("; ") || "their configurations have different hashes"
    }`,
    where: other.folder,
    fix: `report them apart, or run ${other.file.benchmark} with the same settings`,
  });
}

function mergeFiles(files: readonly RunFile[]): RunFile {
  const [first] = files;
  return {
    ...first,
    banners: united(files.map(({ banners }) => banners), String),
    notes: united(files.map(({ notes }) => notes), String),
    rows: united(files.map(({ rows }) => rows), ({ name }: RowHead) => name),
    metrics: united(
      files.map(({ metrics }) => metrics),
      ({ id, convention }: MetricHead) => JSON.stringify([id, convention]),
    ),
    seeds: united(files.map(({ seeds }) => seeds), String).sort((a, b) => a - b),
  };
}

/** The members of all lists, each once; one that an earlier list lacks comes after the member that it follows. */
function united<Member>(lists: readonly (readonly Member[])[], keyOf: (member: Member) => string): Member[] {
  const all: Member[] = [];
  for (const list of lists) {
    let at = 0;
    for (const member of list) {
      const there = all.findIndex((other) => keyOf(other) === keyOf(member));
      if (there < 0) all.splice(at++, 0, member);
      else at = there + 1;
    }
  }
  return all;
}
