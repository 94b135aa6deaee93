/** What `deno task verify` checks of a run: each part alone, in words. */

import type { Benchmark } from "../benchmarks/benchmark.ts";
import { isThere, linesOf } from "../core/files.ts";
import { canonicalJson, sha256 } from "../core/json.ts";
import { readReconstructions } from "../datasets/formats/reconstructions.ts";
import { keptBase, keptFolder } from "../harness/folder.ts";
import type { Plan } from "../harness/plan.ts";
import { rescorable, rescore } from "../harness/rescore.ts";
import { withoutCosts } from "../reports/markdown.ts";
import { counted } from "../reports/words.ts";
import { textsOf } from "../reports/write.ts";
import { recordLine, recordName } from "../results/record.ts";
import { nameOf, type Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";

/** What was checked, and what is wrong with it. */
export interface Check {
  /** In words, with what could not be checked. */
  readonly what: string;
  /** None where it is as it should be. */
  readonly faults: readonly string[];
  /** Nothing of it could be checked. */
  readonly isUnchecked?: boolean;
}

/** `run.json` has the hash of its own settings, by which records say that they are of it. */
export function checkConfiguration({ file }: Run): Check {
  const hash = sha256(canonicalJson(file.identity));
  return {
    what: "run.json: its hash is that of its settings",
    faults: hash === file.configuration
      ? []
      : [`its settings have the hash ${hash.slice(0, 12)}, it says ${file.configuration.slice(0, 12)}`],
  };
}

/** Every job of the plan has a record that can be read and is of this run, and `records/` has nothing else. */
export function checkRecords({ records, refused = [], strays = [] }: Run, plan: Plan): Check {
  const there = new Set(records.map(({ method, seed }) => recordName(method, seed)));
  const missing = plan.jobs.filter(({ record }) => !there.has(record)).map(({ record }) =>
    `${record} is missing`
  );
  return {
    what: `${
      counted(plan.jobs.length, "job")
    }: each has a record of this run, and nothing else is in records/`,
    faults: [...refused, ...missing, ...strays],
  };
}

/** `records.jsonl` is the records, in the plan's order. */
export async function checkLines({ folder, records }: Run): Promise<Check> {
  const path = `${folder}/records.jsonl`;
  const expected = new Map(records.map((record) => [recordLine(record).trimEnd(), record]));
  const faults: string[] = [];
  let count = 0;
  try {
    for await (const { text, where } of linesOf(path)) {
      count += 1;
      if (!expected.has(text)) faults.push(`${where} is not a record of records/`);
    }
    if (count !== records.length) {
      faults.push(`it has ${counted(count, "line")} for ${counted(records.length, "record")}`);
    }
  } catch (error) {
    faults.push((error as Error).message);
  }
  return { what: "records.jsonl: the same records", faults };
}

/** Pictures are the bytes whose hash the records have. */
export async function checkPictures({ folder, records }: Run): Promise<Check> {
  const hashes = new Map<string, Set<string>>();
  for (const { path, sha256 } of records.flatMap(({ pictures }) => pictures)) {
    hashes.set(path, (hashes.get(path) ?? new Set()).add(sha256));
  }
  const faults: string[] = [];
  for (const [path, wanted] of hashes) {
    const bytes = await within(folder, path).catch((error: Error) => error);
    if (bytes instanceof Error) faults.push(`${path}: ${bytes.message}`);
    else if (wanted.size > 1) faults.push(`${path}: records have different hashes of it`);
    else if (!wanted.has(sha256(bytes))) faults.push(`${path}: its bytes are not those that were hashed`);
  }
  return {
    what: `${counted(hashes.size, "picture")}: the bytes that the records have the hashes of`,
    faults,
  };
}

/** Tables are what the records give. */
export async function checkTables(run: Run): Promise<Check> {
  const texts = textsOf({ run, summary: summarise(run) }, ["md", "tex", "csv", "json"]);
  const faults: string[] = [];
  for (const [name, text] of Object.entries(texts)) {
    const there = await Deno.readTextFile(`${run.folder}/${name}`).catch((error: Error) => error);
    const made = text();
    const expected = typeof made === "string" ? made : [...made].join("");
    if (there instanceof Error) faults.push(`${name}: ${there.message}`);
    else if (withoutCosts(there) !== withoutCosts(expected)) {
      faults.push(`${name} is not what these records give; deno task report writes it anew`);
    }
  }
  return { what: `${counted(Object.keys(texts).length, "table")}: what the records give`, faults };
}

/** Scores are those of the reconstructions that were kept. */
export async function checkScores(
  { folder, records }: Run,
  plan: Plan,
  benchmark: Benchmark,
): Promise<Check> {
  const subjects = Map.groupBy(plan.split.parts.test, ({ subject }) => subject);
  const faults: string[] = [];
  const unread = new Set<string>();
  let [made, all] = [0, 0];
  for (const record of records.filter(({ state }) => state.kind === "done")) {
    all += record.scores.length;
    if (!await isThere(`${folder}/${keptFolder(record)}`)) {
      unread.add("without --keep-images there is nothing to make them from");
      continue;
    }
    for (const [subject, refs] of subjects) {
      const base = keptBase(record, subject);
      try {
        if (benchmark.combine !== undefined || !await isThere(`${folder}/${base}.h5`)) {
          if (!await isKept(folder, base)) throw new Error("nothing was kept of it");
          unread.add("images are read where they are kept one by one in HDF5, not combined ones or TIFF");
          continue;
        }
        const slices = await readReconstructions(`${folder}/${base}`);
        if (slices.length !== refs.length) {
          throw new Error(`${counted(slices.length, "sample")} were kept of ${refs.length}`);
        }
        const samples = slices.map((slice, index) => ({ sample: refs[index].sample, ...slice }));
        const found = rescore(benchmark, record, subject, samples);
        made += found.count;
        faults.push(...found.faults.map((fault) => `${nameOf(record)}: ${fault}`));
      } catch (error) {
        faults.push(`${nameOf(record)}, ${subject}: ${(error as Error).message}`);
      }
    }
  }
  const apart = benchmark.metrics.filter((metric) => !rescorable(benchmark).includes(metric)).map(({ id }) =>
    id
  );
  if (made > 0 && apart.length > 0) {
    unread.add(`images alone do not decide ${[...new Set(apart)].join(", ")}`);
  }
  const isUnchecked = made === 0 && faults.length === 0;
  const count = isUnchecked ? `none of ${counted(all, "score")} was` : `${made} of ${counted(all, "score")}`;
  return { what: [`${count} made again from kept images`, ...unread].join("; "), faults, isUnchecked };
}

/** Whether there is any file whose path starts so. */
async function isKept(folder: string, base: string): Promise<boolean> {
  const name = base.slice(base.lastIndexOf("/") + 1);
  const entries = await Array.fromAsync(Deno.readDir(`${folder}/${base.slice(0, base.lastIndexOf("/"))}`));
  return entries.some((entry) => entry.name.startsWith(`${name}.`));
}

/** A file of the run's folder; a path that leads out of it is refused, since records may come from anybody. */
async function within(folder: string, path: string): Promise<Uint8Array> {
  const parts = path.split(/[/\\]/);
  if (path.startsWith("/") || parts.includes("..")) throw new Error("it is not in the run's folder");
  return await Deno.readFile(`${folder}/${path}`);
}
