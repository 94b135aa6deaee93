/**
 * A process that does one job, `soak_worker.ts RUN JOB`, and tells after some update of every second what it has taken so
 * far: a {@linkcode Moment} a line.
 */

import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { doJob } from "../../commands/job.ts";

/** What a job has taken at the end of an update. */
export interface Moment {
  /** Seconds since its training began. */
  readonly seconds: number;
  /** Seconds of processors, all threads together, since then. */
  readonly cpuSeconds: number;
  /** Resident memory. */
  readonly megabytes: number;
  readonly tensors: number;
  /** The share of its updates that are done. */
  readonly done: number;
}

if (import.meta.main) {
  const [folder, index] = Deno.args;
  let start: { seconds: number; cpuSeconds: number } | undefined;
  let last = 0;
  await doJob(folder, index, ({ phase, done }) => {
    const seconds = performance.now() / 1000;
    if (phase !== "training" || seconds - last < 1) return;
    last = seconds;
    const { user, system } = process.cpuUsage();
    const cpuSeconds = (user + system) / 1e6;
    start ??= { seconds, cpuSeconds };
    const moment: Moment = {
      seconds: seconds - start.seconds,
      cpuSeconds: cpuSeconds - start.cpuSeconds,
      megabytes: Deno.memoryUsage().rss / 2 ** 20,
      tensors: tf.memory().numTensors,
      done,
    };
    console.log(JSON.stringify(moment));
  });
}
