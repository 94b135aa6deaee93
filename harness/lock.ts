/**
 * Locks: files that say who works on a run or on one of its jobs.
 *
 * A lock is made in one step that only one process can win, on a shared file system too. It names its host and
 * process. A holder that is gone leaves it behind: on the same host that shows in the process's absence, on another
 * one in the lock's not being touched any more, watched by the challenger's own clock, so that two machines need not
 * agree on the time.
 */

import process from "node:process";
import { UsageError } from "../core/errors.ts";
import { writeWhole } from "../core/files.ts";

/** Who holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Tells two holders with the same number apart. */
  readonly since: string;
  /** Counts the signs of life. */
  readonly beats: number;
}

/** How a lock is taken. */
export interface LockOptions {
  /** What is locked, in words, e.g. `"this run"`. */
  readonly what: string;
  /** What errors about the folder name; the lock's path unless said. */
  readonly where?: string;
  /** Seconds without a sign of life after which a holder on another host is taken for gone; 60 unless said. */
  readonly patience?: number;
  /** Told that a lock is watched, which takes that long. */
  readonly told?: (line: string) => void;
}

/** A lock that this process holds. Dispose it when done; a process that dies leaves it to the next. */
export class Lock implements AsyncDisposable {
  readonly #path: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #holder: Holder;
  #beating: Promise<void> = Promise.resolve();

  private constructor(path: string, holder: Holder, beatSeconds: number) {
    this.#path = path;
    this.#holder = holder;
    this.#timer = setInterval(() => this.#beat(), 1000 * beatSeconds);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /**
   * Takes the lock at `path`.
   *
   * @throws {UsageError} where another process holds it, naming host and process.
   */
  static async take(
    path: string,
    { what, where = path, patience = 60, told = () => {} }: LockOptions,
  ): Promise<Lock> {
    const own: Holder = {
      host: Deno.hostname(),
      pid: process.pid,
      since: crypto.randomUUID(),
      beats: 0,
    };
    for (;;) {
      if (await created(path, own, where)) return new Lock(path, own, patience / 6);
      const holder = await holderOf(path);
      if (holder === undefined) continue;
      if (holder.host === own.host ? isAlive(holder.pid) : await beats(path, holder, patience, told)) {
        throw new UsageError({
          what: `${what} is held by process ${holder.pid} on ${holder.host}`,
          where: path,
          fix: "wait for it or end it; if there is no such process any more, delete the file",
        });
      }
      await remove(path, holder);
    }
  }

  #beat(): void {
    this.#holder = { ...this.#holder, beats: this.#holder.beats + 1 };
    // A folder that is gone for a moment is found out by whoever writes results into it.
    this.#beating = writeWhole(this.#path, JSON.stringify(this.#holder)).catch(() => {});
  }

  /** Gives the lock back. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await remove(this.#path, this.#holder);
  }
}

async function created(path: string, holder: Holder, where: string): Promise<boolean> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const unwritable = (cause: unknown) =>
    new UsageError({
      what: `the folder cannot be written: ${(cause as Error).message}`,
      where,
      fix: "name a folder that this user may write to",
    }, { cause });
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw unwritable(cause);
  }
  try {
    using file = await Deno.open(path, { write: true, createNew: true });
    await file.write(new TextEncoder().encode(JSON.stringify(holder)));
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw unwritable(cause);
  }
}

/** Who holds the lock; undefined where nobody does any more. One that cannot be read was left by a process that died. */
async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    const text = await Deno.readTextFile(path);
    try {
      return JSON.parse(text);
    } catch {
      return { host: "?", pid: 0, since: text, beats: 0 };
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user lives, too.
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Whether a holder elsewhere gives a sign of life while it is watched. */
async function beats(
  path: string,
  holder: Holder,
  patience: number,
  told: (line: string) => void,
): Promise<boolean> {
  told(`${path} names process ${holder.pid} on ${holder.host}; it is watched for ${patience} seconds`);
  for (let waited = 0; waited < patience; waited++) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(1, patience - waited) * 1000));
    const now = await holderOf(path);
    if (now === undefined) return false;
    if (now.since !== holder.since || now.beats !== holder.beats) return true;
  }
  return false;
}

/** Removes a lock, if it is still this holder's. */
async function remove(path: string, holder: Holder): Promise<void> {
  // Of several who find the same lock left behind, the rename lets one go on; the others look again.
  const aside = `${path}.${process.pid}-${holder.since.slice(0, 8).replace(/\W/g, "")}.tmp`;
  try {
    if ((await holderOf(path))?.since !== holder.since) return;
    await Deno.rename(path, aside);
    await Deno.remove(aside);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
