/**
 * `deno task job RUN JOB`: does one job of a plan and leaves its record.
 *
 * It is what the workers of `deno task bench` run, and what any other engine runs that takes a plan from
 * `deno task bench … --plan`. A job that cannot be done leaves a record that says why, also where something fails that
 * nobody waits for, such as a graphics device. One that is sent SIGUSR2, as a batch
 * systems do before they take a machine away, keeps its training and ends with {@linkcode stoppedCode}.
 */

import { format } from "node:util";
import { StorageError, UsageError } from "../core/errors.ts";
import { removeLeftovers } from "../core/files.ts";
import { canonicalJson, sha256 } from "../core/json.ts";
import { startBackend } from "../engine/backend.ts";
import { Checkpoints } from "../harness/checkpoint.ts";
import { hashOfSources, sourcesOf } from "../harness/code.ts";
import { configure, named } from "../harness/configuration.ts";
import { openDataset } from "../harness/context.ts";
import {
  checkpointBase,
  jobLock,
  readPlan,
  recordPath,
  writeRecord,
  writeRecordAtOnce,
} from "../harness/folder.ts";
import { Lock, removeLockAtOnce } from "../harness/lock.ts";
import { provenanceOf } from "../harness/provenance.ts";
import { failedRecord, type Message, type Progress, runJob, Stopped, stoppedCode } from "../harness/job.ts";
import type { Job, Plan } from "../harness/plan.ts";
import { Shelf } from "../harness/samples.ts";
import type { ResultRecord } from "../results/record.ts";
import { exitWithError, isWorded } from "./exit.ts";
import { fromCaller } from "./paths.ts";
import { loadSuite } from "./suite.ts";

/** Who hears of a job besides how far it is. */
interface Hearers {
  /** Of checkpoints that cannot be used; stderr unless given. */
  readonly told?: (reason: string) => void;
  /** Who holds the job, which is then waited for. */
  readonly waits?: (holder: string) => void;
}

/**
 * Does the job of the plan in `folder` that `index` numbers or names, and leaves its record; `tell` hears how far it is. One that
 * another process is at is refused, or, with `waits`, waited for.
 */
export async function doJob(
  folder: string,
  index: string,
  tell: (progress: Progress) => void,
  { told = console.error, waits }: Hearers = {},
): Promise<void> {
  const plan = await readPlan(folder);
  const job = /^\d+$/.test(index)
    ? plan.jobs[Number(index)]
    : plan.jobs.find(({ record }) => record === `${index}.json`);
  if (job === undefined) {
    throw new UsageError({
      what: `there is no job ${index}`,
      where: `${folder}/plan.json`,
      fix: `give a number from 0 to ${plan.jobs.length - 1}, or a name such as ${
        plan.jobs.at(-1)?.record.replace(/\.json$/, "")
      }`,
    });
  }
  await using lock = await Lock.take(jobLock(folder, job), { what: `job ${index}`, waits });
  const failed = (error: unknown) =>
    failedRecord({ plan, profile: plan.request.profile }, job, reasonOf(error));
  // Whatever is computed after a device failed is wrong, so nothing has a turn any more.
  using _listening = uncaught((error) => {
    try {
      writeRecordAtOnce(folder, job, failed(error));
    } finally {
      removeLockAtOnce(lock);
      exitWithError(error);
    }
  });
  await removeLeftovers(recordPath(folder, job), `${checkpointBase(folder, job)}.checkpoint`);
  try {
    const { record, checkpoints } = await recordOf(folder, plan, job, tell, told);
    await writeRecord(folder, job, record);
    await checkpoints.remove();
  } catch (error) {
    // Where nothing can be written, there is no place for a record of it either; whoever started the job is told.
    if (error instanceof StorageError || error instanceof Stopped) throw error;
    await writeRecord(folder, job, failed(error));
    throw error;
  }
}

function reasonOf(error: unknown): string {
  if (isWorded(error)) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** Calls `end` with an error that nobody catches, as long as it is not disposed. */
function uncaught(end: (error: unknown) => never): Disposable {
  const thrown = (event: ErrorEvent) => end(event.error);
  const rejected = (event: PromiseRejectionEvent) => end(event.reason);
  globalThis.addEventListener("error", thrown);
  globalThis.addEventListener("unhandledrejection", rejected);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", thrown);
      globalThis.removeEventListener("unhandledrejection", rejected);
    },
  };
}

