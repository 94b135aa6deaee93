/**
 * The executor of a cluster that Slurm manages: the jobs become one job array.
 *
 * A task of the array does its jobs one after the other, each by the same worker program as on one machine. Nothing but
 * the run's folder, which all nodes see, joins tasks and launcher: `slurm/1/` holds what the first array was given
 * (`array.sh`, `tasks`), its number (`id`) and what its tasks said. When, where and how often a task runs is for
 * Slurm to say; here nothing is scheduled. A launcher that is ended leaves its array in the queue, and the same command
 * watches it again.
 */

import { UsageError } from "../core/errors.ts";
import { readIfThere, writeWhole } from "../core/files.ts";
import { readRecord } from "../results/record.ts";
import { assertThere, Cancelled, type Executor } from "./execute.ts";
import { recordPath, writeRecord } from "./folder.ts";
import { failedRecord, stoppedCode } from "./job.ts";
import { type Job, nameOfJob } from "./plan.ts";
import type { Prepared } from "./prepare.ts";
import { workerArguments } from "./workers.ts";

/** What a run's array is asked for. */
export interface SlurmOptions {
  /** Options of sbatch, as they would stand behind `#SBATCH`. */
  readonly sbatch: string;
  /** Tasks that run at once at the most; as many as Slurm allows where it is absent. */
  readonly atOnce?: number;
}

/** An array that was submitted for a run. */
export interface JobArray {
  /** Slurm's number of it. */
  readonly id: string;
  /** Its place in the run's folder. */
  readonly path: string;
  /** Names of records, by task. */
  readonly tasks: readonly (readonly string[])[];
}

/** What Slurm says of a task that has not ended. */
export interface Task {
  readonly array: JobArray;
  readonly index: number;
  /** In Slurm's words, e.g. `RUNNING`. */
  readonly state: string;
  /** Why it waits, or the node that it runs on. */
  readonly detail: string;
}

/** Submits the jobs that no task of an earlier array has, and waits for all of them. */
export function slurmArray(options: SlurmOptions): Executor {
  assertOptions(options.sbatch);
  return async (prepared, waiting, { watcher, ended, signal }) => {
    const { folder, plan, run } = prepared;
    const left = new Map(waiting.map((job) => [job.record, job]));
    const arrays = await arraysOf(folder);
    const submitted = new Submitted();
    const cancelled: Task[] = [];
    const speaks = summaries((line) => watcher.said(line));
    let alive: readonly string[] = [];
    signal.addEventListener("abort", () => {
      if (alive.length > 0) {
        watcher.said(`Slurm goes on without this program; scancel ${alive.join(" ")} would end it`);
      }
    });

    for (let wait = shortestWait; left.size > 0; await rested(wait, signal)) {
      // Whoever is gone from the queue has left its record before.
      const tasks = await queued(arrays, (reason) => watcher.said(reason));
      await assertThere(folder);
      const before = left.size;
      for (const name of await namesOfRecords(folder)) {
        const job = left.get(name);
        const record = job && await readRecord(recordPath(folder, job), () => {});
        if (job === undefined || record === undefined) continue;
        left.delete(name);
        await ended(job, record);
      }
      wait = left.size < before ? shortestWait : Math.min(longestWait, 1.5 * wait);
      // Where Slurm does not answer, nothing is known of who has gone.
      if (tasks === undefined) continue;

      alive = idsOf(tasks);
      const gone = submitted.look(left.values(), tasks);
      const ends = gone.length === 0
        ? []
        : await queued(arrays, (reason) => watcher.said(reason), "CANCELLED");
      if (ends === undefined) continue;
      // What a person ended is not for a program to begin again.
      for (const job of gone) {
        const task = ends.findLast(({ array, index }) => array.tasks[index].includes(job.record));
        const last = arrays.findLast(({ tasks }) => tasks.some((names) => names.includes(job.record)));
        if (task === undefined || task.array !== last) continue;
        cancelled.push(task);
        left.delete(job.record);
      }
      if (left.size === 0) break;
      const { fresh, lost, lostTwice } = submitted.sorted(left.values());
      for (const job of lostTwice) {
        const reason = `twice its task ended without a record: ${await lastWords(arrays, job)}`;
        const failed = failedRecord({ plan, profile: run.profile }, job, reason);
        await writeRecord(folder, job, failed);
        left.delete(job.record);
        await ended(job, failed);
      }
      for (const job of lost) {
        watcher.said(`${nameOfJob(job)}: its task ended without a record; it is submitted once more`);
      }
      const jobs = [...fresh, ...lost];
      if (jobs.length === 0) {
        speaks(tasks);
        continue;
      }
      const array = await submit(prepared, jobs, arrays.length + 1, options);
      arrays.push(array);
      submitted.add(jobs);
      const { id, path } = array;
      alive = [...alive, id];
      watcher.said(
        `array ${id}: ${jobs.length} jobs in ${array.tasks.length} tasks; what they say is in ${path}`,
      );
      wait = shortestWait;
    }
    if (cancelled.length > 0) {
      const ids = idsOf(cancelled).join(", ");
      throw new Cancelled(
        `array ${ids} was cancelled, and ${cancelled.length} of its jobs were not done; ` +
          `finished jobs are kept in ${folder}, and the same command submits what is missing`,
      );
    }
  };
}

