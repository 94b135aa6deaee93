/** Parts `workers`, `plan` and `estimate`: many jobs at once, very many of them, and what is said of them before. */

import { availableParallelism } from "node:os";

import { loadSuite } from "../../commands/suite.ts";
import { estimate as estimateRows } from "../../harness/estimate.ts";
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

/**
 * What `bench mri --estimate` says of a run of one seed, and what its jobs then take, each on a core of its own; prints, and
 * returns Markdown.
 */
export async function estimate(): Promise<string> {
  const table = new Table(
    "| job of `bench mri`, quick | estimated, s | it took, s | estimated of it |",
    "| --- | ---: | ---: | ---: |",
  );
  const row = (name: string, expected: number, taken: number) =>
    table.add(
      `| ${name} | ${expected.toFixed(1)} | ${taken.toFixed(1)} | ${(100 * expected / taken).toFixed(0)} % |`,
    );
  await inFolder(async (folder) => {
    const request = { benchmark: "mri", profile: "quick", seeds: "1", set: [] };
    const prepared = await prepare(await loadSuite([]), order(`${folder}/run`, request));
    const { signal } = new AbortController();
    const rows = await estimateRows(prepared, prepared.plan.jobs, () => {}, signal);
    const [since, seconds] = [new Map<string, number>(), new Map<string, number>()];
    const watcher: Watcher = {
      ...silent,
      started: ({ method }) => void since.set(method, performance.now()),
      ended: ({ method }) => void seconds.set(method, (performance.now() - since.get(method)!) / 1000),
    };
    await execute(prepared, localWorkers(availableParallelism()), watcher, signal);
    for (const { method, seconds: expected } of rows) row(method, expected, seconds.get(method)!);
    row(
      "all of them",
      rows.reduce((sum, row) => sum + row.seconds, 0),
      seconds.values().reduce((a, b) => a + b, 0),
    );
  });
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