async function recordOf(
  folder: string,
  plan: Plan,
  job: Job,
  tell: (progress: Progress) => void,
  told: (reason: string) => void,
): Promise<{ record: ResultRecord; checkpoints: Checkpoints }> {
  const suite = await loadSuite(plan.use);
  const configuration = configure(suite.benchmarks, plan.request);
  const { benchmark, settings, profile } = configuration;
  const own = suite.modules?.find(({ rows }) => rows.get(benchmark.name)?.includes(job.method));
  if (own?.sha256 !== job.module) {
    throw new UsageError({
      what: `the module of "${job.method}" has changed since the run was planned`,
      where: own?.path ?? `${folder}/plan.json`,
      fix: "give the command of the run again, with --plan where it only plans",
    });
  }
  // Before anything that takes long: an edit meanwhile is not of the code that was loaded.
  const code = hashOfSources(
    sourcesOf({ benchmark: benchmark.name, method: job.method, modules: suite.modules }),
  );
  const backend = await startBackend(plan.backend);
  if (backend.arithmetic !== plan.backend.arithmetic) {
    throw new UsageError({
      what:
        `this machine computes by "${backend.arithmetic}", and the run was planned for "${plan.backend.arithmetic}": their bits differ`,
      where: `${folder}/plan.json`,
      fix: "plan the run with --portable, which is the same everywhere",
    });
  }
  const { paths, options, stream, contents } = plan.data;
  const dataset = await openDataset(suite, benchmark, settings, paths, options, contents);
  try {
    const wanted = named(configuration.rows.map(({ row }) => row), job.method, "method");
    const row = configuration.rows.find(({ row }) => row === wanted)!;
    const shelf = Shelf.of(dataset, benchmark, settings, stream);
    const provenance = provenanceOf(backend, code);
    const of = sha256(
      canonicalJson([plan.configuration, job.record, row.settings, job.module ?? null, code]),
    );
    const checkpoints = new Checkpoints(checkpointBase(folder, job), of);
    const { checkpointSeconds } = plan;
    const place = {
      folder,
      plan,
      profile,
      settings,
      row,
      shelf,
      provenance,
      checkpoints,
      checkpointSeconds,
      told,
      stopping: stopping(),
    };
    const record = await runJob(place, job, tell);
    return { record, checkpoints };
  } finally {
    dataset.close();
  }
}

/** Aborted by SIGUSR2; at SIGUSR1 Deno would open its debugger. */
function stopping(): AbortSignal | undefined {
  if (Deno.build.os === "windows") return undefined;
  const stop = new AbortController();
  Deno.addSignalListener("SIGUSR2", () => stop.abort());
  return stop.signal;
}

/** Tells the launcher, not more than a few times a second. */
function teller(send: (message: Message) => void): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.done < 1 && now - last < 200) return;
    last = now;
    send(progress);
  };
}

/** A way to the launcher that nothing else writes to: what modules print becomes messages too. */
function messenger(): (message: Message) => void {
  const encoder = new TextEncoder();
  const send = (message: Message) => {
    try {
      Deno.stdout.writeSync(encoder.encode(JSON.stringify(message) + "\n"));
    } catch (error) {
      // The launcher was killed: what is kept of the training is there for the next one, who may be waiting.
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(1);
      throw error;
    }
  };
  console.log = console.info = console.debug = (...args) => send({ said: format(...args) });
  return send;
}

if (import.meta.main) {
  const [folder, index, flag] = Deno.args;
  if (folder === undefined || index === undefined) {
    console.error(
      "usage: deno task job RUN JOB\n\nRUN is a run's folder, JOB the number of a job in its plan.json, or its name: 17, or " +
        "supervised.seed-3.\nSIGUSR2 makes it keep its training and end with 75; the same command goes on.",
    );
    Deno.exit(2);
  }
  const send = flag === "--worker" ? messenger() : undefined;
  const tell = send === undefined ? () => {} : teller(send);
  // At a job of this launcher's is the worker of one that was killed, which soon notices, or somebody's `deno task job`.
  const hearers = send === undefined ? {} : {
    told: (reason: string) => send({ told: reason }),
    waits: (holder: string) => send({ told: `the job is still held by ${holder}: it is waited for` }),
  };
  await doJob(fromCaller(folder), index, tell, hearers).catch((error) => {
    if (!(error instanceof Stopped)) return exitWithError(error);
    console.error(error.message);
    Deno.exit(stoppedCode);
  });
  Deno.exit(0);
}
