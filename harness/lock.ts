/**
 * Locks: files that say who works on a run or on one of its jobs.
 *
 * The operating system holds them (an advisory lock of the whole file), also on shared file systems that know locks, as NFS
 * does: a process that dies, however it dies, leaves nothing that anybody would have to clear away. What is written
 * in the file is for people: host and process of the holder.
 */

import process from "node:process";
import { StorageError, UsageError, whyNot } from "../core/errors.ts";

/** How a lock is taken. */
export interface LockOptions {
  /** What is locked, in words, e.g. `"this run"`. */
  readonly what: string;
  /** What errors about the folder name; the lock's path unless said. */
  readonly where?: string;
  /** Has it waited for, where another process holds it, until that one ends; is told who does, once. */
  readonly waits?: (holder: string) => void;
}

// How often a lock that is waited for is tried.
const retryMs = 200;

/** A lock that this process holds. Dispose it when done. */
export class Lock implements AsyncDisposable {
  private constructor(readonly path: string, readonly file: Deno.FsFile) {}

  /**
   * Takes the lock at `path`.
   *
   * @throws {UsageError} where another process holds it and is not waited for, naming host and process; or where the folder
   * cannot be written.
   * @throws {StorageError} where the disk is full.
   */
  static async take(path: string, { what, where = path, waits }: LockOptions): Promise<Lock> {
    for (let tries = 0;; tries++) {
      const file = await opened(path, where);
      if (!await file.tryLock(true)) {
        file.close();
        if (waits !== undefined) {
          if (tries === 0) waits(await holderOf(path));
          await new Promise((resolve) => setTimeout(resolve, retryMs));
          continue;
        }
        throw new UsageError({
          what: `${what} is held by ${await holderOf(path)}`,
          where: path,
          fix: "wait for it or end it",
        });
      }
      // Whoever held it before may have removed the file that was locked here.
      if (!await isAt(path, file)) {
        file.close();
        continue;
      }
      try {
        await file.truncate();
        await file.write(new TextEncoder().encode(`process ${process.pid} on ${Deno.hostname()}\n`));
      } catch (error) {
        file.close();
        throw new StorageError(path, error);
      }
      return new Lock(path, file);
    }
  }

  /** Gives the lock back. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Removed while it is held, so that nobody else can be holding what is removed.
    await Deno.remove(this.path).catch(() => {});
    this.file.close();
  }
}

/** Takes its file away, for a process that ends here and now and gives its lock back by that. */
export function removeLockAtOnce({ path }: Lock): void {
  try {
    Deno.removeSync(path);
  } catch {
    // What is left of it holds nothing.
  }
}

async function opened(path: string, where: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (cause) {
    throw new UsageError({
      what: `the folder cannot be written: ${whyNot(cause)}`,
      where,
      fix: "name a folder that this user may write to",
    }, { cause });
  }
}

async function holderOf(path: string): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return text.trim() || "another process";
}

async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  try {
    const [there, here] = [await Deno.stat(path), await file.stat()];
    return there.ino === here.ino && there.dev === here.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
