/**
 * Computations that are done time and again with other values: recorded, and from then on replayed.
 *
 * **Mental model.** A {@linkcode Replay} runs a computation. What goes into it comes through `input`, what
 * leaves it, besides its result, through `output`; all else must be constants, and variables that Adam or
 * `assign` writes in place. On `wasm` the first run is traced and the second recorded: where both did the same,
 * with the same constants, the later runs are replays, which cost no JavaScript to speak of and give the same
 * bits. A run with another key (another shape, another operator) is recorded anew, and so is one that does not
 * find its variables where they were, and one in a thousand, to see whether it still does the same. On other
 * backends, and with `replay: false`, every run is an ordinary one.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { explain } from "../core/errors.ts";
import { Blocks, record, Recording } from "./recording.ts";
import { type Call, follow, Trace, underway } from "./trace.ts";

export { aside } from "./trace.ts";

/** How a computation's runs were done. */
export interface ReplayCounts {
  /** On the tape, as any computation. */
  tape: number;
  /** On the tape, and traced or recorded. */
  recorded: number;
  /** From a recording. */
  replayed: number;
}

const total: ReplayCounts = { tape: 0, recorded: 0, replayed: 0 };

/** How the runs of all computations of this process were done so far. */
export function replayCounts(): Readonly<ReplayCounts> {
  return { ...total };
}

/** What recordings are made on. */
interface Recorder {
  readonly backend: BackendWasm;
  readonly copyValues: Call;
}

let recorder: Recorder | undefined;

/** Sets what recordings are made on; undefined where nothing is recorded. Called by `startBackend`. */
export function recordOn(on: Recorder | undefined): void {
  recorder = on;
}

/**
 * A tensor that the computation is given: `fetch` is called in every run, at this point or, in a replay,
 * before all else. What it makes is disposed, what it borrows is left alone; in a recorded run the
 * computation sees a copy.
 *
 * A replay has no `compute` but the recorded one, and so calls its `fetch`: let it look up what belongs to
 * the run.
 */
export function input<T extends tf.Tensor>(fetch: () => T): T {
  const recording = underway();
  return recording === undefined ? fetch() : recording.input(fetch) as T;
}

/**
 * Hands `tensor`, in a recorded run a copy, to `take` in every run, which must `tf.keep` it if it wants to.
 * As with {@linkcode input}, replays call the recorded run's.
 */
export function output<T extends tf.Tensor>(tensor: T, take: (tensor: T) => void): void {
  const recording = underway();
  if (recording === undefined) take(tensor);
  else recording.output(tensor, recorder!.copyValues, take as (copy: tf.Tensor) => void);
}

interface Entry {
  readonly key: readonly unknown[];
  /** What the last run did. */
  readonly lines: readonly string[];
  /** How many runs in a row did not do the same as the one before them. */
  readonly doubts: number;
  /** Of a run that did the same as the one before it. */
  readonly recording?: Recording;
  /** How often it was replayed. */
  replays: number;
}

/**
 * How many recordings, with different keys, are kept of one computation: shapes and operators that alternate.
 */
const MOST = 8;
/**
 * So many recordings that never come to be replayed, and no more are made: every run has a key of its own.
 */
const PATIENCE = 64;
/** Recordings in a row that may differ: what is made once and then kept differs the first time. */
const DOUBTS = 3;
/** So many replays, and the next run is recorded anew, to see whether it still does the same. */
const TRUST = 1000;

/** A computation that runs often. Dispose it when done. */
export class Replay<T extends tf.Tensor = tf.Tensor> implements Disposable {
  /** How its runs were done. */
  readonly counts: Readonly<ReplayCounts> = { tape: 0, recorded: 0, replayed: 0 };
  readonly #title: string;
  /** The one used last comes last. */
  readonly #entries: Entry[] = [];
  #blocks: Blocks | undefined;
  #result: T | undefined;

  /** `title` is for errors. */
  constructor(title: string) {
    this.#title = title;
  }

