/**
 * `deno task kills [--kills 100] [--seed 1] [--updates 30] [--benchmarks mri,ct,…] [--workers 2]`: kills jobs at random moments
 * until each is done all the same, and compares what they leave with a run that nobody disturbed.
 *
 * Every method of the benchmarks has its job; each in turn is killed once, so that with 100 kills a job is killed several
 * times, in whatever it is doing. What is not killed is done in this process, one job after the other, so that the
 * comparison is of processes of other histories, too.
 */

import { parseArgs } from "node:util";
import { doJob } from "../../commands/job.ts";
import { benchmarks } from "../../commands/suite.ts";
import { stream } from "../../core/random.ts";
import { decodeCheckpoint } from "../../harness/checkpoint.ts";
import { kill, plan, sameRecords } from "../killing.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    updates: { type: "string", default: "30" },
    benchmarks: { type: "string", default: benchmarks.map(({ name }) => name).join(",") },
    workers: { type: "string", default: "2" },
  },
});
const kills = Number(values.kills);
const updates = Number(values.updates);
const rng = stream(`kills/${values.seed}`);

interface Work {
  readonly whole: string;
  readonly cut: string;
  readonly index: number;
  readonly name: string;
  readonly record: string;
  /** What it was doing whenever it was killed. */
  readonly killedAt: string[];
  /** Updates that were done, as last told, and were in no checkpoint. */
  lost: number;
}

const root = await Deno.makeTempDir({ prefix: "kills-" });
const works: Work[] = [];
for (const benchmark of values.benchmarks.split(",")) {
  const args = [benchmark, "--profile", "smoke", "--set", `updates=${updates}`, "--checkpoint-seconds", "0"];
  const [whole, cut] = [`${root}/${benchmark}-whole`, `${root}/${benchmark}-cut`];
  for (const folder of [whole, cut]) await plan(folder, ...args);
  const { jobs } = JSON.parse(await Deno.readTextFile(`${whole}/plan.json`));
  for (const { index, method, record } of jobs) {
    works.push({
      whole,
      cut,
      index,
      name: `${benchmark} ${method}`,
      record,
      killedAt: [],
      lost: 0,
    });
  }
}
console.log(`${works.length} jobs, each ${updates} updates; ${kills} kills; seed ${values.seed}; in ${root}`);

await undisturbed("whole");
console.log("the jobs are done undisturbed; now they are killed");

// Each job gets its share of the kills at random shares of its course; one that is done by then was killed too late.
let killed = 0;
const turns = Array.from({ length: kills }, (_, turn) => works[turn % works.length]);
const byWork = Map.groupBy(turns, (work) => work);
await inParallel([...byWork], async ([work, its]) => {
  const own = rng.stream(work.name);
  const moments = its.map(() => own.uniform()).sort((a, b) => a - b);
  for (const moment of moments) {
    const phases = ["preparing", "training", "scoring"];
    // The course is four fifths training, and a tenth before and after it.
    const end = await kill(
      work.cut,
      work.index,
      ({ phase, done }) => [0.1 * done, 0.1 + 0.8 * done, 0.9 + 0.1 * done][phases.indexOf(phase)] >= moment,
    );
    if (end.finished) break;
    killed += 1;
    work.killedAt.push(`${end.phase[0]}${end.done.toFixed(2)}`);
    // What had left its record before it was killed is done: a run would not start it again, as is done here.
    if (await Deno.stat(`${work.cut}/records/${work.record}`).then(() => true, () => false)) continue;
    const done = end.phase === "training" ? end.done * updates : end.phase === "scoring" ? updates : 0;
    work.lost += Math.max(0, done - await updateOf(work));
  }
});

console.log("they go on to their ends");
await undisturbed("cut");
for (const folder of new Set(works.map(({ whole }) => whole))) {
  await sameRecords(folder, folder.replace(/-whole$/, "-cut"));
}
const trained = works.filter(({ record }) => record.includes(".seed-"));
const lost = trained.reduce((sum, { lost }) => sum + lost, 0);
// Each job with what it was doing, and how far it was with it, whenever it was killed: p preparing, t training, s scoring.
for (const [benchmark, its] of Map.groupBy(works, ({ name }) => name.split(" ")[0])) {
  const jobs = its.map(({ name, killedAt }) => [name.split(" ")[1], ...killedAt].join(" "));
  console.log(wrapped(`${benchmark}: ${jobs.join("; ")}`));
}
console.log(
  `${killed} kills, ${works.length} jobs: all records equal; ` +
    `${(1 + lost / (updates * trained.length)).toFixed(3)} times the updates of runs that nobody disturbed`,
);
await Deno.remove(root, { recursive: true });

/** A text in lines of some hundred characters, all but the first indented. */
function wrapped(text: string): string {
  return text.replace(/(.{1,100})(?: |$)/g, (_, line) => `${line}\n  `).trimEnd();
}

/** Does all jobs in their folders. */
async function undisturbed(folder: "whole" | "cut"): Promise<void> {
  for (const { index, [folder]: its } of works) await doJob(its, String(index), () => {});
}

/** The update that the newest whole checkpoint of a job is of; 0 where there is none. */
async function updateOf({ cut, record }: Work): Promise<number> {
  const base = `${cut}/checkpoints/${record.replace(/\.json$/, "")}.checkpoint`;
  // While one is being written, the one before it is there alone.
  for (const path of [base, `${base}.before`]) {
    const bytes = await Deno.readFile(path).catch(() => undefined);
    if (bytes !== undefined) return decodeCheckpoint(bytes, path).update;
  }
  return 0;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, worker));
}
