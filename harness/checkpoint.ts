/**
 * Checkpoints: what a job that was stopped goes on from, to the same bits.
 *
 * A file is a line of JSON, then the values of its arrays, then the SHA-256 of both. It is written whole or not at all;
 * the one before it stays beside it until the next is there, so that damage to one costs no more than the time between
 * two. Whether one is written when depends on the clock; what is in it does not.
 */

import { explain } from "../core/errors.ts";
import { linesOf, writeWhole } from "../core/files.ts";
import { canonicalJson, type Json, sha256 } from "../core/json.ts";
import type { LearnerState } from "../methods/method.ts";
import type { LogEntry } from "../results/record.ts";
import type { DealerState } from "./samples.ts";

/** Version of the file's form; another one is not read. */
const version = 1;

/** Everything about the training of one job after some update. */
export interface Checkpoint {
  /** What it belongs to: a job of a configuration, and the code that ran it. */
  readonly of: string;
  /** Generator updates done. */
  readonly update: number;
  readonly log: readonly LogEntry[];
  /** Sums of the losses since the last entry of the log. */
  readonly sums: Readonly<Record<string, number>>;
  /** Updates since then. */
  readonly since: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  readonly dealer: DealerState;
  readonly learner: LearnerState;
}

/** A checkpoint as the bytes of a file. */
export function encodeCheckpoint({ learner, ...rest }: Checkpoint): Uint8Array<ArrayBuffer> {
  const lengths = learner.arrays.map(({ length }) => length);
  const head = canonicalJson({ version, ...rest, learner: learner.rest, lengths } as unknown as Json);
  const text = new TextEncoder().encode(`${head}\n`);
  const count = lengths.reduce((sum, length) => sum + length, 0);
  const bytes = new Uint8Array(text.length + 4 * count + digestBytes);
  bytes.set(text);
  let at = text.length;
  for (const { buffer, byteOffset, byteLength } of learner.arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  bytes.set(digestOf(bytes.subarray(0, at)), at);
  return bytes;
}

/**
 * Reads a checkpoint.
 *
 * @throws {SyntaxError} where the bytes are not those of a checkpoint that was written whole; `where` names the file.
 */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const refuse = (what: string): never => {
    throw new SyntaxError(
      explain({
        what: `cannot use a checkpoint: ${what}`,
        where,
        fix: "none is needed: the job goes on without it",
      }),
    );
  };
  const content = bytes.subarray(0, Math.max(0, bytes.length - digestBytes));
  const digest = digestOf(content);
  if (bytes.length <= digestBytes || bytes.subarray(content.length).some((byte, i) => byte !== digest[i])) {
    return refuse("its bytes are not those that were written");
  }
  const end = content.indexOf(10);
  let head: Head;
  try {
    head = JSON.parse(new TextDecoder().decode(content.subarray(0, Math.max(0, end))));
  } catch (cause) {
    return refuse(`its head is not JSON: ${(cause as Error).message}`);
  }
  const { version: own, lengths, learner, ...rest } = Object(head) as Head;
  if (own !== version) return refuse(`its version is ${own}, this program reads ${version}`);
  const count = Array.isArray(lengths) ? lengths.reduce((sum, length) => sum + length, 0) : NaN;
  if (
    count * 4 !== content.length - end - 1 ||
    !lengths.every((length) => Number.isInteger(length) && length >= 0)
  ) {
    return refuse("its arrays are not as long as it says");
  }
  let at = end + 1;
  const arrays = lengths.map((length) => {
    const own = content.slice(at, at + 4 * length);
    at += own.length;
    return new Float32Array(own.buffer);
  });
  return { ...rest, learner: { arrays, rest: learner } };
}

/** The first line of the file. */
interface Head extends Omit<Checkpoint, "learner"> {
  readonly version: number;
  /** Values of each array. */
  readonly lengths: readonly number[];
  readonly learner: LearnerState["rest"];
}

/** The checkpoints of one job: a file, and the one before it. */
export class Checkpoints {
  readonly #paths: readonly [newest: string, older: string];
  /** Whether the newest file cannot be used, and so is not to take the older one's place. */
  #isNewestPassedOver = false;

  /** `base` is the path without its ending; `of` says what the job is, and which code runs it. */
  constructor(base: string, readonly of: string) {
    this.#paths = [`${base}.checkpoint`, `${base}.checkpoint.before`];
  }

  /** Writes one; the newest that can be used stays as the one before. */
  async write(checkpoint: Omit<Checkpoint, "of">): Promise<void> {
    const [newest, older] = this.#paths;
    if (!this.#isNewestPassedOver) await Deno.rename(newest, older).catch(unlessMissing);
    this.#isNewestPassedOver = false;
    await writeWhole(newest, encodeCheckpoint({ ...checkpoint, of: this.of }));
  }

  /** The newest that can be used; `told` hears of those that cannot, and what the job does instead. */
  async read(told: (reason: string) => void): Promise<Checkpoint | undefined> {
    let leftAside = false;
    const leave = (reason: string) => {
      leftAside = true;
      told(reason);
    };
    for (const path of this.#paths) {
      let bytes: Uint8Array;
      try {
        bytes = await Deno.readFile(path);
      } catch (error) {
        unlessMissing(error);
        continue;
      }
      try {
        const checkpoint = decodeCheckpoint(bytes, path);
        if (checkpoint.of === this.of) {
          this.#isNewestPassedOver = leftAside;
          if (leftAside) told(`it goes on after update ${checkpoint.update}, from the one before: ${path}`);
          return checkpoint;
        }
        leave(`${path} is of other settings or other code, and is left aside`);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        leave(error.message);
      }
    }
    if (leftAside) told("no checkpoint is left to go on from: its training starts over");
    return undefined;
  }

  /** Removes them, once the job's record is there. */
  async remove(): Promise<void> {
    for (const path of this.#paths) await Deno.remove(path).catch(unlessMissing);
  }
}

/** How many updates the newest checkpoint at `base` holds, by its first line alone; undefined where there is none. */
export async function keptUpdates(base: string): Promise<number | undefined> {
  try {
    for await (const { text } of linesOf(`${base}.checkpoint`)) {
      const { update } = JSON.parse(text);
      return Number.isInteger(update) ? update : undefined;
    }
  } catch (error) {
    // One that is damaged is for the job to say.
    if (!(error instanceof SyntaxError)) unlessMissing(error);
  }
  return undefined;
}

const digestBytes = 32;

function digestOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.fromHex(sha256(bytes));
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
