/**
 * HDF5 files, read in place and slice by slice, behind a fence.
 *
 * libhdf5 runs as WebAssembly in a thread of its own (`hdf5_worker.ts`) with a cap on its memory. Every question to it
 * has a deadline; a thread that does not answer in time, or that crashes, is ended, and the file that it was asked
 * about is refused in words. A file of 2 GB needs no more memory than one of its slices.
 */

import { Worker } from "node:worker_threads";
import { explain } from "../../core/errors.ts";
import type { NumberType } from "./numbers.ts";

/** A dataset inside a file. */
export interface HdfDataset {
  readonly shape: readonly number[];
  /** Undefined where it holds no numbers that we read: text, records, references. */
  readonly type?: NumberType;
  readonly bytesPerElement: number;
}

/** What a file holds, as far as it was asked about. */
export interface HdfFile {
  /** The names at the file's root, at most a thousand. */
  readonly names: readonly string[];
  /** The datasets that were asked about and are there. */
  readonly datasets: Readonly<Record<string, HdfDataset>>;
  /** The text attributes of the root that were asked about and are there. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The text in `ismrmrd_header`. */
  readonly header?: string;
}

/** What the thread is asked. */
export type HdfQuestion =
  | { ask: "inspect"; path: string; datasets: readonly string[]; texts: readonly string[] }
  | { ask: "read"; path: string; dataset: string; offset: readonly number[]; count: readonly number[] }
  | { ask: "columns"; path: string; dataset: string; columns: readonly string[] };

/** What it is told when a reader is done with its files; there is no answer. */
export type HdfFarewell = { ask: "forget" };

/** What it answers. */
export type HdfAnswer = {
  file?: HdfFile;
  values?: Float32Array;
  columns?: readonly Float64Array[];
  error?: string;
};

// A sound file is inspected in milliseconds. Reading is given what a slow network drive needs.
const inspectSeconds = 4;
const readSeconds = (values: number) => 4 + values * 4 / 2e6;
const tableSeconds = 30;

/** Reads HDF5 files in a thread of its own; one question at a time, in the order of asking. */
export class HdfReader {
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * What the file at `path` holds: its names, and of `datasets` and of the text attributes `texts` those that are there.
   *
   * @throws {SyntaxError} where the file cannot be read, with libhdf5's reason.
   */
  async inspect(path: string, datasets: readonly string[], texts: readonly string[]): Promise<HdfFile> {
    const answer = await this.#ask({ ask: "inspect", path, datasets, texts }, inspectSeconds);
    return answer.file!;
  }

  /**
   * The numbers in the part of `dataset` that starts at `offset` and has `count` elements along each axis, row-major;
   * complex ones as two.
   *
   * @throws {SyntaxError} where they cannot be read, with libhdf5's reason.
   */
  async read(
    path: string,
    dataset: string,
    offset: readonly number[],
    count: readonly number[],
  ): Promise<Float32Array> {
    const values = count.reduce((product, extent) => product * extent, 2);
    const answer = await this.#ask({ ask: "read", path, dataset, offset, count }, readSeconds(values));
    return answer.values!;
  }

  /**
   * Columns of `dataset`, a table of records, by name, in the order that is asked for.
   *
   * @throws {SyntaxError} where it is no such table or lacks a column.
   */
  async columns(path: string, dataset: string, columns: readonly string[]): Promise<readonly Float64Array[]> {
    const answer = await this.#ask({ ask: "columns", path, dataset, columns }, tableSeconds);
    return answer.columns!;
  }

  /** Gives the thread back. */
  close(): void {
    if (this.#thread !== undefined) {
      this.#thread.postMessage({ ask: "forget" } satisfies HdfFarewell);
      if (spare === undefined) spare = this.#thread;
      else void this.#thread.terminate();
    }
    this.#thread = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #discard(): void {
    void this.#thread?.terminate();
    this.#thread = undefined;
  }

  #ask(question: HdfQuestion, seconds: number): Promise<HdfAnswer> {
    const turn = this.#last.then(() => this.#answer(question, seconds));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #answer(question: HdfQuestion, seconds: number): Promise<HdfAnswer> {
    let answer: HdfAnswer;
    try {
      this.#thread ??= await takeThread();
      answer = await reply(this.#thread, question, seconds);
    } catch (cause) {
      this.#discard();
      throw unreadable(question, cause instanceof Error ? cause.message : String(cause), cause);
    }
    if (answer.error !== undefined) {
      // A malformed file may have left libhdf5 in any state: the next file gets a new one.
      this.#discard();
      throw unreadable(question, answer.error);
    }
    return answer;
  }
}

// A thread takes a fifth of a second to start, and a survey of a folder opens its files one by one: an idle one is kept.
let spare: Worker | undefined;

async function takeThread(): Promise<Worker> {
  if (spare !== undefined) {
    const thread = spare;
    spare = undefined;
    return thread;
  }
  const thread = new Worker(new URL("./hdf5_worker.ts", import.meta.url));
  // Nobody needs to close it for the program to end.
  thread.unref();
  await reply(thread, undefined, 60);
  return thread;
}

/** The thread's next message after `question` was posted to it. */
function reply(thread: Worker, question: HdfQuestion | undefined, seconds: number): Promise<HdfAnswer> {
  return new Promise((resolve, reject) => {
    const late = () => finish(() => reject(new Error(`no end of reading after ${seconds.toFixed(0)} s`)));
    const timer = setTimeout(late, seconds * 1000);
    const onMessage = (answer: HdfAnswer) => finish(() => resolve(answer));
    const onError = (error: Error) => finish(() => reject(error));
    const onExit = () => finish(() => reject(new Error("the reader crashed")));
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      settle();
    };
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    if (question !== undefined) thread.postMessage(question);
  });
}

function unreadable(question: HdfQuestion, reason: string, cause?: unknown): SyntaxError {
  const part = question.ask === "inspect" ? "the HDF5 file" : `"${question.dataset}" of the HDF5 file`;
  return new SyntaxError(
    explain({
      what: `cannot read ${part}: ${inWords(reason)}`,
      where: question.path,
      fix: "get it again, since it may have been cut short, or leave it out",
    }),
    { cause },
  );
}

/** The last and most precise line of libhdf5's error stack, without its line numbers. */
function inWords(reason: string): string {
  const lines = reason.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const precise = lines.filter((line) => line.startsWith("#")).at(-1) ?? lines.at(-1) ?? "no reason given";
  return precise.replace(/^#\d+:.*?\bin\s+\S+\(\):\s*/, "").replace(/: time = .*/, "").slice(0, 300);
}