  /**
   * Runs `compute`, or does again what a run with this key did; the caller owns the result. Keys are equal
   * where each of their members is the same string, number or object.
   *
   * @throws {TypeError} where the computation cannot be replayed: it uses an op that computes in JavaScript,
   * or a value that changes and is not an {@linkcode input}.
   */
  run(key: readonly unknown[], compute: () => T): T {
    if (recorder === undefined || underway() !== undefined || this.#hopeless()) {
      this.#count("tape");
      return tf.tidy(compute);
    }
    key = [recorder, ...key]; // another backend, other calls
    const found = this.#entries.findIndex((entry) => sameKey(entry.key, key));
    const entry = found < 0 ? undefined : this.#entries.splice(found, 1)[0];
    if (entry?.recording?.isCurrent() && entry.replays < TRUST) {
      entry.replays++;
      this.#entries.push(entry);
      this.#count("replayed");
      entry.recording.replay();
      return this.#taken();
    }
    this.#count("recorded");
    entry?.recording?.[Symbol.dispose]();
    this.#entries.push(
      entry === undefined ? this.#traced(key, compute) : this.#recorded(recorder, entry, compute),
    );
    if (this.#entries.length > MOST) this.#entries.shift()!.recording?.[Symbol.dispose]();
    return this.#taken();
  }

  #count(how: keyof ReplayCounts): void {
    (this.counts as ReplayCounts)[how]++;
    total[how]++;
  }

  #hopeless(): boolean {
    return this.counts.recorded >= PATIENCE && this.counts.replayed < this.counts.recorded;
  }

  /** The first run with a key is an ordinary one, which may make what is then kept. */
  #traced(key: readonly unknown[], compute: () => T): Entry {
    const trace = new Trace();
    follow(trace, () => this.#result = tf.tidy(compute));
    return { key, lines: trace.lines, doubts: 0, replays: 0 };
  }

  /** The next ones are recorded, until one does the same as the one before it. */
  #recorded({ backend, copyValues }: Recorder, before: Entry, compute: () => T): Entry {
    this.#blocks ??= new Blocks(backend);
    const recording = new Recording(backend, this.#blocks);
    try {
      record(recording, () => {
        const result = tf.tidy(compute);
        recording.output(result, copyValues, (copy) => this.#result = copy as T);
        result.dispose();
      });
    } catch (error) {
      this[Symbol.dispose]();
      this.#result?.dispose();
      this.#result = undefined;
      throw error;
    }
    const { key } = before;
    const { lines } = recording;
    const difference = differs(before.lines, lines);
    if (difference === undefined && recording.replayable) {
      return { key, lines, doubts: 0, recording, replays: 0 };
    }

    recording[Symbol.dispose]();
    // What was replayed and is different now was replayed too often.
    const doubts = difference === undefined ? 0 : before.replays > 0 ? DOUBTS : before.doubts + 1;
    if (doubts < DOUBTS) return { key, lines, doubts, replays: 0 };
    this.#taken().dispose();
    throw new TypeError(explain({
      what: `each run does something else: ${difference}`,
      where: this.#title,
      fix: "let losses depend on the batch, on settings and on `random` alone, " +
        "or start the backend with replay: false (--no-replay)",
    }));
  }

  #taken(): T {
    const result = this.#result!;
    this.#result = undefined;
    return result;
  }

  /** Forgets all recordings. */
  [Symbol.dispose](): void {
    for (const { recording } of this.#entries) recording?.[Symbol.dispose]();
    this.#entries.length = 0;
  }
}

function sameKey(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((member, index) => Object.is(member, b[index]));
}

function differs(before: readonly string[], now: readonly string[]): string | undefined {
  const at = now.findIndex((line, index) => line !== before[index]);
  if (at >= 0) return `"${now[at]}" now, "${before[at] ?? "nothing"}" before`;
  return now.length === before.length ? undefined : `nothing now, "${before[now.length]}" before`;
}
