/** Files that are either whole or not there. */

import { StorageError } from "./errors.ts";

// Tells apart two writings of one file at the same time by one process.
let written = 0;

/**
 * Writes a file by way of a temporary one beside it and a rename, so that whoever reads it finds the old bytes or
 * the new ones and never a part. Folders on the way are made. Pieces are written as they come, so that what is long
 * is never in memory as a whole.
 *
 * @throws {StorageError} where it cannot be written; what was there before is still there.
 */
export async function writeWhole(
  path: string,
  content: string | Uint8Array | Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const temporary = `${path}.${Deno.pid}-${++written}.tmp`;
  try {
    await makeFolderOf(path);
    using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    for await (const bytes of inChunks(content)) {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    }
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    // What gives the content may fail, too, and says so itself.
    throw isOfSystem(error) ? new StorageError(path, error) : error;
  }
}

/** {@linkcode writeWhole} of a short text, during which nothing else of the process happens. */
export function writeWholeAtOnce(path: string, content: string): void {
  const temporary = `${path}.${Deno.pid}-${++written}.tmp`;
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(temporary, content);
    Deno.renameSync(temporary, path);
  } catch (error) {
    throw new StorageError(path, error);
  }
}

/** Gives a file that was written under another name beside it its own, once it is on the disk. */
export async function makeWhole(temporary: string, path: string): Promise<void> {
  try {
    using file = await Deno.open(temporary, { read: true, write: true });
    await file.sync();
    await Deno.rename(temporary, path);
  } catch (error) {
    throw new StorageError(path, error);
  }
}

/** Makes the folders above a file. */
export async function makeFolderOf(path: string): Promise<void> {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
}

/** Removes the temporary files of writings of `paths` that were killed; whoever calls holds the lock of their writers. */
export async function removeLeftovers(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const at = path.lastIndexOf("/") + 1;
    const base = path.slice(at);
    const own = (name: string) => name.startsWith(base) && /^\.\d+-\d+\.tmp$/.test(name.slice(base.length));
    try {
      for await (const { name } of Deno.readDir(path.slice(0, at))) {
        if (own(name)) await Deno.remove(path.slice(0, at) + name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Whether the operating system refused; its errors have a code such as `ENOSPC`. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "string";
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const chunkLength = 1 << 16;

async function* inChunks(
  content: string | Uint8Array | Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) return yield content;
  const encoder = new TextEncoder();
  if (typeof content === "string") return yield encoder.encode(content);
  // To await each of a million lines that are there already takes longer than to write them.
  for await (const text of Symbol.iterator in content ? joined(content) : content) yield encoder.encode(text);
}

function* joined(pieces: Iterable<string>): Generator<string> {
  let waiting = "";
  for (const piece of pieces) {
    waiting += piece;
    if (waiting.length < chunkLength) continue;
    yield waiting;
    waiting = "";
  }
  yield waiting;
}

/** Whether there is anything at a path that may be looked at. */
export function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/**
 * The lines of a file that are not empty, one at a time, with `path:line` to name each by. A file that is named `….gz` is
 * unpacked on the way, never as a whole.
 */
export async function* linesOf(path: string): AsyncGenerator<{ text: string; where: string }> {
  const file = await Deno.open(path);
  const bytes = path.endsWith(".gz")
    ? file.readable.pipeThrough(new DecompressionStream("gzip"))
    : file.readable;
  let pieces: string[] = [];
  let line = 1;
  for await (const chunk of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = chunk.split("\n");
    for (const part of parts.slice(0, -1)) {
      const text = [...pieces, part].join("");
      pieces = [];
      if (text.trim() !== "") yield { text, where: `${path}:${line}` };
      line += 1;
    }
    pieces.push(parts.at(-1)!);
  }
  const text = pieces.join("");
  if (text.trim() !== "") yield { text, where: `${path}:${line}` };
}
