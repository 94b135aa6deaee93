/** Parts `workers` and `plan`: many jobs at once, and very many of them. */

import { loadSuite } from "../../commands/suite.ts";
import { execute, type Watcher } from "../../harness/execute.ts";
import { hashOfSources } from "../../harness/code.ts";
import { finishedRecords } from "../../harness/finished.ts";
import { collectRecords, writePlan } from "../../harness/folder.ts";
import { startOrder } from "../../harness/plan.ts";
import { type Order, prepare, type Prepared } from "../../harness/prepare.ts";
import { localWorkers } from "../../harness/workers.ts";
import { recordLine } from "../../results/record.ts";
import { readRun } from "../../results/run.ts";
import type { Row } from "../../benchmarks/benchmark.ts";
import { record, score } from "../reports_made_run.ts";
import { toyBenchmark } from "../toy.ts";
import { trained } from "../toy_extension.ts";
import { Table } from "./table.ts";

const silent: Watcher = {
  planned() {},
  said: (line) => console.error(line),
  started() {},
  progressed() {},
  ended() {},
  seedDone: () => Promise.resolve(),
};

function order(out: string, request: Order["request"]): Order {
  return {
    request,
    data: [],
    split: "subjects",
    dataSeed: 1,
    use: [],
    backend: "wasm",
    portable: false,
    out,
    fresh: true,
    keepImages: false,
  };
}

/** Eight jobs by one worker and by two, which take turns; prints, and returns Markdown. */
export async function workers(rounds: number): Promise<string> {
  const suite = await loadSuite([]);
  const request = {
    benchmark: "mri",
    profile: "quick",
    methods: ["supervised"],
    seeds: "8",
    set: ["updates=1000", "checks=1"],
  };
  const table = new Table(
    "| eight jobs of | one worker, s | two workers, s | of twice as fast |",
    "| --- | ---: | ---: | ---: |",
  );
  const best = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    for (const [i, count] of [1, 2].entries()) {
      await inFolder(async (folder) => {
        const prepared = await prepare(suite, order(folder, request));
        const start = performance.now();
        await execute(prepared, localWorkers(count), silent, new AbortController().signal);
        best[i] = Math.min(best[i], (performance.now() - start) / 1000);
      });
    }
  }
  const [one, two] = best;
  table.add(
    `| 1000 updates, supervised 64² c8 | ${one.toFixed(1)} | ${two.toFixed(1)} | ${
      (100 * one / (2 * two)).toFixed(0)
    } % |`,
  );
  return table.text;
}

const counts = [10_000, 100_000];
const rows = 10;

/** A plan of very many jobs, and a folder with as many records; prints, and returns Markdown. */
export async function plan(): Promise<string> {
  const table = new Table(
    "| jobs | planned, s | plan.json, MB | records looked at, s | put together, s | read, s |",
    "| ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  const toy = toyBenchmark();
  const many: Row[] = Array.from({ length: rows }, (_, i) => ({ name: `trained-${i}`, method: trained }));
  const suite = { ...await loadSuite([]), benchmarks: [{ ...toy, rows: many, byName: [] }] };
  for (const count of counts) {
    await inFolder(async (folder) => {
      const seconds = stopwatch();
      const request = { benchmark: "toy", profile: "smoke", seeds: String(count / rows), set: [] };
      const prepared = await prepare(suite, order(folder, request));
      await writePlan(folder, prepared.run, prepared.plan, []);
      startOrder(prepared.configuration, prepared.plan.jobs);
      const planned = seconds();
      const megabytes = (await Deno.stat(`${folder}/plan.json`)).size / 2 ** 20;
      await leaveRecords(prepared);
      seconds();
      const { done } = await finishedRecords(prepared, (reason) => console.error(reason));
      if (done.size !== count) throw new Error(`${done.size} of ${count} records may stand`);
      const looked = seconds();
      await collectRecords(folder, prepared.plan.jobs);
      const collected = seconds();
      await readRun(folder);
      const read = seconds();
      const cells = [planned, megabytes, looked, collected, read].map((value) => value.toFixed(1));
      table.add(`| ${prepared.plan.jobs.length} | ${cells.join(" | ")} |`);
    });
  }
  return table.text;
}

/** A record for each job of a plan, as if it were done. */
async function leaveRecords({ folder, run, plan, configuration, sourcesOf }: Prepared): Promise<void> {
  await Deno.mkdir(`${folder}/records`);
  const settingsOf = new Map(configuration.rows.map(({ row, settings }) => [row.name, settings]));
  const codeOf = new Map(
    configuration.rows.map(({ row: { name } }) => [name, hashOfSources(sourcesOf(name))]),
  );
  for (const job of plan.jobs) {
    const scores = ["s6", "s7", "s8"].map((subject) => score(0, subject, "a", 20));
    const log = [1, 2, 3, 4, 5, 6].map((update) => ({ update, values: { loss: 1 / update } }));
    const made = record(job.method, job.seed, scores, {
      log,
      configuration: run.configuration,
      settings: settingsOf.get(job.method),
      provenance: { ...run.provenance, code: codeOf.get(job.method)! },
    });
    Deno.writeTextFileSync(`${folder}/records/${job.record}`, recordLine(made));
  }
}

/** Seconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ot-cyclegan-bench-perf-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
