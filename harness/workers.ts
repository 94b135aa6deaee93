/**
 * The executor of one machine: a worker process a job, so many at once.
 *
 * A worker is `deno task job RUN INDEX`; it tells its progress in JSON lines and leaves its record.
 */

import { readRecord, type ResultRecord } from "../results/record.ts";
import { assertThere, type Executor, type Watcher } from "./execute.ts";
import { recordPath, removeRecord, writeRecord } from "./folder.ts";
import { failedRecord, type Message, phases } from "./job.ts";
import { workerPermissions } from "./permissions.ts";
import { type Job, nameOfJob, type Plan } from "./plan.ts";
import type { Prepared } from "./prepare.ts";

/** Runs `count` workers at a time. Aborting ends them. */
export function localWorkers(count: number): Executor {
  return async (prepared, waiting, { watcher, ended, signal }) => {
    const queue = waiting.values();
    const work = async () => {
      for (const job of queue) {
        signal.throwIfAborted();
        watcher.started(job);
        const record = await runWorker(prepared, job, watcher, signal);
        await assertThere(prepared.folder);
        await ended(job, record);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, Math.min(count, waiting.length)) }, work));
  };
}

/** Runs a job in a worker; one that is killed or hangs gets a second worker, which goes on from its checkpoint. */
export async function runWorker(
  prepared: Prepared,
  job: Job,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<ResultRecord> {
  const { folder, plan, run } = prepared;
  const first = await tryWorker(prepared, job, watcher, signal);
  if ("version" in first) return first;
  await assertThere(folder);
  let { reason } = first;
  if (first.again) {
    watcher.said(
      `${nameOfJob(job)}: ${reason}; it is tried once more`,
    );
    const second = await tryWorker(prepared, job, watcher, signal);
    if ("version" in second) return second;
    reason = `twice: ${second.reason}`;
  }
  const failed = failedRecord({ plan, profile: run.profile }, job, reason);
  await writeRecord(folder, job, failed);
  return failed;
}

/** Why a worker left no record, and whether another one may. */
interface Lost {
  readonly reason: string;
  readonly again: boolean;
}

async function tryWorker(
  { folder, plan }: Prepared,
  job: Job,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<ResultRecord | Lost> {
  // What is read afterwards is then of this worker.
  await removeRecord(folder, job);
  const child = spawn(folder, plan, job);
  const end = () => kill(child, "SIGTERM");
  signal.addEventListener("abort", end);
  const patience = plan.hangSeconds ?? hangSeconds;
  let hung = false;
  const giveUp = () => {
    hung = true;
    kill(child, "SIGKILL");
  };
  let timer = setTimeout(giveUp, 1000 * patience);
  try {
    const errors = readTail(child.stderr, 4000);
    let saidLines = 0;
    for await (const message of messages(child.stdout)) {
      clearTimeout(timer);
      timer = setTimeout(giveUp, 1000 * patience);
      if ("phase" in message) watcher.progressed(job, message);
      else if ("told" in message) watcher.said(`${nameOfJob(job)}: ${message.told}`);
      else if (++saidLines <= mostSaid) watcher.said(`${job.method} says: ${message.said}`);
      else if (saidLines === mostSaid + 1) watcher.said(`${job.method} says more, which is left out`);
    }
    const status = await child.status;
    signal.throwIfAborted();
    let broken = "";
    const record = await readRecord(recordPath(folder, job), (reason) => broken = reason);
    if (record !== undefined) return record;
    const tail = (await errors).trim();
    const how = hung
      ? `the worker did nothing for ${patience} seconds and was ended`
      : `the worker ended with code ${status.code}${status.signal === null ? "" : ` (${status.signal})`}`;
    const killed = hung || status.signal !== null;
    return { reason: broken || (killed && tail ? `${how}: ${tail}` : tail || how), again: killed };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

// What a worker may take between two signs of life unless said: an update of the paper's size takes half a minute.
const hangSeconds = 1800;

// Lines that a user's module may print in one job; a print inside a method would be thousands.
const mostSaid = 20;

function spawn(folder: string, plan: Plan, job: Job): Deno.ChildProcess {
  const options: Deno.CommandOptions = {
    args: [...workerArguments(folder, plan), String(job.index), "--worker"],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // The last that a worker says may become the reason in a record, which is no terminal.
    env: { NO_COLOR: "1" },
  };
  try {
    return new Deno.Command(Deno.execPath(), options).spawn();
  } catch {
    // A launcher with few permissions may start "deno" by its name only. It is second, since that may be npm's script
    // of this name, which does not hand on the signal that ends a worker.
    return new Deno.Command("deno", options).spawn();
  }
}

/** How Deno is called for a worker, but for the job. */
export function workerArguments(folder: string, plan: Plan): string[] {
  return [
    "run",
    // Optimising for size keeps a worker some 50 MB smaller and, measured, no slower: its time is in WebAssembly.
    "--v8-flags=--optimize-for-size",
    "--no-prompt",
    "--no-remote",
    ...workerPermissions(folder, plan),
    new URL("../commands/job.ts", import.meta.url).href,
    folder,
  ];
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

/** What a worker tells. Its user's module may write to stdout too: what is no message is left out. */
async function* messages(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Message> {
  let rest = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const message = messageOf(part);
      if (message !== undefined) yield message;
    }
  }
}

function messageOf(line: string): Message | undefined {
  try {
    const { phase, done, said, told } = JSON.parse(line);
    if (phases.includes(phase) && typeof done === "number") return { phase, done };
    if (typeof told === "string") return { told };
    return typeof said === "string" ? { said } : undefined;
  } catch {
    return undefined;
  }
}

async function readTail(bytes: ReadableStream<Uint8Array>, limit: number): Promise<string> {
  let tail = "";
  for await (
    const text of bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    tail = (tail + text).slice(-limit);
  }
  return tail;
}
