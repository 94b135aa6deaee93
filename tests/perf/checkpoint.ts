/**
 * `deno run -A tests/perf/checkpoint.ts [--seconds 10] [--updates 3000] [--benchmark mri] [--method ot-cyclegan] [--set …]`:
 * what share of a job's training goes into keeping it, by the clock and of processors, in one process.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { benchmarks } from "../../commands/suite.ts";
import { doJob } from "../../commands/job.ts";
import { Checkpoints, encodeCheckpoint } from "../../harness/checkpoint.ts";
import type { Learner } from "../../methods/method.ts";
import { inFolder } from "../commands_running.ts";
import { plan } from "../killing.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    updates: { type: "string", default: "3000" },
    benchmark: { type: "string", default: "mri" },
    method: { type: "string", default: "ot-cyclegan" },
    set: { type: "string", multiple: true, default: [] },
  },
});

interface Spent {
  clock: number;
  processors: number;
}

const now = (): Spent => {
  const { user, system } = process.cpuUsage();
  return { clock: performance.now() / 1000, processors: (user + system) / 1e6 };
};
const since = (start: Spent): Spent => {
  const { clock, processors } = now();
  return { clock: clock - start.clock, processors: processors - start.processors };
};

// A checkpoint begins where the learner is asked for its state, and ends where it is written.
let start = now();
let count = 0;
let bytes = 0;
const kept: Spent = { clock: 0, processors: 0 };
const { rows } = benchmarks.find(({ name }) => name === values.benchmark)!;
const { method } = rows.find(({ name }) => name === values.method)!;
const prepare = method.prepare.bind(method);
Object.assign(method, {
  prepare(...args: Parameters<typeof prepare>): Learner {
    const learner = prepare(...args);
    const state = learner.state!.bind(learner);
    learner.state = () => {
      start = now();
      return state();
    };
    return learner;
  },
});
const write = Checkpoints.prototype.write;
Checkpoints.prototype.write = async function (checkpoint) {
  await write.call(this, checkpoint);
  const spent = since(start);
  kept.clock += spent.clock;
  kept.processors += spent.processors;
  count += 1;
  bytes = encodeCheckpoint({ of: this.of, ...checkpoint }).length;
};

await inFolder(async (folder) => {
  const settings = [`updates=${values.updates}`, ...values.set];
  await plan(
    folder,
    ...[values.benchmark, "--profile", "quick", "--methods", values.method, "--seeds", "1-1"],
    ...["--checkpoint-seconds", values.seconds, ...settings.flatMap((setting) => ["--set", setting])],
  );
  let training: Spent | undefined;
  let all: Spent = { clock: 0, processors: 0 };
  await doJob(folder, "0", ({ phase }) => {
    if (phase !== "training") return;
    training ??= now();
    all = since(training);
  });
  const share = (of: keyof Spent) => `${(100 * kept[of] / all[of]).toFixed(2)} % of ${all[of].toFixed(0)} s`;
  console.log(
    `${values.benchmark} ${values.method}: ${count} checkpoints of ${(bytes / 1e6).toFixed(2)} MB, ` +
      `${share("clock")} of the clock, ${share("processors")} of processors`,
  );
});