/** How often each job was submitted, and since when it is gone from the queue. */
class Submitted {
  readonly #times = new Map<string, number>();
  readonly #goneSince = new Map<string, number>();
  readonly #ending = new Set<string>();

  add(jobs: readonly Job[]): void {
    for (const { record } of jobs) {
      this.#times.set(record, (this.#times.get(record) ?? 0) + 1);
      this.#goneSince.delete(record);
      this.#ending.delete(record);
    }
  }

  /** Looks at jobs without a record; gives those whose task waited or ran here, and is gone. */
  look(jobs: Iterable<Job>, tasks: readonly Task[]): Job[] {
    const taken = new Map(
      tasks.flatMap(({ array, index, state }) =>
        array.tasks[index].map((record) => [record, state] as const)
      ),
    );
    const gone: Job[] = [];
    for (const job of jobs) {
      const { record } = job;
      const state = taken.get(record);
      if (state !== undefined) {
        // What was ended before this launcher came is what it was asked to go on with.
        if (state !== "COMPLETING") this.#ending.delete(record);
        else if (!this.#times.has(record)) this.#ending.add(record);
        // It may be of an array that an earlier launcher submitted.
        this.#times.set(record, this.#times.get(record) ?? 1);
        this.#goneSince.delete(record);
      } else if (this.#times.has(record)) {
        if (!this.#goneSince.has(record)) this.#goneSince.set(record, performance.now());
        if (!this.#ending.has(record)) gone.push(job);
      }
    }
    return gone;
  }

  /** Of those that were looked at: the ones that no task has or had, and those whose task has gone for good. */
  sorted(jobs: Iterable<Job>): Record<"fresh" | "lost" | "lostTwice", Job[]> {
    const late = performance.now() - 1000 * graceSeconds;
    const sorts = { fresh: [] as Job[], lost: [] as Job[], lostTwice: [] as Job[] };
    for (const job of jobs) {
      const times = this.#times.get(job.record);
      if (times === undefined) sorts.fresh.push(job);
      else if ((this.#goneSince.get(job.record) ?? Infinity) <= late) {
        sorts[times < 2 ? "lost" : "lostTwice"].push(job);
      }
    }
    return sorts;
  }
}

// Seconds between two looks at the queue: soon after something happened, and seldom where nothing does.
const [shortestWait, longestWait] = [1, 15];

// A shared file system may show another node's record late: NFS looks again after half a minute at the latest.
const graceSeconds = 30;

// Seconds before its time is over, at which a task is told so.
const noticeSeconds = 60;

/**
 * What the tasks of a run's arrays are doing, or which of them have come to an end of some kind, as long as Slurm knows
 * (its `MinJobAge`, five minutes unless said); undefined where it does not answer.
 */
export async function queued(
  arrays: readonly JobArray[],
  told: (reason: string) => void,
  end?: "CANCELLED",
): Promise<Task[] | undefined> {
  const ids = new Map(arrays.filter(({ id }) => id !== "").map((array) => [array.id, array]));
  if (ids.size === 0) return [];
  const { code, out, err } = await call("squeue", [
    "--noheader",
    "--array",
    `--jobs=${[...ids.keys()].join(",")}`,
    ...(end === undefined ? [] : [`--states=${end}`]),
    "--format=%i|%T|%r|%N",
  ]);
  // One number that Slurm has forgotten is an error; of several the others are listed.
  if (code !== 0 && /invalid job id/i.test(err)) return [];
  if (code !== 0) {
    told(`squeue does not answer (${err.trim().split("\n")[0]}); it is asked again`);
    return undefined;
  }
  return out.split("\n").flatMap((line) => {
    const [, id, index, state, reason, node] = /^(\d+)_(\d+)\|(\w+)\|(.*)\|(.*)$/.exec(line.trim()) ?? [];
    const array = ids.get(id);
    const has = array?.tasks[Number(index)] !== undefined;
    return has ? [{ array: array!, index: Number(index), state, detail: node || reason }] : [];
  });
}

/** The arrays that were submitted for a run, in their order. Where Slurm is needed to tell and does not, it throws. */
export async function arraysOf(folder: string): Promise<JobArray[]> {
  const arrays: JobArray[] = [];
  let scripts: Map<string, string> | undefined;
  for (let number = 1;; number++) {
    const path = `${folder}/slurm/${number}`;
    const [written, tasks] = await Promise.all([readIfThere(`${path}/id`), readIfThere(`${path}/tasks`)]);
    if (tasks === undefined) return arrays;
    // A launcher that was killed while it submitted has written no number.
    const id = written?.trim() ?? (scripts ??= await queuedScripts()).get(`${path}/array.sh`);
    // Without one it came to nothing.
    arrays.push({
      id: id ?? "",
      path,
      tasks: id === undefined ? [] : tasks.trimEnd().split("\n").map((line) => line.split(" ").map(recordOf)),
    });
  }
}

/** The scripts of this user's arrays that are in the queue, with Slurm's number of each. */
async function queuedScripts(): Promise<Map<string, string>> {
  const { code, out, err } = await call("squeue", ["--noheader", "--me", "--format=%F|%o"]);
  if (code !== 0) {
    throw new UsageError({
      what: `squeue does not answer: ${err.trim().split("\n")[0]}`,
      where: "--executor slurm",
      fix: "give the same command when it does: this run may have an array in the queue",
    });
  }
  return new Map(
    out.split("\n").flatMap((line) => {
      const [, id, script] = /^(\d+)\|(.*)$/.exec(line.trimStart()) ?? [];
      return id === undefined ? [] : [[script, id] as const];
    }),
  );
}

/** Refuses a machine that has no Slurm, before anything is begun. */
export async function assertSlurm(): Promise<void> {
  await call("sbatch", ["--version"]);
}

/** Refuses to start a run over, or to run it elsewhere, while its arrays are in the queue. */
export async function assertNotQueued(folder: string): Promise<void> {
  if (await readIfThere(`${folder}/slurm/1/tasks`) === undefined || !await hasSlurm()) return;
  const arrays = await arraysOf(folder);
  const tasks = await queued(arrays, () => {}) ?? [];
  if (tasks.length === 0) return;
  const ids = idsOf(tasks).join(" ");
  throw new UsageError({
    what: `Slurm's queue still has tasks of this run: ${tasks.length} of array ${ids}`,
    where: folder,
    fix: `give --executor slurm without --fresh to go on with them, or end them: scancel ${ids}`,
  });
}

async function submit(
  { folder, plan, run }: Prepared,
  jobs: readonly Job[],
  number: number,
  { sbatch, atOnce }: SlurmOptions,
): Promise<JobArray> {
  const path = `${folder}/slurm/${number}`;
  const count = Math.min(jobs.length, await largestArray());
  const tasks = Array.from(
    { length: count },
    (_, task) => jobs.filter((_job, i) => i % count === task).map(({ record }) => record),
  );
  await writeWhole(`${path}/tasks`, tasks.map((names) => `${names.map(nameOf).join(" ")}\n`).join(""));
  await writeWhole(`${path}/array.sh`, script(folder, path, `${run.benchmark}-${run.profile}`, plan, sbatch));
  const { code, out, err } = await call("sbatch", [
    "--parsable",
    `--array=0-${count - 1}${atOnce === undefined ? "" : `%${atOnce}`}`,
    `--output=${path.replaceAll("%", "%%")}/%a.log`,
    "--open-mode=append",
    `${path}/array.sh`,
  ]);
  if (code !== 0) {
    await Deno.remove(path, { recursive: true });
    throw new UsageError({
      what: `sbatch does not take the array: ${err.trim()}`,
      where: sbatch === "" ? "--executor slurm" : `--sbatch "${sbatch}"`,
      fix: "give with --sbatch what this cluster asks for, e.g. a partition, an account, a time",
    });
  }
  const id = out.trim().split(";")[0];
  await writeWhole(`${path}/id`, `${id}\n`);
  return { id, path, tasks };
}

/** What a task runs. It needs nothing but a POSIX shell. */
function script(folder: string, path: string, name: string, plan: Prepared["plan"], sbatch: string): string {
  const worker = [Deno.execPath(), ...workerArguments(folder, plan)].map(quoted).join(" ");
  return `#!/bin/sh
#SBATCH --job-name=${name}
#SBATCH --requeue --signal=B:USR1@${noticeSeconds}
#SBATCH ${sbatch}
# A task of an array: the jobs in its line of the file "tasks", one after the other. Each goes on from its checkpoint.

# Whoever submitted this may have been killed before it could write down the number.
id=${quoted(`${path}/id`)}
[ -e "$id" ] || { echo "$SLURM_ARRAY_JOB_ID" > "$id.$SLURM_ARRAY_TASK_ID" && mv "$id.$SLURM_ARRAY_TASK_ID" "$id"; }

warned= # the end is near: of the time (USR1), or by preemption or scancel (TERM)
trap 'warned=USR1; kill -USR2 "$worker" 2> /dev/null' USR1
trap 'warned=TERM; kill -USR2 "$worker" 2> /dev/null' TERM
requeue() { exec scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"; }

for job in $(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(`${path}/tasks`)}); do
  record=${quoted(`${folder}/records`)}/$job.json
  [ -e "$record" ] && continue
  [ "$warned" = USR1 ] && requeue
  # What is told before it listens does not end the worker, and is told again.
  (trap '' USR2; exec ${worker} "$job") &
  worker=$!
  wait "$worker"
  code=$?
  # A signal ends the waiting, not the worker.
  while kill -0 "$worker" 2> /dev/null; do
    while sleep 1 && kill -USR2 "$worker"; do :; done 2> /dev/null &
    wait "$worker"
    code=$?
  done
  [ -e "$record" ] && continue
  # It has come further and kept that, so it may have another turn.
  [ "$warned" = USR1 ] && [ "$code" = ${stoppedCode} ] && requeue
  # Slurm ends what it means to end, or gives it another turn; one that has ended by itself would get none.
  [ "$warned" = TERM ] && sleep 600
  [ -n "$warned" ] && break
done
exit 0
`;
}

/** A word of the shell. */
function quoted(text: string): string {
  return /^[\w./:=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

const nameOf = (record: string) => record.replace(/\.json$/, "");
const recordOf = (name: string) => `${name}.json`;

/** The end of what a job's last task said. */
async function lastWords(arrays: readonly JobArray[], { record }: Job): Promise<string> {
  for (const { path, tasks } of arrays.toReversed()) {
    const task = tasks.findIndex((names) => names.includes(record));
    if (task < 0) continue;
    const log = await readIfThere(`${path}/${task}.log`);
    if (log === undefined) return `${path}/${task}.log is not there; do the nodes see this folder?`;
    return log.trim().slice(-2000) || "it said nothing";
  }
  return "it said nothing";
}

async function namesOfRecords(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(`${folder}/records`)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

/** Says how the queue stands when that has changed, and not more than once a minute. */
function summaries(said: (line: string) => void): (tasks: readonly Task[]) => void {
  let last = "";
  let next = 0;
  return (tasks) => {
    const line = inWords(tasks);
    if (line === last || performance.now() < next) return;
    last = line;
    next = performance.now() + 60_000;
    said(line);
  };
}

/** The queue in words: `array 12: 4 running, 16 pending`. */
export function inWords(tasks: readonly Task[]): string {
  const ids = idsOf(tasks);
  const states = Map.groupBy(tasks, ({ state }) => state.toLowerCase());
  const counts = [...states].map(([state, list]) => `${list.length} ${state}`).join(", ");
  return ids.length === 0 ? "no task is in the queue" : `array ${ids.join(", ")}: ${counts}`;
}

function idsOf(tasks: readonly Task[]): string[] {
  return [...new Set(tasks.map(({ array }) => array.id))];
}

/** Tasks that an array may have here. */
async function largestArray(): Promise<number> {
  const { out } = await call("scontrol", ["show", "config"]);
  return Number(/MaxArraySize\s*=\s*(\d+)/.exec(out)?.[1] ?? 1001) - 1;
}

/** Refuses options that would take away what the launcher relies on, and those that are several lines. */
function assertOptions(sbatch: string): void {
  const own = /(?:^|\s)(--(?:array|output|error|open-mode|wrap|parsable|signal)|-[aoe])(?:[\s=]|$)/.exec(
    sbatch,
  );
  if (own === null && !sbatch.includes("\n")) return;
  throw new UsageError({
    what: own === null ? "it has several lines" : `${own[1]} is for this program to give`,
    where: `--sbatch "${sbatch}"`,
    fix: "--workers N limits the tasks that run at once; what they say is in the run's folder, in slurm/",
  });
}

async function hasSlurm(): Promise<boolean> {
  return await call("squeue", ["--version"]).then(({ code }) => code === 0, () => false);
}

async function call(program: string, args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { code, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    const text = new TextDecoder();
    return { code, out: text.decode(stdout), err: text.decode(stderr) };
  } catch (cause) {
    throw new UsageError({
      what: `there is no ${program} here`,
      where: "--executor slurm",
      fix: "give the command where jobs are submitted on the cluster, or --executor local",
    }, { cause });
  }
}

function rested(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, 1000 * seconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
